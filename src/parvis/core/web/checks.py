"""System check: every service of the rail and of the public pages leads somewhere."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register
from django.urls import NoReverseMatch

from parvis.core.organisations.models import Organisation
from parvis.core.web.navigation import PublicService, Service, public_services, services


@register()
def registered_services_have_an_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    offered: list[Service | PublicService] = [*services(), *public_services()]
    for service in offered:
        try:
            service.url(Organisation(slug="exemple"))
        except NoReverseMatch:
            found.append(
                Warning(
                    f"The service “{service.code}” leads to “{service.url_name}”, which names no URL.",
                    hint="Its line is left out: correct the name or include its urls module.",
                    id="web.W001",
                )
            )
    return found
