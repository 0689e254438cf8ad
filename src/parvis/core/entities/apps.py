"""Registers the package with Django: its page of « Mon compte », its messages, its part in the life of accounts."""

from django.apps import AppConfig


class EntitiesConfig(AppConfig):
    name = "parvis.core.entities"
    label = "entities"
    verbose_name = "Entreprises et associations"

    def ready(self) -> None:
        from parvis.core.entities import services
        from parvis.core.identity import closing, contributions
        from parvis.core.identity.models import Account
        from parvis.core.web import navigation

        services.register_notices()
        contributions.register("entites", "Mes entreprises et associations", services.exported, rank=30)
        closing.register_eraser("Rôles dans des entreprises et associations", services.erase)
        navigation.register_account_page(
            "entites", "Mes entreprises et associations", "entities:list", rank=20, population=Account.Population.USAGER
        )
