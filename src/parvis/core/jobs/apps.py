from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "parvis.core.jobs"
    label = "jobs"
    verbose_name = "Travaux"

    def ready(self) -> None:
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.web import navigation

        register_action("travail.relance", "Travail automatique relancé")
        register_subject("travail", "Travail automatique")
        navigation.register_platform_page("travaux", "Travaux", "jobs_platform:list", rank=90)
