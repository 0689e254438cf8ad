"""What the typeset documents, the message and the invitation of a meeting say, computed from the meeting
itself."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from parvis.core import clock
from parvis.core.documents.typesetting import organisation_facts
from parvis.edemat.seances.formats.calendrier import Invitation
from parvis.edemat.seances.formats.delais import jours_francs, minimum_days, paris_date
from parvis.edemat.seances.formats.lettres import (
    date_courte,
    date_in_letters,
    date_longue,
    heure,
    hour_in_letters,
    number_in_letters,
)
from parvis.edemat.seances.formats.scrutin import Mode, Result
from parvis.edemat.seances.formats.texte import articles_of, blocks_of, lines_of
from parvis.edemat.seances.models import Avis, Convocation, Deliberation, Elu, Scrutin, Seance

POWER_RULE = (
    "Si vous ne pouvez pas assister à la séance, vous pouvez donner pouvoir par écrit au collègue "
    "de votre choix. "
    "Un même membre ne peut porter qu’un seul pouvoir, et vous pouvez le révoquer à tout moment."
)


def with_article(name: str) -> str:
    """Return "le Conseil municipal", "la Commission…", "l’Assemblée": the body's name with its article."""
    first = name.split()[0].lower()
    if first[0] in "aeiouéè":
        return f"l’{name}"
    return f"{'la' if first.endswith('ion') else 'le'} {name}"


def of_body(name: str) -> str:
    """Return "du Conseil municipal", "de la Commission…"."""
    named = with_article(name)
    return f"du {name}" if named.startswith("le ") else f"de {named}"


def chair_title(seance: Seance) -> str:
    return seance.organe.chair_title


def _signatory(seance: Seance) -> dict[str, str]:
    chair = seance.president
    assert chair is not None
    article = "La" if chair.civility == Elu.Civility.MADAME else "Le"
    return {"qualite": f"{article} {chair_title(seance).lower()}", "nom": chair.signature_name}


def convocation_data(seance: Seance, made_at: datetime) -> dict[str, Any]:
    """The data of `typst/convocation.typ`: place, day, hour, agenda, and the note of each item that has
    one."""
    starts = seance.starts_in_paris
    points = list(seance.points.select_related("rapporteur").order_by("rank"))
    title = f"Convocation {of_body(seance.organe.name)} du {date_courte(seance.day)}"
    return {
        "organisation": organisation_facts(seance.organisation),
        "document_title": title,
        "organe": seance.organe.name,
        "session": seance.session,
        "seance": date_longue(seance.day),
        "heure": heure(starts),
        "lieu": seance.place,
        "urgence": _sentence(seance.urgency_motive) if seance.urgency else "",
        "mention": _second_mention(seance),
        "points": [
            {
                "rang": point.rank,
                "titre": point.title,
                "rapporteur": point.rapporteur.long_name if point.rapporteur else "",
            }
            for point in points
        ],
        "notes": [
            {
                "rang": point.rank,
                "titre": point.title,
                "blocs": [asdict(block) for block in blocks_of(point.expose)],
            }
            for point in points
            if point.expose.strip()
        ],
        "consigne": POWER_RULE if seance.regime.casting_vote else "",
        "fait_le": date_courte(paris_date(made_at)),
        "signataire": _signatory(seance),
        "pied": f"{seance.organisation.name} – {title}",
    }


def _second_mention(seance: Seance) -> str:
    """What the convocation says of a meeting that follows another without quorum (L2121-17)."""
    if seance.second_of is None:
        return ""
    return (
        f"Le quorum n’ayant pas été atteint à la séance du {date_courte(seance.second_of.day)}, l’assemblée est à "
        "nouveau convoquée sur les mêmes points ; elle délibère alors valablement sans condition de quorum "
        "(CGCT L2121-17)."
    )


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def invitation_for(
    convocation: Convocation, seance: Seance, stamped_at: datetime, *, revision: int | None = None
) -> Invitation:
    """The calendar invitation of one member: the same UID whatever happens, the revision as its sequence.

    ``revision`` is that of the notice which carries the invitation, by default the meeting's own.
    """
    agenda = "\n".join(str(point) for point in seance.points.order_by("rank"))
    sender = seance.organisation.email_sender or "ne-pas-repondre@parvis.invalid"
    return Invitation(
        uid=f"{seance.pk}.{convocation.elu_id}@parvis",
        sequence=max((seance.revision if revision is None else revision) - 1, 0),
        summary=f"{seance.organe.name}, {seance.organisation.short_name}",
        description=f"Ordre du jour\n{agenda}",
        place=seance.place,
        starts_at=seance.starts_at,
        duration_minutes=seance.duration_minutes,
        stamped_at=stamped_at,
        organiser_name=seance.organisation.name,
        organiser_email=sender,
        attendee_name=convocation.elu.long_name,
        attendee_email=convocation.address or sender,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changes after the convocation, before and after, as members read it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What members are told: `kind` is a value of ``Avis.Kind``."""

    kind: str
    motive: str
    changes: tuple[Change, ...] = ()


NOTICES = {
    "rectificatif": ("Avis rectificatif", "La convocation que vous avez reçue est rectifiée comme suit."),
    "annulation": ("Avis d’annulation", "La séance à laquelle vous étiez convoqué est annulée."),
    "report": (
        "Avis de report",
        "La séance à laquelle vous étiez convoqué est reportée. Une nouvelle convocation vous sera adressée.",
    ),
}


def notice_data(seance: Seance, notice: Notice, made_at: datetime) -> dict[str, Any]:
    """The data of `typst/avis.typ`: what was convened, what changes, why."""
    title, sentence = NOTICES[notice.kind]
    return {
        "organisation": organisation_facts(seance.organisation),
        "document_title": f"{title}, {seance}",
        "titre": title,
        "organe": seance.organe.name,
        "phrase": sentence,
        "seance": date_longue(seance.day),
        "heure": heure(seance.starts_in_paris),
        "lieu": seance.place,
        "changements": [asdict(change) for change in notice.changes],
        "motif": _sentence(notice.motive),
        "fait_le": date_courte(paris_date(made_at)),
        "signataire": _signatory(seance),
        "pied": f"{seance.organisation.name} – {title} du {date_courte(paris_date(made_at))}",
    }


def notice_message(avis: Avis, seance: Seance, address: str) -> "Message":
    """The e-mail of a notice."""
    title, sentence = NOTICES[avis.kind]
    day, hour = date_longue(seance.day), heure(seance.starts_in_paris)
    changes = "\n".join(f"  {label} : {after} (au lieu de : {before})" for label, before, after in avis.changes)
    said = f"\n{changes}\n" if changes else ""
    held = avis.kind == "rectificatif"
    text = f"""{avis.convocation.elu.get_civility_display()},

{sentence}
{said}
{"La séance se tient" if held else "Séance concernée"} : {day}, à {hour}, {seance.place}.

L’avis est joint à ce message ; {"l’invitation jointe remplace" if held else "le fichier joint retire"} celle de
votre agenda.
{address}

{seance.organisation.name}
"""
    return Message(f"{title} : {seance.organe.name}, {day}", text)


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    text: str


def message_for(convocation: Convocation, seance: Seance, address: str) -> Message:
    """The e-mail of one member."""
    day, hour = date_longue(seance.day), heure(seance.starts_in_paris)
    agenda = "\n".join(f"  {point}" for point in seance.points.order_by("rank"))
    urgency = f"\nConvocation en urgence : {_sentence(seance.urgency_motive)}\n" if seance.urgency else ""
    if mention := _second_mention(seance):
        urgency += f"\n{mention}\n"
    convoked = "convoquée" if convocation.elu.civility == Elu.Civility.MADAME else "convoqué"
    text = f"""{convocation.elu.get_civility_display()},

Vous êtes {convoked} à la séance {of_body(seance.organe.name)} :

  {day}, à {hour}
  {seance.place}
{urgency}
Ordre du jour
{agenda}

La convocation et la note explicative de synthèse sont jointes à ce message, avec une invitation pour votre
agenda.
Pour consulter les pièces et accuser réception :
{address}

{POWER_RULE}

{seance.organisation.name}
"""
    return Message(f"Convocation {of_body(seance.organe.name)} : {day}, {hour}", text)


def opening_formula(seance: Seance, convocations: list[Convocation]) -> str:
    """The opening sentence of a deliberation: date in letters, regular convocation as proved, session and
    chair."""
    starts, regime = seance.starts_in_paris, seance.regime
    sent = [jours_francs(paris_date(one.sent_at), seance.day) for one in convocations if one.sent_at]
    minimum = minimum_days(regime, urgency=seance.urgency)
    delay = ""
    if regime.franc and minimum and len(sent) == len(convocations) and min(sent, default=0) >= minimum:
        days = f"{number_in_letters(minimum)} jour{'s' if minimum > 1 else ''} franc{'s' if minimum > 1 else ''}"
        delay = f" et adressée {'en urgence ' if seance.urgency else ''}au moins {days} avant la présente séance"
    session = f" en session {seance.session}" if seance.session else ""
    assert seance.president is not None
    formula = (
        f"{date_in_letters(seance.day)}, à {hour_in_letters(starts)}, "
        f"{with_article(seance.organe.name)}, appelé à "
        f"siéger par une convocation portant l’ordre du jour{delay}, s’est réuni{session} sous la "
        f"présidence de {seance.president.long_name}, {chair_title(seance)}."
    )
    return formula[0].upper() + formula[1:]


def vote_sentence(scrutin: Scrutin, organe: str) -> str:
    """The sentence of the result, with the ballot's mode when it is known."""
    body = with_article(organe)
    head = f"{body[0].upper()}{body[1:]}, après en avoir délibéré"
    if scrutin.result == Result.PREND_ACTE:
        return f"{head}, prend acte."
    mode = f" {_MODES[Mode(scrutin.mode)]}" if scrutin.mode in _MODES else ""
    verb = "adopte" if scrutin.result == Result.ADOPTEE else "n’adopte pas"
    return f"{head}, {verb} la proposition{mode} {scrutin.mention}."


_MODES = {
    Mode.MAIN_LEVEE: "à main levée,",
    Mode.PUBLIC: "au scrutin public,",
    Mode.SECRET: "au scrutin secret,",
}


def appeal_mention(seance: Seance) -> str:
    return (
        "La présente délibération peut faire l’objet d’un recours pour excès de pouvoir devant le tribunal "
        f"administratif de {seance.organe.tribunal} dans un délai de deux mois à compter de sa publication."
    )


def deliberation_data(deliberation: Deliberation) -> dict[str, Any]:
    """The data of `typst/deliberation.typ`. Every count and list comes from the composition frozen at the
    vote."""
    point = deliberation.point
    seance, scrutin = point.seance, point.scrutin
    composition: dict[str, Any] = scrutin.composition
    convocations = list(seance.convocations.order_by("rank"))
    assert seance.convoked_at is not None
    counts = [
        ("En exercice", scrutin.en_exercice),
        ("Présents", scrutin.presents),
        ("Pouvoirs", scrutin.pouvoirs),
        ("Votants", scrutin.votants),
    ]
    title = f"Délibération n° {deliberation.number}"
    return {
        "organisation": organisation_facts(seance.organisation),
        "document_title": f"{title} : {point.title}",
        "sous_titre": seance.organe.name,
        "titre_registre": f"Extrait du registre des délibérations {of_body(seance.organe.name)}",
        "seance": date_longue(seance.day),
        "heure": heure(seance.starts_in_paris),
        "lieu": seance.place,
        "numero": deliberation.number,
        "convocation": date_courte(paris_date(seance.convoked_at)),
        "effectifs": [{"label": label, "value": str(value)} for label, value in counts],
        "ouverture": opening_formula(seance, convocations),
        "presents": composition["presents"],
        "pouvoirs": composition["pouvoirs"],
        "absents": composition["absents"],
        "retires": composition["retires"],
        "secretaire": seance.secretary.long_name if seance.secretary else "",
        "titre": point.title,
        "rapporteur": point.rapporteur.long_name if point.rapporteur else "",
        "expose": [asdict(block) for block in blocks_of(point.expose)],
        "visas": lines_of(point.visas),
        "considerants": lines_of(point.considerants),
        "dispositif": [asdict(article) for article in articles_of(point.dispositif)],
        "vote": vote_sentence(scrutin, seance.organe.name),
        "voix": [{"label": label, "value": str(value)} for label, value in voices_of(scrutin)],
        "mention_finale": point.closing_mention.strip(),
        "cloture": "Ainsi fait et délibéré, les jour, mois et an susdits.",
        "signataire": _signatory(seance),
        "signataire_secretaire": seance.secretary.signature_name if seance.secretary else "",
        "recours": appeal_mention(seance),
        "pied": f"{seance.organisation.name} – {title} du {date_courte(seance.day)}",
    }


DECISIONS = {Result.ADOPTEE: "Adoptée", Result.REJETEE: "Rejetée", Result.PREND_ACTE: "Prend acte"}


def list_rows(seance: Seance) -> list[dict[str, str]]:
    """The deliberations examined at a meeting, adopted or not, in their order: number, object, decision."""
    found = Deliberation.objects.filter(point__seance=seance).select_related("point__scrutin").order_by("point__rank")
    return [
        {
            "numero": one.number,
            "objet": one.point.title,
            "decision": DECISIONS[Result(one.point.scrutin.result)],
        }
        for one in found
    ]


def list_data(seance: Seance, rows: list[dict[str, str]], made_at: datetime) -> dict[str, Any]:
    """The data of `typst/liste.typ`."""
    return {
        "organisation": organisation_facts(seance.organisation),
        "document_title": f"Liste des délibérations {of_body(seance.organe.name)} du {date_courte(seance.day)}",
        "seance": f"{seance.organe.name}, séance du {date_longue(seance.day)}",
        "lignes": [[row["numero"], row["objet"], row["decision"]] for row in rows],
        "publiee": date_courte(paris_date(made_at)),
    }


def voices_of(scrutin: Scrutin) -> list[tuple[str, int]]:
    """The counts to print: for, against, abstentions always; the others when there are any."""
    if scrutin.mode == Mode.SANS_VOTE:
        return []
    always = [("Pour", scrutin.pour), ("Contre", scrutin.contre), ("Abstentions", scrutin.abstention)]
    others = [
        ("Bulletins blancs", scrutin.blancs),
        ("Bulletins nuls", scrutin.nuls),
        ("Ne prennent pas part au vote", scrutin.nppv),
    ]
    return always + [(label, count) for label, count in others if count]


def vote_summary(deliberation: Deliberation) -> str:
    """One line for the route: "1er juillet, 26 pour, à l’unanimité"."""
    scrutin = deliberation.point.scrutin
    day = date_courte(clock.paris(deliberation.point.seance.starts_at).date()).rsplit(" ", 1)[0]
    if scrutin.mode == Mode.SANS_VOTE:
        return f"{day}, sans vote"
    if scrutin.contre == 0:
        return f"{day}, {scrutin.pour} pour, {scrutin.mention}"
    return f"{day}, {scrutin.mention.removeprefix('par ')}"
