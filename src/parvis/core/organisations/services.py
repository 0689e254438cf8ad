"""How an organisation presents itself, as its administration changes it; who acts for it is in ``mandates``."""

from collections.abc import Mapping

from django.db import transaction

from parvis.core.journal.services import Actor, record
from parvis.core.organisations.mandates import MandateRefused, close_mandate, give_mandate
from parvis.core.organisations.models import Organisation

__all__ = ["MandateRefused", "close_mandate", "describe", "give_mandate"]
PRESENTATION = ("short_name", "website", "email_sender", "postal_code")


def _save(organisation: Organisation, values: Mapping[str, str], action: str, actor: Actor) -> list[str]:
    """Write what differs and journal the names of the fields (never their content); returns those names."""
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
        details={"fields": sorted(changed)},
    )
    return changed


@transaction.atomic
def describe(organisation: Organisation, values: Mapping[str, str], *, actor: Actor) -> list[str]:
    """Change how the organisation presents itself; returns the fields that changed."""
    return _save(organisation, {k: values[k] for k in PRESENTATION if k in values}, "organisation.presentee", actor)
