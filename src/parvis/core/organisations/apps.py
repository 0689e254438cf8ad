from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "parvis.core.organisations"
    label = "organisations"
    verbose_name = "Organisations"

    def ready(self) -> None:
        from parvis.core.journal.actions import register_action, register_subject
        from parvis.core.web import navigation

        navigation.register_administration("overview", "Vue d’ensemble", "organisations:settings", rank=10)
        navigation.register_administration("identity", "Identité", "organisations:identity", rank=20)
        navigation.register_administration("branding", "Couleurs", "organisations:branding", rank=30)
        navigation.register_administration("people", "Personnes", "organisations:people", rank=40)

        register_action("organisation.presentee", "Présentation de l’organisation modifiée")
        register_action("organisation.couleurs", "Couleurs de l’organisation modifiées")
        register_action("mandat.ouvert", "Mandat ouvert")
        register_action("mandat.clos", "Mandat terminé")
        register_subject("organisation", "Organisation")
        register_subject("mandat", "Mandat")
