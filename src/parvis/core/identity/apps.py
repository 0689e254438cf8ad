"""Registers the package with Django."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    name = "parvis.core.identity"
    label = "identity"
    verbose_name = "Identités"

    def ready(self) -> None:
        from parvis.core.identity import audit, exporting  # noqa: F401  audit registers its journal actions
        from parvis.core.web import navigation

        exporting.register_own()
        navigation.register_account_page("compte", "Mon compte", "identity:overview", rank=10)
        navigation.register_account_page("profil", "Profil", "identity:profile", rank=15)
        navigation.register_account_page("evenements", "Mes événements", "identity:events", rank=60)
        navigation.register_account_page("donnees", "Mes données", "identity:export", rank=70)
        navigation.register_account_page("suppression", "Supprimer mon compte", "identity:deletion", rank=90)
        navigation.register_administration("accounts", "Comptes", "identity_administration:accounts", rank=45)
        events_page = "identity_administration:people_events"
        navigation.register_administration("people-events", "Événements", events_page, rank=46)
        navigation.register_platform_page("usagers", "Comptes d’usagers", "identity_platform:citizens", rank=55)
        navigation.register_platform_page("doublons", "Doublons", "identity_platform:namesakes", rank=60)
