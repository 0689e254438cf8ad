from django.apps import AppConfig


class ActesConfig(AppConfig):
    name = "parvis.edemat.actes"
    label = "actes"
    verbose_name = "Actes"

    def ready(self) -> None:
        from parvis.core.routing.registry import register_pages
        from parvis.core.web import navigation
        from parvis.edemat.actes import document_tasks, publication_step, routing_steps, tasks  # noqa: F401
        from parvis.edemat.actes.addresses import pages_of_routes

        register_pages("deliberation", pages_of_routes)
        navigation.register("actes", "Actes", "actes:list", permission="actes.lire", application="edemat", rank=30)
        navigation.register_public(
            "actes",
            "Actes publiés",
            "actes_public:list",
            application="edemat",
            description="Délibérations, arrêtés et décisions, en texte intégral.",
            rank=20,
        )
