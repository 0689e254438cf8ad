from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "parvis.core.journal"
    label = "journal"
    verbose_name = "Journal"
