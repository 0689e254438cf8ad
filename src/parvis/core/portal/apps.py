"""Registers the package: its pages, what it journals, what may be searched."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "parvis.core.portal"
    label = "portal"
    verbose_name = "Portail"

    def ready(self) -> None:
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.portal.help import find_help
        from parvis.core.portal.searching import find_organisations, find_people
        from parvis.core.routing.searching import find_routes
        from parvis.core.web import navigation, searching

        navigation.register_administration("announcements", "Annonces", "announcements:list", rank=35)
        navigation.register_platform_page("hosts", "Noms de domaine", "portal:hosts", rank=40)
        searching.register("dossiers", "Dossiers", find_routes, rank=10)
        searching.register("personnes", "Personnes", find_people, rank=20)
        searching.register("organisations", "Organisations", find_organisations, rank=50)
        searching.register("aide", "Aide", find_help, rank=60)
        for code, label in (
            ("annonce.redigee", "Annonce rédigée"),
            ("annonce.modifiee", "Annonce modifiée"),
            ("annonce.retiree", "Annonce retirée"),
            ("hote.ajoute", "Nom de domaine ajouté"),
            ("hote.retire", "Nom de domaine retiré"),
        ):
            register_action(code, label)
        register_subject("annonce", "Annonce")
        register_subject("hote", "Nom de domaine")
