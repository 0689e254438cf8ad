from django.apps import AppConfig


class SeancesConfig(AppConfig):
    name = "parvis.edemat.seances"
    label = "seances"
    verbose_name = "Séances et délibérations"

    def ready(self) -> None:
        from parvis.core.documents.holders import hold
        from parvis.core.routing.registry import open_roles
        from parvis.core.web import navigation
        from parvis.edemat.seances import actions, steps  # noqa: F401  names its events, registers its step

        navigation.register("seances", "Séances", "seances:list", "seances.lire", application="edemat", rank=10)
        hold("seances.Seance", "convocation_document", "invitation_document", permission="seances.lire")
        hold("seances.Annexe", "document", permission="seances.lire")
        hold("seances.Preuve", "statement", "token", permission="seances.lire")
        hold("seances.Deliberation", "document", permission="seances.lire")
        open_roles(
            "seances.lire",
            *("original", "signe", "annexe"),
            *("convocation", "convocation_ics", "convocation_preuve", "convocation_jeton"),
        )
