from django.apps import AppConfig


class ActesConfig(AppConfig):
    name = "parvis.edemat.actes"
    label = "actes"
    verbose_name = "Actes"

    def ready(self) -> None:
        from parvis.core.api.registry import register_router, register_scope
        from parvis.core.documents.holders import hold
        from parvis.core.portal import home
        from parvis.core.referentials.matieres import register_matieres
        from parvis.core.routing.registry import open_roles, register_pages
        from parvis.core.web import navigation, searching
        from parvis.edemat.actes import checks, document_tasks, publication_step, routing_steps, tasks  # noqa: F401
        from parvis.edemat.actes.addresses import pages_of_routes
        from parvis.edemat.actes.api import router
        from parvis.edemat.actes.portal import find_public_acts, latest_acts
        from parvis.edemat.actes.services.preparation import matieres_in_force

        register_pages("deliberation", pages_of_routes)
        register_matieres(matieres_in_force)
        register_scope("actes.lire", "Consulter les actes et leurs fichiers", application="edemat")
        register_scope(
            "actes.preparer",
            "Préparer un acte, qu’une personne transmettra",
            application="edemat",
            permission="actes.preparer",
        )
        register_router(router)
        navigation.register("actes", "Actes", "actes:list", permission="actes.lire", application="edemat", rank=30)
        navigation.register_administration(
            "actes", "Télétransmission", "actes_administration:settings", rank=50, application="edemat"
        )
        navigation.register_public(
            "actes",
            "Actes publiés",
            "actes_public:list",
            application="edemat",
            description="Délibérations, arrêtés et décisions, en texte intégral.",
            rank=20,
        )
        home.register_latest("actes", "Derniers actes publiés", latest_acts, application="edemat", rank=20)
        searching.register("actes", "Actes publiés", find_public_acts, rank=30)
        hold("actes.Acte", "original", "document", permission="actes.lire")
        hold("actes.ActePiece", "document", permission="actes.lire")
        hold("actes.Transaction", "archive", "message", "ar", permission="actes.lire")
        hold("actes.TransactionPiece", "document", permission="actes.lire")
        hold("actes.StatusEvent", "document", permission="actes.lire")
        hold("actes.Publication", "document", "stamped", permission="actes.lire")
        hold("actes.Classification", "document", permission="actes.lire")
        hold("actes.InboundMessage", "raw", permission="actes.banette")
        open_roles(
            "actes.lire",
            *("original", "signe", "annexe", "rapport_validation", "enveloppe", "acte_xml", "ar", "courrier"),
            *("tamponne", "annexe_tamponnee", "bordereau", "certificat_executoire"),
        )
