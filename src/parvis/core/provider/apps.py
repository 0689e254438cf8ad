"""Registers the package with Django: its pages, its journal actions, and what it does when a session ends."""

from django.apps import AppConfig


class ProviderConfig(AppConfig):
    name = "parvis.core.provider"
    label = "provider"
    verbose_name = "Fournisseur d’identité"

    def ready(self) -> None:
        from parvis.core.branding.entrance import register_entrance
        from parvis.core.documents.holders import hold
        from parvis.core.identity import closing, contributions
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.provider import authorization, leaving, signals  # noqa: F401  connects its receivers
        from parvis.core.web import navigation

        hold("provider.Service", "logo", permission="administration.organisation")
        register_entrance(authorization.entrance)
        contributions.register("services_relies", "Services reliés", leaving.export, rank=60)
        closing.account_closing.connect(leaving.tell_sites, dispatch_uid="provider")
        closing.account_suspended.connect(leaving.leave_suspended, dispatch_uid="provider")
        closing.register_eraser("liens avec des services reliés", leaving.erase)
        navigation.register_administration("services", "Services reliés", "clients:list", rank=70)
        navigation.register_account_page("services", "Services reliés", "provider:my_services", rank=50)
        navigation.register_platform_page("services", "Services reliés", "provider:approvals", rank=50)
        register_subject("service_relie", "Service relié", "clients:detail")
        for code, label in (
            ("service_relie.propose", "Service relié proposé"),
            ("service_relie.modifie", "Modification d’un service relié proposée"),
            ("service_relie.approuve", "Service relié approuvé"),
            ("service_relie.refuse", "Service relié refusé"),
            ("service_relie.suspendu", "Service relié suspendu"),
            ("service_relie.reactive", "Service relié remis en service"),
            ("service_relie.secret_cree", "Secret d’un service relié créé"),
            ("service_relie.secret_retire", "Anciens secrets d’un service relié retirés"),
            ("service_relie.deconnexion_echouee", "Déconnexion d’un service relié non confirmée"),
        ):
            register_action(code, label)
