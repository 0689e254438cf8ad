"""Roles as named sets of permissions, and the French name of every permission, by application.

The roles below exist in every organisation; an organisation composes others from the same permissions
(``organisations.models.Role``). The permissions of the administration (``RESERVED``) are given only by somebody
who holds them.
"""

from typing import Final

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
            "seances.administrer",
            "parapheur.preparer",
            "actes.preparer",
            "actes.transmettre",
            "actes.publier",
            "archives.verser",
            "opendata.publier",
        },
    ),
    "dgs": (
        "Direction générale des services",
        READING | {"parapheur.viser", "seances.gerer", "seances.administrer", "actes.publier"},
    ),
    "maire": (
        "Maire ou président",
        READING | {"parapheur.signer", "parapheur.viser", "seances.sieger"},
    ),
    "elu": ("Élu", frozenset({"seances.sieger", "seances.lire", "documents.lire"})),
    "archiviste": (
        "Archiviste",
        frozenset({"archives.lire", "archives.verser", "actes.lire", "documents.lire", "journal.lire"}),
    ),
    "administrateur": (
        "Administration de l’organisation",
        READING
        | {
            "administration.organisation",
            "administration.personnes",
            "administration.taches",
            "habilitations.lire",
            "seances.administrer",
            "actes.banette",
        },
    ),
    "chef_service": ("Responsable de service", READING | {"administration.personnes", "habilitations.lire"}),
    "dpo": (
        "Délégué à la protection des données",
        frozenset({"habilitations.lire", "journal.lire", "documents.lire"}),
    ),
    "lecteur": ("Consultation", READING),
}

ROLE_CHOICES = [(code, label) for code, (label, _) in ROLES.items()]

# Application, subject, then each permission with what it lets its holder do.
PERMISSIONS: Final[dict[str, dict[str, str]]] = {
    "Administration électronique : séances": {
        "seances.lire": "Consulter les séances et leurs dossiers",
        "seances.gerer": "Préparer, convoquer et tenir les séances",
        "seances.administrer": "Tenir les assemblées et le tableau de leurs membres",
        "seances.sieger": "Siéger, donner pouvoir",
    },
    "Administration électronique : parapheur": {
        "parapheur.lire": "Consulter les dossiers à signer",
        "parapheur.preparer": "Préparer et envoyer un dossier à signer",
        "parapheur.viser": "Viser",
        "parapheur.signer": "Signer",
    },
    "Administration électronique : actes": {
        "actes.lire": "Consulter les actes",
        "actes.preparer": "Préparer un acte",
        "actes.transmettre": "Transmettre à la préfecture",
        "actes.publier": "Publier et retirer un acte",
        "actes.banette": "Traiter les messages non rattachés",
    },
    "Administration électronique : archives": {
        "archives.lire": "Consulter les archives",
        "archives.verser": "Verser aux archives",
    },
    "Données ouvertes": {
        "opendata.lire": "Consulter les jeux de données",
        "opendata.publier": "Publier et retirer un jeu de données",
    },
    "Commun": {
        "documents.lire": "Ouvrir les documents de ses services",
        "journal.lire": "Lire le journal",
        "habilitations.lire": "Lire les rôles, leurs titulaires et les revues",
    },
    "Administration": {
        "administration.organisation": "Administrer l’organisation",
        "administration.personnes": "Administrer les personnes (celles de son service, pour un responsable)",
        "administration.taches": "Suivre et relancer les travaux automatiques",
    },
}

RESERVED: Final = ("administration.", "habilitations.")


def permissions_of(role: str) -> frozenset[str]:
    """Permissions that the predefined ``role`` gives; an unknown role gives none."""
    return ROLES[role][1] if role in ROLES else frozenset()


def label_of(role: str) -> str:
    """French name of a predefined role; its code when it no longer exists."""
    return ROLES[role][0] if role in ROLES else role


def name_of(permission: str) -> str:
    """What ``permission`` lets its holder do, in French; its code when no package names it."""
    return next((names[permission] for names in PERMISSIONS.values() if permission in names), permission)


def reserved(permissions: frozenset[str]) -> frozenset[str]:
    """Those of ``permissions`` that only their holder gives."""
    return frozenset(p for p in permissions if p.startswith(RESERVED))


def all_permissions() -> frozenset[str]:
    """Every permission that a role may hold."""
    return frozenset(code for names in PERMISSIONS.values() for code in names)


def register_permissions(group: str, names: dict[str, str]) -> None:
    """Name the permissions of a package, from its ``AppConfig.ready``: organisations compose roles with them."""
    PERMISSIONS.setdefault(group, {}).update(names)
