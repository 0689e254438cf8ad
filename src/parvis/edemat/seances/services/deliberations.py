"""Deliberations: the document typeset from the meeting, the checks read on it, and its departure for
signature."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pypdfium2

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes, store
from parvis.core.documents.typesetting import typeset
from parvis.core.journal.services import Actor, record
from parvis.core.referentials.matieres import matieres_of
from parvis.core.routing.models import Route, RouteStep
from parvis.core.routing.services import (
    attach,
    close_tasks,
    complete_step,
    lock_route,
    open_route,
    retry_step,
    step_of,
)
from parvis.edemat.seances.documents import appeal_mention, deliberation_data, vote_summary
from parvis.edemat.seances.errors import DeliberationBlocked
from parvis.edemat.seances.formats.controles import Amount, Fiche, Finding, amounts_in, run_checks
from parvis.edemat.seances.formats.delais import paris_date
from parvis.edemat.seances.formats.lecture import displayed_in
from parvis.edemat.seances.formats.pouvoirs import Power
from parvis.edemat.seances.formats.scrutin import MODE_LABELS, Ballot, Mode, Result, Voice
from parvis.edemat.seances.formats.texte import lines_of
from parvis.edemat.seances.models import Deliberation, Elu, Point, Preuve, Scrutin, Seance
from parvis.edemat.seances.services.agenda import lock_seance
from parvis.edemat.seances.services.sitting import ESTABLISH
from parvis.edemat.seances.tasks import establish_deliberation

ROUTE_KIND = "deliberation"
STEP_CODES = (
    "seances.vote",
    "parapheur.signature",
    "actes.transmission",
    "actes.acquittement",
    "actes.publication",
    "archives.versement",
    "opendata.deliberations",
)
SIGNATURE = "parapheur.signature"
CORRECTABLE = frozenset(
    {
        "title",
        "rapporteur",
        "expose",
        "visas",
        "considerants",
        "dispositif",
        "closing_mention",
        "matiere",
        "matiere_label",
    }
)
"""What of an item may be corrected once it is voted: the words, never the vote."""
TYPE_PIECE = "99_DE"
MAX_PDF = 150 * 1024 * 1024
MAX_PAGES_READ = 200


def refused_step(deliberation: Deliberation) -> RouteStep | None:
    """The signature step of a deliberation that was refused there; its summary is the reason."""
    failed = RouteStep.objects.filter(code=SIGNATURE, state=RouteStep.State.FAILED)
    return failed.filter(route=deliberation.route_id).first() if deliberation.route_id else None


def _open_to_change(deliberation: Deliberation) -> Deliberation:
    """The deliberation locked and read again; raise DeliberationBlocked once it left, unless it was refused."""
    deliberation = _fresh(deliberation)
    if deliberation.route_id and refused_step(deliberation) is None:
        raise DeliberationBlocked(f"{deliberation} est déjà partie à la signature : elle ne change plus.")
    return deliberation


def correct(deliberation: Deliberation, *, actor: Actor, **changes: Any) -> Deliberation:
    """Correct the text of a deliberation before its signature or after a refusal, and establish it again.

    What the body decided does not change: neither the vote nor the presences nor the number.
    """
    seance = lock_seance(deliberation.point.seance, Seance.State.LEVEE, Seance.State.CLOSE)
    deliberation = _open_to_change(deliberation)
    if unknown := set(changes) - CORRECTABLE:
        raise TypeError(f"cannot correct {sorted(unknown)}")
    point = deliberation.point
    changed = [name for name, value in changes.items() if getattr(point, name) != value]
    for name in changed:
        setattr(point, name, changes[name])
    if changed:
        point.save(update_fields=changed)
        record(
            seance.organisation,
            "seances.deliberation_corrigee",
            subject=("deliberation", deliberation.pk),
            actor=actor,
            details={"numero": deliberation.number, "fields": sorted(changed)},
        )
    return establish(deliberation, actor=actor)


def ask_establishment(seance: Seance, *, actor: Actor) -> int:
    """Have a job establish each deliberation that has not left for signature; return how many were asked for.

    Those already asked for are not asked twice. Raises WrongMoment, DeliberationBlocked when all have left.
    """
    seance = lock_seance(seance, Seance.State.LEVEE, Seance.State.CLOSE)
    waiting = list(Deliberation.objects.filter(point__seance=seance, route__isnull=True).order_by("point__rank"))
    if not waiting:
        raise DeliberationBlocked("Il n’y a pas de délibération à établir : toutes sont parties à la signature.")
    asked = [one for one in waiting if one.work != Deliberation.Work.DEMANDE]
    for one in asked:
        one.work = Deliberation.Work.DEMANDE
        one.save(update_fields=["work"])
        establish_deliberation.enqueue(
            seance.organisation, deliberation_id=str(one.pk), actor_kind=actor.kind, actor_id=actor.id
        )
    return len(asked)


def establish_asked(deliberation_id: UUID | str, *, actor: Actor) -> None:
    """Establish a deliberation that was asked for, unless it was done meanwhile."""
    deliberation = Deliberation.objects.select_related("point__seance").get(pk=deliberation_id)
    lock_seance(deliberation.point.seance)
    if _fresh(deliberation).work == Deliberation.Work.DEMANDE:
        establish(deliberation, actor=actor)


def interrupt_establishment(deliberation_id: UUID | str) -> None:
    """Say that the job gave up: the page offers to ask again."""
    asked = Deliberation.objects.filter(pk=deliberation_id, work=Deliberation.Work.DEMANDE)
    asked.update(work=Deliberation.Work.INTERROMPU)


def establish(deliberation: Deliberation, *, actor: Actor) -> Deliberation:
    """Typeset the deliberation and run the checks on what was printed. May be repeated until it leaves for
    signature, and again once it was refused there: the version before is kept as the source of the new one."""
    seance = lock_seance(deliberation.point.seance, Seance.State.LEVEE, Seance.State.CLOSE)
    deliberation = _open_to_change(deliberation)
    before = deliberation.document if deliberation.route_id else None
    pdf = typeset("edemat/seances/deliberation", deliberation_data(deliberation))
    deliberation.document = store(
        seance.organisation,
        pdf,
        f"deliberation-{deliberation.actes_number}.pdf",
        label=f"Délibération n° {deliberation.number}",
        source=before,
        derivation="correction" if before else "",
    )
    findings = run_checks(fiche_of(deliberation, text_of_pdf(pdf)))
    deliberation.checks = [_as_fact(finding) for finding in findings]
    deliberation.work = ""
    deliberation.save(update_fields=["document", "checks", "work"])
    record(
        seance.organisation,
        "seances.deliberation_etablie",
        subject=("deliberation", deliberation.pk),
        actor=actor,
        sha256=deliberation.document.sha256,
        details={"numero": deliberation.number, "manques": [f.code for f in findings if not f.ok]},
    )
    return deliberation


def _as_fact(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "ok": finding.ok,
        "sentence": finding.sentence,
        "mark": finding.mark,
    }


def _fresh(deliberation: Deliberation) -> Deliberation:
    return (
        Deliberation.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "point__scrutin",
            "point__rapporteur",
            "point__seance__organe",
            "point__seance__president",
            "point__seance__secretary",
            "point__seance__organisation",
            "document",
        )
        .get(pk=deliberation.pk)
    )


def text_of_pdf(content: bytes) -> str:
    """The text of a PDF's pages, spaces made plain; empty when it cannot be opened."""
    try:
        with pypdfium2.PdfDocument(content) as pdf:
            pages = [pdf[n].get_textpage().get_text_range() for n in range(min(len(pdf), MAX_PAGES_READ))]
    except pypdfium2.PdfiumError:
        return ""
    return " ".join("\n".join(pages).replace("\r", "").replace("\u00a0", " ").split(" "))


def ballot_of(scrutin: Scrutin, *, casting_vote: bool) -> Ballot:
    """The ballot as a value, to compute its result again."""
    return Ballot(
        Mode(scrutin.mode),
        pour=scrutin.pour,
        contre=scrutin.contre,
        abstention=scrutin.abstention,
        blancs=scrutin.blancs,
        nuls=scrutin.nuls,
        nppv=scrutin.nppv,
        chair=Voice(scrutin.chair_voice),
        casting_vote=casting_vote,
    )


def fiche_of(deliberation: Deliberation, printed: str) -> Fiche:
    """Gather what the checks read: the meeting as recorded, and the document as printed."""
    point = deliberation.point
    seance, scrutin = point.seance, point.scrutin
    composition: dict[str, Any] = scrutin.composition
    convocations = list(seance.convocations.order_by("rank"))
    by_elu = {one.elu_id: one.name for one in convocations}
    annexes = {
        f"annexe {annexe.rank}": _annexe_text(annexe.document)
        for annexe in point.annexes.select_related("document").order_by("rank")
    }
    texts = {
        "exposé": point.expose,
        "dispositif": point.dispositif,
        "mention de publication": point.closing_mention,
    }
    return Fiche(
        en_exercice=len(convocations),
        displayed=displayed_in(printed),
        presents=tuple(composition["presents"]),
        powers=tuple(Power(one["mandant"], one["mandataire"]) for one in composition["pouvoirs"]),
        absents=tuple(composition["absents"]),
        withdrawn=len(composition["retires"]),
        voices_withdrawn=scrutin.hors_vote,
        regime=seance.regime,
        meets=seance.day,
        sendings={one.name: paris_date(one.sent_at) for one in convocations if one.sent_at},
        urgency_voted=bool(seance.urgency_voted),
        chair=_name(seance.president, by_elu),
        rapporteur=_name(point.rapporteur, by_elu),
        secretary=_name(seance.secretary, by_elu),
        number=deliberation.number,
        taken_numbers=frozenset(
            Deliberation.objects.filter(organisation=deliberation.organisation, number=deliberation.number)
            .exclude(pk=deliberation.pk)
            .values_list("number", flat=True)
        ),
        opening=printed,
        nature=point.nature,
        matiere=point.matiere,
        matieres=frozenset(code for code, _ in matieres_of(deliberation.organisation)),
        objet=point.title,
        ballot=ballot_of(scrutin, casting_vote=seance.regime.casting_vote),
        mention=scrutin.mention,
        announced_result=Result(scrutin.result),
        visas=tuple(lines_of(point.visas)),
        texts=texts | annexes,
        quoted_amounts=_typed(point.quoted_amounts) or amounts_in(f"{point.expose}\n{point.dispositif}"),
        annexed_amounts=(
            *_typed(point.annexed_amounts),
            *(amount for text in annexes.values() for amount in amounts_in(text)),
        ),
        annexes=len(annexes),
        appeal_mention=appeal_mention(seance),
    )


def _name(elu: Elu | None, convened: dict[UUID, str]) -> str:
    """The name under which a member is convened, which tells namesakes apart."""
    return convened.get(elu.pk, elu.short_name) if elu else ""


def _annexe_text(document: Document) -> str:
    if document.media_type != "application/pdf":
        return ""
    return text_of_pdf(read_bytes(document, limit=MAX_PDF))


def _typed(rows: list[dict[str, str]]) -> tuple[Amount, ...]:
    return tuple(Amount(row["libelle"], Decimal(row["valeur"])) for row in rows)


def send_to_signature(deliberation: Deliberation, *, actor: Actor) -> Route:
    """Open the route of a deliberation and close its first step, the vote. Harmless when repeated.

    Raises DeliberationBlocked when a blocking check is not met, when there is no document, or when the
    draft was
    rejected: a rejected deliberation is numbered and listed, not transmitted.
    """
    seance = lock_seance(deliberation.point.seance, Seance.State.LEVEE, Seance.State.CLOSE)
    deliberation = _fresh(deliberation)
    if deliberation.route:
        return deliberation.route
    scrutin = deliberation.point.scrutin
    if scrutin.result == Result.REJETEE:
        raise DeliberationBlocked(f"{deliberation} n’a pas été adoptée : elle n’est pas transmise.")
    if deliberation.document is None:
        raise DeliberationBlocked(f"{deliberation} n’est pas encore établie.")
    if deliberation.work == Deliberation.Work.DEMANDE:
        raise DeliberationBlocked(f"{deliberation} est en cours d’établissement : attendez la fin de ses contrôles.")
    if faults := deliberation.faults:
        reasons = " ".join(str(fault["sentence"]) for fault in faults)
        raise DeliberationBlocked(f"{deliberation} ne peut pas partir à la signature. {reasons}")
    route = open_route(
        seance.organisation,
        kind=ROUTE_KIND,
        title=deliberation.point.title,
        reference=deliberation.number,
        step_codes=STEP_CODES,
        facts=facts_of(deliberation),
        actor=actor,
    )
    _attach_documents(route, deliberation)
    deliberation.route = route
    deliberation.save(update_fields=["route"])
    record(
        seance.organisation,
        "seances.deliberation_mise_a_la_signature",
        subject=("deliberation", deliberation.pk),
        actor=actor,
        sha256=deliberation.document.sha256,
        details={"numero": deliberation.number, "cheminement": str(route.pk)},
    )
    complete_step(step_of(route, "seances.vote"), summary=vote_summary(deliberation), actor=actor)
    _close_when_done(seance, actor)
    return route


def send_back(deliberation: Deliberation, *, actor: Actor) -> Route:
    """Put a deliberation refused at signature back in the circuit, with its corrected document.

    The refused version keeps its place on the route, behind the new one. Raises DeliberationBlocked when it was
    not refused, when nothing was corrected since, or when a blocking check is not met.
    """
    seance = lock_seance(deliberation.point.seance, Seance.State.LEVEE, Seance.State.CLOSE)
    deliberation = _fresh(deliberation)
    step = refused_step(deliberation)
    if step is None:
        raise DeliberationBlocked(f"{deliberation} n’a pas été refusée à la signature : il n’y a rien à renvoyer.")
    if faults := deliberation.faults:
        reasons = " ".join(str(fault["sentence"]) for fault in faults)
        raise DeliberationBlocked(f"{deliberation} ne peut pas repartir à la signature. {reasons}")
    route = lock_route(step.route_id)
    document = deliberation.document
    refused = route.document("original")
    if document is None or refused is None or document.sha256 == refused.sha256:
        raise DeliberationBlocked(f"{deliberation} n’a pas été corrigée depuis son refus : corrigez-la d’abord.")
    attach(route, "original", document, f"Délibération n° {deliberation.number}, corrigée")
    route.title = deliberation.point.title
    route.facts |= facts_of(deliberation)
    route.save(update_fields=["title", "facts"])
    record(
        seance.organisation,
        "seances.deliberation_renvoyee",
        subject=("deliberation", deliberation.pk),
        actor=actor,
        sha256=document.sha256,
        details={"numero": deliberation.number, "refusee": refused.sha256},
    )
    retry_step(step, actor=actor)
    return route


def facts_of(deliberation: Deliberation) -> dict[str, Any]:
    """What the next services need to know of a deliberation, in the keys of the route's contract."""
    point = deliberation.point
    seance, scrutin = point.seance, point.scrutin
    assert seance.convoked_at is not None
    return {
        "acte": {
            "numero": deliberation.number,
            "nature": point.nature,
            "objet": point.title,
            "date": seance.day.isoformat(),
            "matiere": point.matiere,
            "matiere_label": point.matiere_label,
            "type_piece": TYPE_PIECE,
        },
        "seance": {
            "id": str(seance.pk),
            "date": seance.day.isoformat(),
            "organe": seance.organe.name,
            "convocation_date": paris_date(seance.convoked_at).isoformat(),
        },
        "vote": {
            "en_exercice": scrutin.en_exercice,
            "presents": scrutin.presents,
            "pouvoirs": scrutin.pouvoirs,
            "votants": scrutin.votants,
            "pour": scrutin.pour,
            "contre": scrutin.contre,
            "abstention": scrutin.abstention,
            "blancs": scrutin.blancs,
            "nuls": scrutin.nuls,
            "mode": scrutin.mode,
            "mode_label": MODE_LABELS[Mode(scrutin.mode)],
            "mention": scrutin.mention,
            "resultat": scrutin.result,
        },
        "controles": deliberation.checks,
    }


def _attach_documents(route: Route, deliberation: Deliberation) -> None:
    seance = deliberation.point.seance
    assert deliberation.document is not None
    attach(route, "original", deliberation.document, f"Délibération n° {deliberation.number}")
    attach(route, "convocation", seance.convocation_pdf, "Convocation")
    attach(route, "convocation_ics", seance.invitation_ics, "Invitation d’agenda")
    envoi = seance.preuves.filter(kind=Preuve.Kind.ENVOI).select_related("statement", "token").order_by("rank").first()
    if envoi:
        attach(route, "convocation_preuve", envoi.statement, "Preuve d’envoi de la convocation")
        if envoi.token:
            attach(route, "convocation_jeton", envoi.token, "Jeton d’horodatage de la convocation")
    for annexe in deliberation.point.annexes.filter(to_prefecture=True).select_related("document"):
        attach(route, "annexe", annexe.document, annexe.title)


def _close_when_done(seance: Seance, actor: Actor) -> None:
    """Close the meeting once every deliberation that must be signed has left."""
    waiting = Point.objects.filter(seance=seance, deliberation__route__isnull=True, deliberation__isnull=False).exclude(
        scrutin__result=Result.REJETEE.value
    )
    if seance.state == Seance.State.LEVEE and not waiting.exists():
        seance.close()
        seance.save()
        close_tasks(seance.organisation, subject=("seance", seance.pk), verb=ESTABLISH)
        record(
            seance.organisation,
            "seances.close",
            subject=("seance", seance.pk),
            actor=actor,
            details={"at": clock.now().isoformat()},
        )
