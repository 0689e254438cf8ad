"""Registers the package with Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "parvis.core.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from parvis.core.api.directory import router
        from parvis.core.api.registry import register_router, register_scope
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.web import navigation

        register_scope("organisation.lire", "Lire l’identité de l’organisation et ses adhésions")
        register_scope("annuaire.lire", "Lire l’annuaire : mandats en cours, rôles et qualités")
        register_router(router)
        register_action("compte_api.cree", "Compte d’API créé")
        register_action("compte_api.secret_renouvele", "Secret du compte d’API renouvelé")
        register_action("compte_api.certificat_renouvele", "Certificat du compte d’API renouvelé")
        register_action("compte_api.revoque", "Compte d’API révoqué")
        register_action("compte_api.echeance_annoncee", "Échéance annoncée à l’adresse à prévenir")
        register_action("compte_api.echeance_non_remise", "Échéance non annoncée : l’adresse à prévenir est refusée")
        register_subject("compte_api", "Compte d’API", "api_accounts:detail")
        navigation.register_administration("api", "Logiciels reliés (API)", "api_accounts:list", rank=70)
