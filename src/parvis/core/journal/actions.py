"""French names of the journal's events: each package registers those that it records."""

_LABELS: dict[str, str] = {}


def register_action(code: str, label: str) -> None:
    """Give the event ``code`` ("actes.transmis") its sentence for timelines ("Transmise à la préfecture")."""
    if _LABELS.get(code, label) != label:
        raise ValueError(f"{code} is already called « {_LABELS[code]} »")
    _LABELS[code] = label


def label_of(code: str) -> str:
    """French sentence of an event; the code itself when its package is not installed."""
    return _LABELS.get(code, code)


def registered() -> dict[str, str]:
    """All the names, by code."""
    return dict(sorted(_LABELS.items()))


register_action("journal.scelle", "Journal scellé et horodaté")
register_action("cheminement.ouvert", "Cheminement ouvert")
register_action("cheminement.etape_faite", "Étape franchie")
register_action("documents.depose", "Document déposé")
register_action("documents.publie", "Document rendu public")
