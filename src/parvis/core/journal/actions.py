"""French names of the journal's events: each package registers those that it records."""

from collections.abc import Callable
from dataclasses import dataclass

_LABELS: dict[str, str] = {}
Precision = Callable[[dict[str, object]], str]
_PRECISIONS: dict[str, Precision] = {}


@dataclass(frozen=True)
class Subject:
    """A kind of object that events are about; ``url_name`` is its page, reversed with ``pk``."""

    kind: str
    label: str
    url_name: str = ""


_SUBJECTS: dict[str, Subject] = {}


def register_action(code: str, label: str) -> None:
    """Give the event ``code`` ("actes.transmis") its sentence for timelines ("Transmise à la préfecture")."""
    if _LABELS.get(code, label) != label:
        raise ValueError(f"{code} is already called « {_LABELS[code]} »")
    _LABELS[code] = label


def register_precision(code: str, precision: Precision) -> None:
    """Say how the details of the event ``code`` complete its sentence; "" adds nothing."""
    _PRECISIONS[code] = precision


def label_of(code: str, details: dict[str, object] | None = None) -> str:
    """French sentence of an event, completed by its details; the code itself when its package is absent."""
    precision = _PRECISIONS[code](details) if details and code in _PRECISIONS else ""
    label = _LABELS.get(code, code)
    return f"{label} : {precision}" if precision else label


def register_subject(kind: str, label: str, url_name: str = "") -> None:
    """Give the object kind ("acte") its French name and the name of its page ("actes:detail")."""
    _SUBJECTS[kind] = Subject(kind, label, url_name)


def subject(kind: str) -> Subject:
    """What is known of a kind of object; the kind itself when its package is not installed."""
    return _SUBJECTS.get(kind, Subject(kind, kind))


def registered() -> dict[str, str]:
    """All the names, by code."""
    return dict(sorted(_LABELS.items()))


register_action("journal.scelle", "Journal scellé et horodaté")
register_action("cheminement.ouvert", "Cheminement ouvert")
register_action("cheminement.evenement", "Événement annoncé aux services du cheminement")
register_action("cheminement.etape_faite", "Étape franchie")
register_action("documents.depose", "Document déposé")
register_action("documents.publie", "Document rendu public")
register_action("cheminement.etape_echouee", "Étape en échec")
register_action("cheminement.etape_relancee", "Étape relancée")
register_action("cheminement.interrompu", "Cheminement interrompu")
register_subject("route", "Cheminement")
register_subject("document", "Document", "documents:download")
register_subject("seal", "Scellement du journal")
