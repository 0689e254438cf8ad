from django.apps import AppConfig


class RoutingConfig(AppConfig):
    name = "parvis.core.routing"
    label = "routing"
    verbose_name = "Cheminements"

    def ready(self) -> None:
        from parvis.core.journal.actions import register_precision
        from parvis.core.routing.registry import registered_codes

        def done(details: dict[str, object]) -> str:
            return str(details.get("done", "")).lower() or _name(details, "done_label")

        def going_on(details: dict[str, object]) -> str:
            return _name(details, "label")

        def _name(details: dict[str, object], which: str) -> str:
            from parvis.core.routing.registry import plugin

            code = str(details.get("step", ""))
            return str(getattr(plugin(code), which)).lower() if code in registered_codes() else ""

        register_precision("cheminement.etape_faite", done)
        register_precision("cheminement.etape_echouee", going_on)
        register_precision("cheminement.etape_relancee", going_on)
        register_precision("cheminement.interrompu", going_on)
