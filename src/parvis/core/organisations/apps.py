"""Registers the package: pages of the administration and of the platform, names of what the journal keeps."""

from django.apps import AppConfig

ADMINISTRATION = (
    ("people", "Personnes", "organisations:people", 40, "habilitations.lire"),
    ("roles", "Rôles", "organisations:roles", 50, "habilitations.lire"),
    ("departments", "Services", "organisations:departments", 60, "administration.organisation"),
    ("reviews", "Revues", "organisations:reviews", 70, "habilitations.lire"),
    ("login_rules", "Connexion", "organisations:login_rules", 75, "administration.organisation"),
)
ACTIONS = {
    "organisation.presentee": "Présentation de l’organisation modifiée",
    "organisation.couleurs": "Couleurs de l’organisation modifiées",
    "organisation.connexion": "Règles de connexion modifiées",
    "organisation.creee": "Organisation créée",
    "organisation.identite": "Identité légale modifiée par la plateforme",
    "adhesion.ouverte": "Application ouverte à l’organisation",
    "adhesion.modifiee": "Fin d’adhésion modifiée",
    "mandat.ouvert": "Mandat ouvert",
    "mandat.modifie": "Mandat modifié",
    "mandat.clos": "Mandat terminé",
    "mandat.suspendu": "Mandat suspendu",
    "mandat.retabli": "Mandat rétabli",
    "role.cree": "Rôle créé",
    "role.modifie": "Rôle modifié",
    "role.supprime": "Rôle supprimé",
    "service.enregistre": "Service enregistré",
    "service.supprime": "Service supprimé",
    "invitation.envoyee": "Invitation envoyée",
    "invitation.proposee": "Rétablissement de l’administration proposé par la plateforme",
    "invitation.approuvee": "Rétablissement de l’administration approuvé par un second exploitant",
    "invitation.renvoyee": "Invitation renvoyée",
    "invitation.retiree": "Invitation retirée",
    "invitation.acceptee": "Invitation acceptée",
    "import.depose": "Fichier de personnes déposé",
    "import.confirme": "Import de personnes confirmé",
    "import.abandonne": "Import de personnes abandonné",
    "import.termine": "Import de personnes terminé",
    "revue.ouverte": "Revue des habilitations ouverte",
    "revue.decidee": "Habilitation revue",
    "revue.close": "Revue des habilitations close",
}
SUBJECTS = {
    "organisation": "Organisation",
    "mandat": "Mandat",
    "role": "Rôle",
    "service": "Service",
    "invitation": "Invitation",
    "import": "Import de personnes",
    "revue": "Revue des habilitations",
}


class OrganisationsConfig(AppConfig):
    name = "parvis.core.organisations"
    label = "organisations"
    verbose_name = "Organisations"

    def ready(self) -> None:
        from parvis.core.documents.holders import hold
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.web import navigation

        navigation.register_administration("overview", "Vue d’ensemble", "organisations:settings", rank=10)
        navigation.register_administration("identity", "Identité", "organisations:identity", rank=20)
        for code, label, url_name, rank, permission in ADMINISTRATION:
            navigation.register_administration(code, label, url_name, rank=rank, permission=permission)
        navigation.register(
            "personnes", "Personnes", "organisations:people", "habilitations.lire", group=navigation.FOOT, rank=890
        )
        navigation.register_platform_page("organisations", "Organisations", "platform:organisations", rank=10)
        navigation.register_platform_page("operators", "Exploitants", "platform:operators", rank=20)
        hold("organisations.Review", "document", permission="habilitations.lire")

        for code, label in ACTIONS.items():
            register_action(code, label)
        for kind, label in SUBJECTS.items():
            register_subject(kind, label)
