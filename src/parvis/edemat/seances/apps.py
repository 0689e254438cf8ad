from django.apps import AppConfig


class SeancesConfig(AppConfig):
    name = "parvis.edemat.seances"
    label = "seances"
    verbose_name = "Séances et délibérations"

    def ready(self) -> None:
        from parvis.core.documents.holders import hold
        from parvis.core.routing.registry import open_roles, register_correction
        from parvis.core.web import navigation, searching
        from parvis.edemat.seances import actions, steps  # noqa: F401  names its events, registers its step
        from parvis.edemat.seances.queries import correction_address
        from parvis.edemat.seances.searching import find_seances
        from parvis.edemat.seances.services.deliberations import ROUTE_KIND

        navigation.register("seances", "Séances", "seances:list", "seances.lire", application="edemat", rank=10)
        searching.register("seances", "Séances", find_seances, rank=25)
        hold("seances.Seance", "convocation_document", "invitation_document", permission="seances.lire")
        hold("seances.Avis", "document", permission="seances.lire")
        hold("seances.Liste", "document", permission="seances.lire")
        navigation.register_public(
            "seances",
            "Listes des délibérations",
            "seances_public:list",
            application="edemat",
            description="Ce que l’assemblée a examiné, dans la semaine qui suit chaque séance.",
            rank=25,
        )
        hold("seances.Annexe", "document", permission="seances.lire")
        hold("seances.Preuve", "statement", "token", permission="seances.lire")
        hold("seances.Deliberation", "document", permission="seances.lire")
        register_correction(ROUTE_KIND, correction_address)
        open_roles(
            "seances.lire",
            *("original", "signe", "annexe"),
            *("convocation", "convocation_ics", "convocation_preuve", "convocation_jeton"),
        )
