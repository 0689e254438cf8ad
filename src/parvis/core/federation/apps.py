"""Registers the package with Django."""

from django.apps import AppConfig


class FederationConfig(AppConfig):
    name = "parvis.core.federation"
    label = "federation"
    verbose_name = "FranceConnect et ProConnect"

    def ready(self) -> None:
        from functools import partial

        from parvis.core.authentication.assurance import register_federated_proof
        from parvis.core.authentication.departures import register_departure
        from parvis.core.federation import agents, arrivals, directories, links, logout  # noqa: F401  they register journal actions
        from parvis.core.federation.configuration import DIRECTORY, LABELS
        from parvis.core.identity import closing, contributions
        from parvis.core.web.navigation import register_account_page, register_administration, register_platform_page

        links.register_notices()
        register_departure("federation", logout.departures, rank=10)
        for code, label in LABELS.items():
            available = partial(links.can_prove_again, provider=code)
            register_federated_proof(code, f"Confirmer avec {label}", f"federation:{code}", available)
        label = "Confirmer avec l’annuaire de mon organisation"
        register_federated_proof(DIRECTORY, label, "federation:directory_again", arrivals.can_prove_again)
        register_account_page("federation", "FranceConnect et ProConnect", "federation:identities", rank=40)
        register_administration("activations", "Agents ProConnect", "activations:queue", rank=60)
        register_administration("directory", "Annuaire des agents", "directory:detail", rank=62)
        register_platform_page("directories", "Annuaires", "directories:list", rank=76)
        closing.register_eraser("identités FranceConnect et ProConnect", links.forget)
        contributions.register("federation", "Identités FranceConnect et ProConnect", links.exported)
        closing.register_eraser("identités des annuaires", arrivals.forget)
        contributions.register("annuaires", "Identités des annuaires", arrivals.exported)
