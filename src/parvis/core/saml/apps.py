"""Registers the package with Django."""

from django.apps import AppConfig


class SamlConfig(AppConfig):
    name = "parvis.core.saml"
    label = "saml"

    def ready(self) -> None:
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.web import navigation

        register_subject("service_saml", "Service SAML")
        register_action("saml.propose", "Service SAML proposé")
        register_action("saml.renouvele", "Métadonnées du service SAML remplacées")
        register_action("saml.en_service", "Service SAML mis en service")
        register_action("saml.suspendu", "Service SAML suspendu")
        navigation.register_administration("saml", "Services SAML", "saml_sites:list", rank=75)
        navigation.register_platform_page("saml", "Services SAML", "saml_platform:list", rank=75)
