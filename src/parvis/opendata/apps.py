from django.apps import AppConfig


class OpendataConfig(AppConfig):
    name = "parvis.opendata"
    label = "opendata"
    verbose_name = "Données ouvertes"

    def ready(self) -> None:
        from parvis.core.api.registry import register_router, register_scope
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.routing.registry import register_listener
        from parvis.core.web import navigation, searching
        from parvis.opendata import routing_steps
        from parvis.opendata.api import router
        from parvis.opendata.searching import find_datasets

        register_listener("publication.retiree", routing_steps.publication_withdrawn)
        register_listener("publication.retablie", routing_steps.publication_renewed)
        register_action("opendata.deliberation_retiree", "Délibération retirée des données publiques")
        register_action("opendata.deliberation_ouverte", "Délibération ouverte dans les données publiques")
        register_action("opendata.jeu_mis_en_ligne", "Jeu de données mis en ligne")
        register_action("opendata.jeu_retire", "Jeu de données retiré de la page publique")
        register_subject("dataset", "Jeu de données")
        register_scope("opendata.lire", "Consulter les jeux de données", application="opendata")
        register_router(router)
        navigation.register(
            "opendata",
            "Données ouvertes",
            "opendata:datasets",
            permission="opendata.lire",
            application="opendata",
            group=navigation.SERVICES,
            rank=70,
        )
        searching.register("donnees", "Jeux de données", find_datasets, rank=45)
        navigation.register_public(
            "opendata",
            "Données",
            "opendata_public:datasets",
            application="opendata",
            description="Les jeux de données de la commune, à consulter et à réutiliser librement.",
            rank=40,
        )
