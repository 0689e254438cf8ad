"""System checks: outside a demo, the returns of the State are read only from senders that the operator named."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def senders_of_returns(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001 without any sender, E002 for an entry that names none, W001 when no relay vouches for them."""
    found: list[CheckMessage] = []
    if not settings.PARVIS_ACTES_SENDERS and not settings.DEMO:
        found.append(
            Error(
                "No sender of the State's returns is allowed.",
                hint="Give PARVIS_ACTES_SENDERS the exact addresses or @domains that acknowledge the acts.",
                id="actes.E001",
            )
        )
    for entry in settings.PARVIS_ACTES_SENDERS:
        if "." not in entry.rpartition("@")[2] or "@" not in entry:
            found.append(
                Error(
                    f"“{entry}” in PARVIS_ACTES_SENDERS is neither an address nor an @domain.",
                    id="actes.E002",
                )
            )
    if not settings.PARVIS_ACTES_AUTHSERV_ID and not settings.DEMO:
        found.append(
            Warning(
                "Nothing proves who sends the State's returns: a From header is easily forged.",
                hint="Set PARVIS_ACTES_AUTHSERV_ID to the name that your receiving relay writes in"
                " Authentication-Results, once it checks DKIM and SPF.",
                id="actes.W001",
            )
        )
    return found
