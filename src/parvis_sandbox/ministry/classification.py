"""The nomenclature that the simulated préfecture gives: two national levels of matières, piece types by
nature."""

from xml.sax.saxutils import quoteattr

DEFAULT_DATE = "2019-04-18"

MATIERES = {
    "1 Commande publique": (
        "Marchés publics",
        "Délégation de service public",
        "Conventions de mandat",
        "Autres types de contrats",
        "Transactions et protocoles transactionnels",
        "Actes relatifs à la maîtrise d'œuvre",
        "Actes spéciaux et divers",
    ),
    "2 Urbanisme": (
        "Documents d'urbanisme",
        ("Droit d'occupation ou d'utilisation des sols"),
        "Droit de préemption urbain",
    ),
    "3 Domaine et patrimoine": (
        "Acquisitions",
        "Aliénations",
        "Locations",
        "Limites territoriales",
        "Gestion du domaine public",
        "Gestion du domaine privé",
    ),
    "4 Fonction publique": (
        "Personnels titulaires et stagiaires",
        "Personnels contractuels",
        "Fonction publique hospitalière",
        "Autres catégories de personnels",
        "Régime indemnitaire",
    ),
    "5 Institutions et vie politique": (
        "Élection de l'exécutif",
        "Fonctionnement des assemblées",
        "Désignation de représentants",
        "Délégation de fonctions",
        "Délégation de signature",
        "Exercice des mandats locaux",
        "Intercommunalité",
        "Décision d'ester en justice",
    ),
    "6 Libertés publiques et pouvoirs de police": (
        "Police municipale",
        ("Pouvoirs du président du conseil départemental"),
        "Pouvoirs du président du conseil régional",
        "Autres actes réglementaires",
        "Actes pris au nom de l'État",
    ),
    "7 Finances locales": (
        "Décisions budgétaires",
        "Fiscalité",
        "Emprunts",
        "Interventions économiques",
        "Subventions",
        "Contributions budgétaires",
        "Avances",
        "Fonds de concours",
        "Prises de participation",
        "Divers",
    ),
    "8 Domaines de compétences par thèmes": (
        "Enseignement",
        "Aide sociale",
        "Voirie",
        "Aménagement du territoire",
        "Ville, habitat, logement",
        "Emploi et formation professionnelle",
        "Transports",
        "Environnement",
        "Culture",
    ),
    "9 Autres domaines de compétences": (
        "Communes",
        "Départements",
        "Régions",
        "Vœux et motions",
    ),
}

NATURES = {
    ("1", "DE", "Délibérations"): {
        "99_DE": "Délibération",
        "70_DE": "Délibération budgétaire",
        "31_DE": "Autorisation d'acquérir",
        "31_DP": "Documents précontractuels",
        "23_DE": "Exercice du droit de préemption",
        "23_IA": "Déclaration d'intention d'aliéner",
        "21_RP": "Rapport de présentation",
        "21_DE": "Prescription",
        "42_AC": "Avenant au contrat",
        "42_DE": "Délibération de personnel",
        "99_SE": "Signature électronique",
    },
    ("2", "AR", "Actes réglementaires"): {
        "99_AR": "Acte réglementaire",
        "21_EP": "Enquête publique",
        "21_RP": "Rapport de présentation",
        "99_SE": "Signature électronique",
    },
    ("3", "AI", "Actes individuels"): {"99_AI": "Acte individuel", "99_SE": "Signature électronique"},
    ("4", "CC", "Contrats, conventions et avenants"): {
        "99_DC": "Document contractuel",
        "10_AV": "Avenant au contrat",
        "10_DE": "Autorisation de contracter",
        "99_SE": "Signature électronique",
    },
    ("5", "BF", "Documents budgétaires et financiers"): {
        "99_BU": "Document budgétaire",
        "70_DE": "Délibération",
        "99_SE": "Signature électronique",
    },
    ("6", "AU", "Autres"): {"99_AU": "Autre document", "99_SE": "Signature électronique"},
}


def matiere_codes() -> set[str]:
    """Codes that an act may use: two levels."""
    return {f"{top.split()[0]}.{n}" for top, labels in MATIERES.items() for n in range(1, len(labels) + 1)}


def piece_codes(nature: str) -> set[str]:
    return next((set(pieces) for (code, _, _), pieces in NATURES.items() if code == nature), set())


def content(date: str) -> str:
    """Children of RetourClassification for the classification of ``date`` (AAAA-MM-JJ)."""
    natures = "".join(
        f"<actes:NatureActe actes:CodeNatureActe={quoteattr(code)} actes:Libelle={quoteattr(label)}"
        f" actes:TypeAbrege={quoteattr(letters)}>"
        + "".join(
            f"<actes:TypePJNatureActe actes:CodeTypePJ={quoteattr(piece)} actes:Libelle={quoteattr(name)}/>"
            for piece, name in pieces.items()
        )
        + "</actes:NatureActe>"
        for (code, letters, label), pieces in NATURES.items()
    )
    matieres = "".join(
        f"<actes:Matiere1 actes:CodeMatiere={quoteattr(top.split()[0])} actes:Libelle={quoteattr(top[2:])}>"
        + "".join(
            f'<actes:Matiere2 actes:CodeMatiere="{n}" actes:Libelle={quoteattr(label)}/>'
            for n, label in enumerate(labels, start=1)
        )
        + "</actes:Matiere1>"
        for top, labels in MATIERES.items()
    )
    return (
        f"<actes:DateClassification>{date}</actes:DateClassification>"
        f"<actes:NaturesActes>{natures}</actes:NaturesActes><actes:Matieres>{matieres}</actes:Matieres>"
    )
