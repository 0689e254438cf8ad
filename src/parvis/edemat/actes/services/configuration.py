"""How an organisation uses @CTES: where the State answers, whom it may call, whether sending is open."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.journal.actions import register_action, register_precision
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.edemat.actes.formats.emitters import InvalidEmitter, check_address
from parvis.edemat.actes.models import ActeSettings
from parvis.edemat.actes.services.preparation import settings_of

MAX_NOTIFIED = 20
SETTINGS = {
    "return_address": "adresse de retour",
    "referent_name": "référent",
    "referent_phone": "téléphone du référent",
    "referent_email": "adresse du référent",
    "notified_addresses": "adresses à prévenir",
    "suspended_since": "suspension",
    "suspension_reason": "motif de la suspension",
    "test": "transmission d’essai",
    "stamp_pages": "pages tamponnées",
    "stamp_x_percent": "place du tampon",
    "stamp_y_percent": "place du tampon",
}
"""What may be set, as the journal names it."""

register_action("actes.reglages", "Réglages de la télétransmission modifiés")
register_precision(
    "actes.reglages",
    lambda details: ", ".join(dict.fromkeys(SETTINGS[n] for n in details.get("changed", ()) if n in SETTINGS)),  # type: ignore[attr-defined]
)


class SettingRefused(DomainError):
    """A setting cannot be kept; ``field`` is its name."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence, field=field)
        self.field = field


def configure(organisation: Organisation, values: Mapping[str, Any], *, actor: Actor) -> list[str]:
    """Keep the settings given and return the names of those that changed. Raises ``SettingRefused``.

    The journal says what changed and not the values, which may name people.
    """
    with transaction.atomic():
        settings_of(organisation)
        chosen = ActeSettings.objects.select_for_update(no_key=True).get(organisation=organisation)
        changed = [name for name in SETTINGS if name in values and values[name] != getattr(chosen, name)]
        for name in changed:
            setattr(chosen, name, values[name])
        _check(chosen)
        if changed:
            chosen.save(update_fields=changed)
            details = {"changed": changed, "suspended": chosen.suspended, "test": chosen.test}
            subject = ("reglages_actes", chosen.pk)
            record(organisation, "actes.reglages", subject=subject, actor=actor, details=details)
        return changed


def _check(chosen: ActeSettings) -> None:
    for field in ("return_address", "referent_email"):
        try:
            if address := getattr(chosen, field):
                check_address(address)
        except InvalidEmitter as refusal:
            raise SettingRefused(field, refusal.sentence) from refusal
    if len(chosen.notified_addresses) > MAX_NOTIFIED:
        raise SettingRefused(
            "notified_addresses", f"{MAX_NOTIFIED} adresses au plus sont prévenues : donnez celle d’une liste."
        )
    if chosen.suspended_since and not chosen.suspension_reason.strip():
        raise SettingRefused(
            "suspension_reason", "Indiquez le motif de la suspension : chacun le lira avant d’envoyer."
        )
    if chosen.suspended_since and chosen.suspended_since > clock.today():
        raise SettingRefused(
            "suspended_since", "La suspension ne peut pas être à venir : donnez sa date quand elle vient."
        )
