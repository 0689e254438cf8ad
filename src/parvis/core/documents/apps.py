from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "parvis.core.documents"
    label = "documents"
    verbose_name = "Documents"
