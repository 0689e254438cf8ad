from django.apps import AppConfig


class ParapheurConfig(AppConfig):
    name = "parvis.edemat.parapheur"
    label = "parapheur"
    verbose_name = "Parapheur"

    def ready(self) -> None:
        from parvis.core.documents.holders import hold
        from parvis.core.routing.registry import open_roles
        from parvis.core.web import navigation
        from parvis.edemat.parapheur import steps  # noqa: F401  registers the step of the route

        navigation.register(
            "parapheur", "Parapheur", "parapheur:dossiers", "parapheur.lire", application="edemat", rank=20
        )
        hold("parapheur.Dossier", "document", "signed_document", "report", permission="parapheur.lire")
        open_roles("parapheur.lire", "original", "signe", "rapport_validation", "annexe")
