from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "parvis.core.journal"
    label = "journal"
    verbose_name = "Journal"

    def ready(self) -> None:
        from parvis.core.web import navigation

        navigation.register(
            "journal", "Journal", "journal:index", permission="journal.lire", group=navigation.FOOT, rank=80
        )
