"""Registers the package: page of the administration, names of what the journal keeps, who opens the pictures."""

from django.apps import AppConfig
from django.http import QueryDict

ACTIONS = {
    "charte.enregistree": "Brouillon de charte enregistré",
    "charte.publiee": "Charte graphique publiée",
    "charte.abandonnee": "Brouillon de charte abandonné",
}


class BrandingConfig(AppConfig):
    name = "parvis.core.branding"
    label = "branding"
    verbose_name = "Charte graphique"

    def ready(self) -> None:
        from parvis.core.branding.entrance import register_entrance
        from parvis.core.documents.holders import hold
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.portal import hosts
        from parvis.core.web import navigation

        def own_host(path: str, query: QueryDict) -> dict[str, str] | None:
            """Back to an organisation's own host (``portal:back``)."""
            site = hosts.own_address(query.get("vers", ""))
            return {"slug": site.slug} if site else None

        register_entrance(own_host)
        navigation.register_administration("branding", "Charte graphique", "branding:editor", rank=30)
        hold("branding.BrandingVersion", "logo", "header", permission="administration.organisation")
        for code, label in ACTIONS.items():
            register_action(code, label)
        register_subject("charte", "Charte graphique")
