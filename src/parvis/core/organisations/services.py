"""How an organisation presents itself and how its people log in, as its administration changes it.

Who acts for it is in ``mandates``.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from parvis.core.journal.services import Actor, record
from parvis.core.organisations.mandates import MandateRefused, close_mandate, give_mandate
from parvis.core.organisations.models import Organisation

__all__ = ["MandateRefused", "close_mandate", "describe", "give_mandate", "set_login_rules"]
PRESENTATION = ("short_name", "website", "email_sender", "postal_code")
LOGIN_RULES = ("password_length", "idle_minutes")


def _save(organisation: Organisation, values: Mapping[str, Any], action: str, actor: Actor) -> list[str]:
    """Write what differs and journal the names of the fields, and the numbers (never texts); returns those names."""
    kept = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    changed = [name for name, value in values.items() if getattr(kept, name) != value]
    if not changed:
        return []
    for name in changed:
        setattr(kept, name, values[name])
    kept.save(update_fields=changed)
    record(
        organisation,
        action,
        subject=("organisation", organisation.pk),
        actor=actor,
        details={"fields": sorted(changed)} | {name: values[name] for name in changed if type(values[name]) is int},
    )
    return changed


@transaction.atomic
def describe(organisation: Organisation, values: Mapping[str, str], *, actor: Actor) -> list[str]:
    """Change how the organisation presents itself; returns the fields that changed."""
    return _save(organisation, {k: values[k] for k in PRESENTATION if k in values}, "organisation.presentee", actor)


@transaction.atomic
def set_login_rules(organisation: Organisation, values: Mapping[str, int], *, actor: Actor) -> list[str]:
    """Make the platform's rules of passwords and idle sessions stricter for those who act for the organisation."""
    return _save(organisation, {k: values[k] for k in LOGIN_RULES}, "organisation.connexion", actor)
