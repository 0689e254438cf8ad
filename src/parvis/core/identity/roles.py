"""Roles as named sets of permissions: what a mandate of each role lets its holder do in its organisation."""

READING = frozenset(
    {
        "actes.lire",
        "archives.lire",
        "documents.lire",
        "journal.lire",
        "opendata.lire",
        "parapheur.lire",
        "seances.lire",
    }
)

ROLES: dict[str, tuple[str, frozenset[str]]] = {
    "secretaire": (
        "Secrétariat général",
        READING
        | {
            "seances.gerer",
            "parapheur.preparer",
            "actes.preparer",
            "actes.transmettre",
            "actes.publier",
            "archives.verser",
            "opendata.publier",
        },
    ),
    "dgs": ("Direction générale des services", READING | {"parapheur.viser", "seances.gerer", "actes.publier"}),
    "maire": (
        "Maire ou président",
        READING | {"parapheur.signer", "parapheur.viser", "seances.presider", "seances.sieger"},
    ),
    "elu": ("Élu", frozenset({"seances.sieger", "seances.lire", "documents.lire"})),
    "archiviste": (
        "Archiviste",
        frozenset({"archives.lire", "archives.verser", "actes.lire", "documents.lire", "journal.lire"}),
    ),
    "administrateur": (
        "Administration de l’organisation",
        READING | {"administration.organisation", "administration.taches", "actes.banette"},
    ),
    "lecteur": ("Consultation", READING),
}

ROLE_CHOICES = [(code, label) for code, (label, _) in ROLES.items()]


def permissions_of(role: str) -> frozenset[str]:
    """Permissions that ``role`` gives; an unknown role gives none."""
    return ROLES[role][1] if role in ROLES else frozenset()
