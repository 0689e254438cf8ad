"""Checks of a deliberation before its signature: twelve that block, nine that warn.

Each check is a small function from the `Fiche` of the deliberation to a `Finding`. The rules are those of
CGCT L2121-10
to L2121-21 and L2131-1; a blocking finding that is not met forbids the signature, a warning only shows.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from parvis.edemat.seances.formats.delais import delay_between
from parvis.edemat.seances.formats.lettres import date_longue, parse_opening_date, plural, voices
from parvis.edemat.seances.formats.numerotation import NumberRefused, actes_number
from parvis.edemat.seances.formats.pouvoirs import Power
from parvis.edemat.seances.formats.quorum import quorum
from parvis.edemat.seances.formats.regimes import Regime
from parvis.edemat.seances.formats.scrutin import RESULT_LABELS, Ballot, Mode, Result

Severity = Literal["bloquant", "avertissement"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict: `mark` is its short stable form for tests and logs, `sentence` the French one for
    people."""

    code: str
    severity: Severity
    ok: bool
    sentence: str
    mark: str


@dataclass(frozen=True, slots=True)
class Displayed:
    """The counts printed on the document, as a reader sees them; None when a count is not printed."""

    en_exercice: int
    presents: int
    votants: int
    pouvoirs: int | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money quoted in a text, with the words that introduce it when they are known."""

    label: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Fiche:
    """Everything the checks read of one deliberation. Names are unique within the meeting.

    `texts` maps a place ("exposé", "mention de publication", "annexe 1"…) to the text found there;
    `sendings` maps
    each convened member to the day the convocation left; `taken_numbers` are the numbers of the other
    deliberations.
    """

    en_exercice: int
    displayed: Displayed
    presents: tuple[str, ...]
    powers: tuple[Power, ...]
    absents: tuple[str, ...]
    regime: Regime
    meets: date
    sendings: dict[str, date]
    chair: str
    number: str
    opening: str
    ballot: Ballot
    rapporteur: str = ""
    secretary: str = ""
    nature: str = ""
    matiere: str = ""
    matieres: frozenset[str] = frozenset()
    objet: str = ""
    mention: str = ""
    announced_result: Result | None = None
    withdrawn: int = 0
    voices_withdrawn: int = 0
    urgency_voted: bool = False
    taken_numbers: frozenset[str] = frozenset()
    visas: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    quoted_amounts: tuple[Amount, ...] = ()
    annexed_amounts: tuple[Amount, ...] = ()
    annexes: int = 0
    appeal_mention: str = ""
    deposited: date | None = None
    published: date | None = None

    @property
    def votants(self) -> int:
        return len(self.presents) + len(self.powers) - self.ballot.nppv - self.voices_withdrawn


def check_sum(fiche: Fiche) -> Finding:
    """B1: present, represented and absent members make the members in office."""
    parts = (len(fiche.presents), len(fiche.powers), len(fiche.absents))
    total = sum(parts)
    listed = f"{plural(parts[0], 'présent')}, {plural(parts[1], 'pouvoir')} et {plural(parts[2], 'absent')}"
    ok = total == fiche.en_exercice
    sentence = (
        f"{listed} font bien {fiche.en_exercice} membres en exercice."
        if ok
        else f"{listed} font {total} et non {fiche.en_exercice} membres en exercice : reprenez la feuille de présence."
    )
    return _blocking("B1", ok, sentence, f"somme_effectif {'+'.join(map(str, parts))}={total}")


def check_displayed(fiche: Fiche) -> Finding:
    """B2: the counts printed on the document are the lengths of its lists."""
    shown, gaps = fiche.displayed, []
    pairs: list[tuple[str, int | None, int]] = [
        ("en exercice", shown.en_exercice, fiche.en_exercice),
        ("présents", shown.presents, len(fiche.presents)),
        ("pouvoirs", shown.pouvoirs, len(fiche.powers)),
        ("votants", shown.votants, fiche.votants),
    ]
    for label, printed, counted in pairs:
        if printed is not None and printed != counted:
            gaps.append(f"{label} : {printed} imprimé, {counted} compté")
    sentence = (
        f"Les nombres imprimés ne suivent pas les listes ({' ; '.join(gaps)})."
        if gaps
        else "Les nombres imprimés sont ceux des listes."
    )
    return _blocking("B2", not gaps, sentence, "effectifs_affiches")


def check_votants(fiche: Fiche) -> Finding:
    """B3: voters are present plus represented, less those who take no part or withdraw."""
    ok = fiche.displayed.votants == fiche.votants
    minus = fiche.ballot.nppv + fiche.voices_withdrawn
    sums = f"{len(fiche.presents)}+{len(fiche.powers)}" + (f"-{minus}" if minus else "")
    spelled = f"{plural(len(fiche.presents), 'présent')} et {plural(len(fiche.powers), 'pouvoir')}" + (
        f", moins {voices(minus)} hors du vote" if minus else ""
    )
    sentence = (
        f"{spelled} donnent {plural(fiche.votants, 'votant')}."
        if ok
        else f"{spelled} donnent {plural(fiche.votants, 'votant')}, et non {fiche.displayed.votants}."
    )
    return _blocking("B3", ok, sentence, f"votants {sums}={fiche.votants}")


def check_quorum(fiche: Fiche) -> Finding:
    """B4: more than half of the members in office are in the room for the item (L2121-17)."""
    needed = quorum(
        fiche.en_exercice,
        len(fiche.presents),
        withdrawn=fiche.withdrawn,
        required=fiche.regime.quorum_required,
    )
    if not fiche.regime.quorum_required:
        sentence = "Aucun quorum n’est exigé pour ce point."
    elif needed.reached:
        sentence = f"Le quorum de {needed.needed} est atteint par {plural(needed.counted, 'membre')} en séance."
    else:
        sentence = (
            f"Le quorum de {needed.needed} n’est pas atteint : {plural(needed.counted, 'membre')} "
            f"en séance, et les "
            "pouvoirs ne comptent pas (CGCT L2121-17). Le point ne peut pas être voté."
        )
    verb = "atteint" if needed.reached else "non atteint"
    return _blocking("B4", needed.reached, sentence, f"quorum {needed.needed} {verb} par {needed.counted}")


def check_delay(fiche: Fiche) -> Finding:
    """B5: every member was convened in time, or the body voted the urgency (L2121-11, L2121-12)."""
    members = (*fiche.presents, *(power.giver for power in fiche.powers), *fiche.absents)
    unsent = [name for name in members if name not in fiche.sendings]
    if unsent:
        who = ", ".join(unsent) if fiche.sendings else "cette séance"
        return _blocking("B5", False, f"Aucun envoi de convocation n’est prouvé pour {who}.", "envoi_non_prouve")
    delays = {
        member: delay_between(fiche.regime, sent, fiche.meets, urgency=fiche.urgency_voted)
        for member, sent in fiche.sendings.items()
    }
    late = [member for member, delay in delays.items() if not delay.regular]
    worst = min(delays.values(), key=lambda delay: delay.francs)
    if late:
        who = "tous les membres" if len(late) == len(delays) else ", ".join(late)
        sentence = f"Convocation tardive pour {who}. {worst.sentence}"
    else:
        sentence = worst.sentence
    sign = ">=" if not late else "<"
    return _blocking(
        "B5",
        not late,
        sentence,
        f"{worst.francs} jour{'s' if worst.francs > 1 else ''} francs {sign} {worst.minimum}",
    )


def check_powers(fiche: Fiche) -> Finding:
    """B6: each holder of a power is present, holds one only, and gives none (L2121-20)."""
    counts = Counter(power.holder for power in fiche.powers)
    givers = {power.giver for power in fiche.powers}
    faults = [f"{holder} porte {count} pouvoirs" for holder, count in counts.items() if count > 1]
    faults += [f"{holder} n’est pas en séance" for holder in counts if holder not in fiche.presents]
    faults += [f"{holder} a donné le sien" for holder in counts if holder in givers]
    count = len(fiche.powers)
    if faults:
        sentence = f"Pouvoirs irréguliers : {' ; '.join(faults)}. Un membre présent porte un seul pouvoir."
    elif not count:
        sentence = "Aucun pouvoir n’a été donné."
    elif count == 1:
        sentence = f"Le pouvoir est porté par {fiche.powers[0].holder}, en séance."
    else:
        sentence = f"Les {count} pouvoirs sont portés par {count} membres distincts, tous en séance."
    return _blocking("B6", not faults, sentence, f"{len(counts)} mandataires distincts et présents")


def check_lists(fiche: Fiche) -> Finding:
    """B7: nobody appears twice among present, represented and absent members."""
    everyone = Counter([*fiche.presents, *(power.giver for power in fiche.powers), *fiche.absents])
    twice = [name for name, count in everyone.items() if count > 1]
    sentence = (
        f"{', '.join(twice)} : cité plusieurs fois parmi les présents, les représentés et les absents."
        if twice
        else "Personne ne figure dans deux listes."
    )
    return _blocking("B7", not twice, sentence, "aucun nom dans deux listes" if not twice else "nom en double")


def check_ballot(fiche: Fiche) -> Finding:
    """B8: the counts make the voters, and the announced result and its words follow from them (L2121-20)."""
    ballot, faults = fiche.ballot, []
    mark = f"scrutin {ballot.pour}+{ballot.contre}+{ballot.abstention}={ballot.total}"
    if ballot.mode is Mode.SANS_VOTE:
        ok = ballot.total == 0
        return _blocking(
            "B8", ok, "Le point est sans vote." if ok else "Un point sans vote ne porte pas de voix.", mark
        )
    if ballot.total != fiche.displayed.votants:
        faults.append(f"{ballot.total} voix dépouillées pour {plural(fiche.displayed.votants, 'votant')}")
    if "unanimité" in fiche.mention and not ballot.unanimous:
        faults.append("« à l’unanimité » alors que des voix sont contre ou qu’aucune n’est pour")
    if fiche.announced_result is not None and fiche.announced_result is not ballot.result:
        faults.append(
            f"résultat annoncé « {RESULT_LABELS[fiche.announced_result]} », les voix donnent "
            f"« {RESULT_LABELS[ballot.result]} »"
        )
    if faults:
        sentence = f"Le scrutin ne se tient pas : {' ; '.join(faults)}."
    else:
        sentence = (
            f"{ballot.pour} pour, {ballot.contre} contre, {plural(ballot.abstention, 'abstention')} : "
            f"les {voices(ballot.total)} des votants, "
            f"délibération {RESULT_LABELS[ballot.result]}."
        )
    return _blocking("B8", not faults, sentence, mark)


def check_number(fiche: Fiche) -> Finding:
    """B9: the number exists, is used once and can be carried by the ACTES protocol."""
    try:
        mapped = actes_number(fiche.number)
    except NumberRefused as refusal:
        return _blocking("B9", False, refusal.sentence, "numero_invalide")
    if fiche.number in fiche.taken_numbers:
        return _blocking(
            "B9", False, f"Le numéro {fiche.number} est déjà celui d’une autre délibération.", "numero_pris"
        )
    return _blocking("B9", True, f"Le numéro {fiche.number} est unique ; à la préfecture : {mapped}.", mapped)


def check_people(fiche: Fiche) -> Finding:
    """B10: the chair is in the room; the rapporteur should be (a warning only)."""
    if fiche.chair not in fiche.presents:
        return _blocking(
            "B10",
            False,
            f"{fiche.chair or 'Le président'} préside sans figurer parmi les présents.",
            "president",
        )
    if fiche.rapporteur and fiche.rapporteur not in fiche.presents:
        return Finding(
            "B10",
            "avertissement",
            False,
            f"{fiche.rapporteur}, rapporteur, ne figure pas parmi les présents.",
            "rapporteur_absent",
        )
    who = "Le président et le rapporteur sont" if fiche.rapporteur else "Le président est"
    return _blocking("B10", True, f"{who} en séance.", "rapporteur présent")


def check_opening(fiche: Fiche) -> Finding:
    """B11: the date written in letters at the head of the document is the date of the meeting."""
    read = parse_opening_date(fiche.opening)
    ok = read == fiche.meets
    if ok:
        sentence = "La date en toutes lettres est celle de la séance."
    elif read is None:
        sentence = "La formule d’ouverture ne donne pas de date en toutes lettres."
    else:
        sentence = f"La formule d’ouverture dit {date_longue(read)}, la séance est du {date_longue(fiche.meets)}."
    return _blocking("B11", ok, sentence, "date_ouverture")


def check_classification(fiche: Fiche) -> Finding:
    """B12: the nature and the subject of the act are chosen, among those in force when these are known."""
    missing = []
    if not re.fullmatch(r"[1-9]", fiche.nature):
        missing.append("la nature de l’acte")
    if not re.fullmatch(r"[1-9]\.\d{1,2}(\.\d{1,2})*", fiche.matiere):
        missing.append("la matière à deux niveaux")
    elif fiche.matieres and fiche.matiere not in fiche.matieres:
        sentence = f"La matière {fiche.matiere} n’est pas dans la classification en vigueur : choisissez-en une autre."
        return _blocking("B12", False, sentence, "classification")
    sentence = f"Il manque {' et '.join(missing)}." if missing else f"Matière {fiche.matiere} choisie."
    return _blocking("B12", not missing, sentence, "classification")


def check_secretary(fiche: Fiche) -> Finding:
    """W1: the body names a secretary at the start of the meeting, who signs since July 2022 (L2121-15)."""
    ok = bool(fiche.secretary)
    return _warning(
        "W1",
        ok,
        f"Secrétaire de séance : {fiche.secretary}."
        if ok
        else "Aucun secrétaire de séance n’est nommé (CGCT L2121-15).",
        "secretaire_absent",
    )


@dataclass(frozen=True, slots=True)
class _KnownArticle:
    subject: str
    words: str
    advice: str = "La compétence générale de l’assemblée est à l’article L2121-29."


_KNOWN_ARTICLES: dict[str, _KnownArticle] = {
    "L2121-8": _KnownArticle("le règlement intérieur", r"règlement intérieur"),
    "L2121-22": _KnownArticle("les commissions municipales", r"commission"),
    "L2121-33": _KnownArticle("la désignation de délégués", r"délégué|désign|représentant"),
    "L2122-22": _KnownArticle("les délégations du conseil au maire", r"délégation|décisions? d[ue]"),
    "L2123-20": _KnownArticle("les indemnités de fonction", r"indemnité"),
    "L2311-7": _KnownArticle("les subventions", r"subvention"),
    "L1411-1": _KnownArticle("les délégations de service public", r"délégation de service|concession"),
    "L5211-4-2": _KnownArticle("les services communs", r"service|mutualis|convention"),
}


def check_visas(fiche: Fiche) -> Finding:
    """W2: a well-known article cited as a legal basis concerns the matter of the deliberation."""
    for visa in fiche.visas:
        for article in _articles_of(visa):
            known = _KNOWN_ARTICLES.get(article)
            if known and not re.search(known.words, fiche.objet, re.IGNORECASE):
                sentence = (
                    f"L’article {article} visé concerne {known.subject}, non l’objet de la délibération. {known.advice}"
                )
                return _warning("W2", False, sentence, f"visa_{article}_non_pertinent")
    return _warning("W2", True, "Les articles visés ont trait à l’objet.", "visas")


def check_amounts(fiche: Fiche) -> Finding:
    """W3: the amounts quoted in the text are found in the annexed documents."""
    annexed = {amount.value for amount in fiche.annexed_amounts}
    by_label = {amount.label: amount.value for amount in fiche.annexed_amounts if amount.label}
    gaps = [amount for amount in fiche.quoted_amounts if amount.value not in annexed]
    if not annexed or not gaps:
        return _warning("W3", True, "Les montants cités concordent avec les annexes.", "montants")
    spelled = [
        f"{euros(gap.value)} au lieu de {euros(by_label[gap.label])}" if gap.label in by_label else euros(gap.value)
        for gap in gaps
    ]
    sentence = f"Montants du texte absents des annexes : {', '.join(spelled)}."
    return _warning("W3", False, sentence, "montants_annexe_divergents")


_PLACEHOLDER = re.compile(
    r"\s(?:\.{3,}|…)\s*(?=\d|$)|\b[lL][ea]\s+(?:\.{3,}|…)|:\s*(?:\.{3,}|…)|\.{5,}|\bX{2,}\b|_{4,}"
)


def check_placeholders(fiche: Fiche) -> Finding:
    """W4: no blank is left to fill ("le .....", "XX") in the text or its annexes."""
    places = [place for place, text in fiche.texts.items() if placeholder_in(text)]
    if not places:
        return _warning("W4", True, "Aucun passage n’est resté à compléter.", "mentions")
    quoted = " ; ".join(f"{place} : « {placeholder_in(fiche.texts[place])} »" for place in places)
    mark = "mention_publication_incomplete" if "mention de publication" in places else "mention_incomplete"
    return _warning("W4", False, f"Passage resté à compléter dans {quoted}.", mark)


def check_mode(fiche: Fiche) -> Finding:
    """W5: the way the body voted is stated."""
    ok = fiche.ballot.mode is not Mode.NON_PRECISE
    return _warning(
        "W5",
        ok,
        "Le mode de scrutin est indiqué."
        if ok
        else "Le mode de scrutin n’est pas précisé : main levée, public ou secret.",
        "mode_scrutin_non_precise",
    )


def check_appeal(fiche: Fiche) -> Finding:
    """W6: the document tells before which court and until when it may be contested."""
    text = fiche.appeal_mention.lower()
    ok = "recours" in text and "tribunal administratif" in text and bool(re.search(r"deux|\b2\b", text))
    return _warning(
        "W6",
        ok,
        "Les voies et délais de recours sont indiqués."
        if ok
        else "Les voies et délais de recours ne sont pas indiqués.",
        "mention_recours",
    )


def check_chronology(fiche: Fiche) -> Finding:
    """W7: the meeting comes first, then the deposit at the prefecture, then the publication (L2131-1)."""
    faults = []
    if fiche.deposited and fiche.deposited < fiche.meets:
        faults.append(
            f"dépôt en préfecture le {date_longue(fiche.deposited)}, avant la séance du {date_longue(fiche.meets)}"
        )
    if fiche.published and fiche.published < (fiche.deposited or fiche.meets):
        faults.append(
            f"publication le {date_longue(fiche.published)}, avant "
            f"{'le dépôt en préfecture' if fiche.deposited else 'la séance'}"
        )
    sentence = f"Dates dans le désordre : {' ; '.join(faults)}." if faults else "Les dates se suivent dans l’ordre."
    return _warning("W7", not faults, sentence, "chronologie")


_ANNOUNCED_ANNEX = re.compile(r"ci-annexée?s?|ci-jointe?s?|en annexe|annexée?s? (?:à|au) (?:la )?présent", re.I)


def check_annexes(fiche: Fiche) -> Finding:
    """W8: an annex announced in the text is attached."""
    announced = any(_ANNOUNCED_ANNEX.search(text) for place, text in fiche.texts.items() if "annexe" not in place)
    ok = fiche.annexes > 0 or not announced
    return _warning(
        "W8",
        ok,
        "Les annexes annoncées sont jointes." if ok else "Le texte annonce une annexe, mais aucune n’est jointe.",
        "annexe_manquante",
    )


_PERSONAL: dict[str, re.Pattern[str]] = {
    "un IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){4,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "une date de naissance": re.compile(r"\bnée?\s+le\s+\d", re.I),
    "une adresse de domicile": re.compile(r"\b(?:domiciliée?|demeurant)\b", re.I),
    "un numéro de téléphone": re.compile(r"\b0[1-9](?:[ .]?\d{2}){4}\b"),
    "une aide sociale nominative": re.compile(r"\b(?:secours|aide sociale)\b[^.]{0,60}\b(?:M\.|Mme|Monsieur|Madame)\s"),
}


def check_personal_data(fiche: Fiche) -> Finding:
    """W9: nothing in the text must be hidden before publication (IBAN, birth date, home address…)."""
    found = [what for what, pattern in _PERSONAL.items() if any(map(pattern.search, fiche.texts.values()))]
    sentence = (
        f"À occulter avant la publication : {', '.join(found)}."
        if found
        else "Aucune donnée personnelle à occulter n’a été repérée."
    )
    return _warning("W9", not found, sentence, "donnees_personnelles")


CHECKS: tuple[Callable[[Fiche], Finding], ...] = (
    check_sum,
    check_displayed,
    check_votants,
    check_quorum,
    check_delay,
    check_powers,
    check_lists,
    check_ballot,
    check_number,
    check_people,
    check_opening,
    check_classification,
    check_secretary,
    check_visas,
    check_amounts,
    check_placeholders,
    check_mode,
    check_appeal,
    check_chronology,
    check_annexes,
    check_personal_data,
)


def run_checks(fiche: Fiche) -> tuple[Finding, ...]:
    """Return the verdict of every check, in order: B1 to B12, then W1 to W9."""
    return tuple(check(fiche) for check in CHECKS)


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that forbid the signature."""
    return tuple(f for f in findings if f.severity == "bloquant" and not f.ok)


_EUROS = re.compile(r"(\d{1,3}(?:[\s\u00a0\u202f.]\d{3})+|\d+)(?:,(\d{1,2}))?[\s\u00a0\u202f]*(?:€|euros?\b)")


def amounts_in(text: str) -> tuple[Amount, ...]:
    """Return the sums in euros quoted in a French text ("1 234,56 €", "193,47€", "50 euros"), without
    repeats."""
    values: dict[Decimal, None] = {}
    for whole, cents in _EUROS.findall(text):
        values[Decimal(re.sub(r"\D", "", whole) + "." + (cents or "0")).quantize(Decimal("0.01"))] = None
    return tuple(Amount("", value) for value in values)


def placeholder_in(text: str) -> str:
    """Return the passage around the first blank left to fill, or an empty string."""
    found = _PLACEHOLDER.search(text)
    if not found:
        return ""
    start = max(0, found.start() - 30)
    return re.sub(r"\s+", " ", text[start : found.end() + 18]).strip()


def euros(value: Decimal) -> str:
    """Return "1 234,56 €" with non-breaking spaces."""
    whole, cents = f"{value:,.2f}".split(".")
    return f"{whole.replace(',', chr(0x202F))},{cents}\u00a0€"


def _articles_of(visa: str) -> list[str]:
    return [f"{letter}{number}" for letter, number in re.findall(r"\b([LRD])\.?\s*(\d{3,4}(?:-\d+)*)", visa)]


def _blocking(code: str, ok: bool, sentence: str, mark: str) -> Finding:
    return Finding(code, "bloquant", ok, sentence, mark)


def _warning(code: str, ok: bool, sentence: str, mark: str) -> Finding:
    return Finding(code, "avertissement", ok, sentence, mark)
