"""Registers the package with Django."""

from django.apps import AppConfig


class SamlConfig(AppConfig):
    name = "parvis.core.saml"
    label = "saml"

    def ready(self) -> None:
        from parvis.core.authentication.departures import register_departure
        from parvis.core.identity import closing, contributions
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.provider.services import register_linked
        from parvis.core.saml import leaving
        from parvis.core.web import navigation

        register_departure("saml", leaving.departures, rank=90)
        register_linked(leaving.linked_to)
        contributions.register("services_saml", "Accords donnés à des services SAML", leaving.export, rank=61)
        closing.register_eraser("accords donnés à des services SAML", leaving.erase)
        register_subject("service_saml", "Service SAML")
        register_action("saml.propose", "Service SAML proposé")
        register_action("saml.modifie", "Modification d’un service SAML proposée")
        register_action("saml.renouvele", "Métadonnées du service SAML remplacées")  # in older journals
        register_action("saml.refuse", "Proposition d’un service SAML refusée")
        register_action("saml.en_service", "Service SAML mis en service")
        register_action("saml.suspendu", "Service SAML suspendu")
        register_action("saml.reactive", "Service SAML remis en service")
        navigation.register_administration("saml", "Services SAML", "saml_sites:list", rank=75)
        navigation.register_platform_page("saml", "Services SAML", "saml_platform:list", rank=75)
