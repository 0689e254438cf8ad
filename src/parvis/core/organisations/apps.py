from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "parvis.core.organisations"
    label = "organisations"
    verbose_name = "Organisations"
