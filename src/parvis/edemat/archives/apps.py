from django.apps import AppConfig


class ArchivesConfig(AppConfig):
    name = "parvis.edemat.archives"
    label = "archives"
    verbose_name = "Archives"

    def ready(self) -> None:
        from parvis.core.documents.holders import hold
        from parvis.core.routing.registry import open_roles
        from parvis.core.web import navigation, searching
        from parvis.edemat.archives import journal_actions, route_step, tasks  # noqa: F401
        from parvis.edemat.archives.searching import find_transfers

        navigation.register(
            "archives", "Archives", "archives:list", permission="archives.lire", application="edemat", rank=50
        )
        searching.register("archives", "Versements aux archives", find_transfers, rank=40)
        documents = ("package", "message", "observations", "acknowledgement", "reply")
        hold("archives.Transfer", *documents, permission="archives.lire")
        open_roles("archives.lire", "sip", "transfer", "atr", "journal")
