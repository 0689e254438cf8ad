import logging

from django.apps import AppConfig


class TrustConfig(AppConfig):
    name = "parvis.core.trust"
    label = "trust"
    verbose_name = "Confiance"

    def ready(self) -> None:
        # The libraries log each verdict with its stack; here a verdict is a result, told in the report.
        for library in ("pyhanko", "pyhanko_certvalidator"):
            logging.getLogger(library).setLevel(logging.ERROR)

        from parvis.core.web import navigation

        navigation.register_administration("certificats", "Certificats de signature", "certificates:list", rank=55)
