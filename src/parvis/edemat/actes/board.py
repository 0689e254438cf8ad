"""Reads of the tracking board and of the public register of acts: filters, facets, rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.postgres.search import SearchQuery
from django.db.models import Count, Q, QuerySet

from parvis.core.organisations.models import Organisation
from parvis.edemat.actes.enums import Nature, Status
from parvis.edemat.actes.models import ACKNOWLEDGED, Acte, Publication

SITUATIONS = {
    "a_transmettre": "À transmettre",
    "en_cours": "En cours de transmission",
    "acquittes": "Acquittés",
    "a_publier": "À publier",
    "publies": "Publiés",
    "erreur": "En erreur",
    "annules": "Annulés",
}

MATIERES = {
    "1": "Commande publique",
    "2": "Urbanisme",
    "3": "Domaine et patrimoine",
    "4": "Fonction publique",
    "5": "Institutions et vie politique",
    "6": "Libertés publiques et pouvoirs de police",
    "7": "Finances locales",
    "8": "Domaines de compétences par thèmes",
    "9": "Autres domaines de compétences",
}
"""First level of the national nomenclature of matières."""


MAX_TEXT = 200


def _situation(code: str) -> Q:
    match code:
        case "a_transmettre":
            return Q(status__in=[Status.A_POSTER, Status.A_SIGNER])
        case "en_cours":
            return Q(status__in=[Status.POSTE, Status.EN_ATTENTE, Status.TRANSMIS])
        case "acquittes":
            return Q(status__in=ACKNOWLEDGED)
        case "a_publier":
            return Q(status__in=ACKNOWLEDGED, published_on__isnull=True, notified_on__isnull=True)
        case "publies":
            return Q(published_on__isnull=False)
        case "erreur":
            return Q(status=Status.ERREUR)
        case "annules":
            return Q(status=Status.ANNULE)
    return Q()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _matiere(code: str) -> Q:
    return Q(matiere=code) | Q(matiere__startswith=f"{code}.") if code else Q()


@dataclass(frozen=True)
class Filters:
    """What the person asked of a list; a value that makes no sense is as if it were not there."""

    situation: str = ""
    nature: str = ""
    matiere: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""
    seance: date | None = None
    too_long: int = 0
    """Length of a text that is refused: nothing is looked for, and the page says the limit."""

    @property
    def refusal(self) -> str:
        """Why nothing was looked for; "" when it was."""
        if not self.too_long:
            return ""
        length = f"{self.too_long:_}".replace("_", "\u202f")
        return (
            f"La recherche tient en {MAX_TEXT} caractères, la vôtre en compte {length} : gardez les mots qui comptent."
        )

    @classmethod
    def read(cls, query: Mapping[str, Any]) -> "Filters":
        """From the keys etat, nature, matiere, du, au, q and seance of an address."""

        def known(key: str, values: Any) -> str:
            return value if (value := query.get(key, "")) in values else ""

        return cls(
            situation=known("etat", SITUATIONS),
            nature=known("nature", Nature.values),
            matiere=known("matiere", MATIERES),
            since=_day(query.get("du", "")),
            until=_day(query.get("au", "")),
            text=(text := query.get("q", "").replace("\x00", "").strip())[:MAX_TEXT],
            too_long=len(text) if len(text) > MAX_TEXT else 0,
            seance=_day(query.get("seance", "")),
        )

    @property
    def query(self) -> str:
        """The same filters as a query string, to go from page to page and to the exports."""
        values = {
            "etat": self.situation,
            "nature": self.nature,
            "matiere": self.matiere,
            "du": self.since and self.since.isoformat(),
            "au": self.until and self.until.isoformat(),
            "q": self.text,
            "seance": self.seance and self.seance.isoformat(),
        }
        return urlencode({key: value for key, value in values.items() if value})

    def with_(self, **changes: str) -> str:
        """The address of the same list with one filter changed (an empty value removes it)."""
        values = dict(parse_qsl(self.query)) | changes
        return "?" + urlencode({key: value for key, value in values.items() if value})


@dataclass(frozen=True)
class Situation:
    """Where an act stands, as the board says it and as its exports do."""

    label: str
    kind: str = ""
    dot: bool = False


SENDING = Situation("Envoi en cours", "info")
BEFORE_RECEIPT = {
    Status.ERREUR: Situation("En erreur", "danger", dot=True),
    Status.ANNULE: Situation("Annulé"),
    Status.A_POSTER: Situation("À transmettre", "accent"),
    Status.A_SIGNER: Situation("À signer"),
    Status.POSTE: SENDING,
    Status.EN_ATTENTE: SENDING,
    Status.TRANSMIS: Situation("Transmis", "info"),
}


def situation_of(acte: Acte) -> Situation:
    """The state of ``acte`` in one word, for a list."""
    if before := BEFORE_RECEIPT.get(Status(acte.status)):
        return before
    if acte.published_on:
        return Situation("Publié", "ok")
    if acte.notified_on:
        return Situation("Notifié", "ok")
    if acte.received_on:
        return Situation("À notifier" if acte.nature == Nature.INDIVIDUEL else "À publier", "accent")
    return Situation(acte.get_status_display())


def acts(organisation: Organisation, filters: Filters) -> QuerySet[Acte]:
    """The acts of one organisation that answer ``filters``, unsorted."""
    rows = Acte.objects.filter(_situation(filters.situation), _matiere(filters.matiere), organisation=organisation)
    if filters.too_long:
        return rows.none()
    if filters.nature:
        rows = rows.filter(nature=filters.nature)
    if filters.since:
        rows = rows.filter(decision_date__gte=filters.since)
    if filters.until:
        rows = rows.filter(decision_date__lte=filters.until)
    if filters.text:
        rows = rows.filter(
            Q(objet__icontains=filters.text)
            | Q(numero__icontains=filters.text)
            | Q(numero_actes__iexact=filters.text)
            | Q(unique_id__iexact=filters.text)
        )
    return rows


def published(organisation: Organisation, filters: Filters) -> QuerySet[Publication]:
    """The acts that one organisation has online and that answer ``filters``, unsorted."""
    rows = Publication.objects.online().filter(_matiere(filters.matiere), organisation=organisation)
    if filters.too_long:
        return rows.none()
    if filters.nature:
        rows = rows.filter(nature=filters.nature)
    if filters.seance:
        rows = rows.filter(nature=Nature.DELIBERATION, decision_date=filters.seance)
    if filters.since:
        rows = rows.filter(published_on__gte=filters.since)
    if filters.until:
        rows = rows.filter(published_on__lte=filters.until)
    if filters.text:
        words = SearchQuery(filters.text, config="french", search_type="websearch")
        rows = rows.filter(Q(search=words) | Q(numero__iexact=filters.text) | Q(unique_id__iexact=filters.text))
    return rows


@dataclass(frozen=True)
class Choice:
    """One value of a facet: where it leads, how many acts it holds, whether it is the present filter."""

    label: Any
    count: int
    url: str
    chosen: bool


def facets(organisation: Organisation, filters: Filters) -> dict[str, list[Choice]]:
    """Nature, matière and séance of the published acts that hold the words looked for, without the other filters."""
    online = published(organisation, Filters(text=filters.text, too_long=filters.too_long))
    natures = online.values("nature").annotate(number=Count("pk")).order_by("nature")
    matters: dict[str, int] = {}
    for row in online.values("matiere").annotate(number=Count("pk")).order_by():
        top = row["matiere"].partition(".")[0]
        matters[top] = matters.get(top, 0) + row["number"]
    meetings = (
        online.filter(nature=Nature.DELIBERATION)
        .values("decision_date")
        .annotate(number=Count("pk"))
        .order_by("-decision_date")[:8]
    )
    labels = dict(Nature.choices)
    return {
        "natures": [
            _choice(filters, "nature", labels[r["nature"]], r["number"], r["nature"], filters.nature) for r in natures
        ],
        "matieres": [
            _choice(filters, "matiere", MATIERES[code], number, code, filters.matiere)
            for code, number in sorted(matters.items(), key=lambda item: (-item[1], item[0]))
            if code in MATIERES
        ],
        "seances": [
            _choice(
                filters,
                "seance",
                r["decision_date"],
                r["number"],
                r["decision_date"].isoformat(),
                filters.seance.isoformat() if filters.seance else "",
            )
            for r in meetings
        ],
    }


def _choice(filters: Filters, key: str, label: Any, number: int, value: str, present: str) -> Choice:
    chosen = value == present
    return Choice(label, number, filters.with_(**{key: "" if chosen else value}), chosen)
