"""Announcements: who may read which, and what an organisation does with its own. Each change is journalled."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import current_scope, public_view_of
from parvis.core.portal.models import Announcement

DISMISSED: Final = "annonces"
REMEMBERED: Final = 50
FIELDS: Final = ("title", "text", "audience", "level", "everywhere", "since", "until")


class AnnouncementRefused(DomainError):
    """The announcement goes further than its organisation may."""


def announce(organisation: Organisation, values: Mapping[str, Any], *, actor: Actor) -> Announcement:
    """Write an announcement; ``values`` holds the ``FIELDS``. Raises ``AnnouncementRefused``."""
    _check(organisation, values)
    with transaction.atomic():
        made = Announcement.objects.create(
            organisation=organisation, created_at=clock.now(), **{name: values[name] for name in FIELDS}
        )
        _journal(made, "annonce.redigee", actor)
    return made


def change(announcement: Announcement, values: Mapping[str, Any], *, actor: Actor) -> list[str]:
    """Rewrite an announcement; returns the names of what changed. Raises ``AnnouncementRefused``."""
    _check(announcement.organisation, values)
    with transaction.atomic():
        kept = Announcement.objects.select_for_update().get(pk=announcement.pk)
        changed = [name for name in FIELDS if getattr(kept, name) != values[name]]
        if changed:
            for name in changed:
                setattr(kept, name, values[name])
            kept.save(update_fields=changed)
            _journal(kept, "annonce.modifiee", actor, fields=sorted(changed))
    return changed


def withdraw(announcement: Announcement, *, actor: Actor) -> None:
    """Take an announcement off the pages; done twice, it is done once."""
    with transaction.atomic():
        taken = Announcement.objects.filter(pk=announcement.pk, withdrawn_at__isnull=True)
        if taken.update(withdrawn_at=clock.now()):
            _journal(announcement, "annonce.retiree", actor)


def _check(organisation: Organisation, values: Mapping[str, Any]) -> None:
    if values["everywhere"] and organisation.kind != Organisation.Kind.METROPOLE:
        raise AnnouncementRefused("Seule la métropole peut annoncer sur les pages de toutes les organisations.")


def _journal(announcement: Announcement, action: str, actor: Actor, **details: Any) -> None:
    subject = ("annonce", announcement.pk)
    record(announcement.organisation, action, subject=subject, actor=actor, details=details)


def announcements_for(request: HttpRequest) -> list[Announcement]:
    """What the present page has to announce: to agents on their desk, else to everybody on a home.

    A desk reads the announcements of all the organisations acted for; the public home of an organisation its own
    and those of the métropole for all; the home of the platform only the latter. Dismissed ones are left out.
    """
    scope = current_scope()
    shown = Announcement.objects.shown_on(clock.today()).exclude(pk__in=_dismissed(request))
    if scope.organisations:
        return list(shown.select_related("organisation"))
    shown = shown.filter(audience=Announcement.Audience.PUBLIC).select_related("organisation")
    if scope.public_organisation:
        return list(shown)
    host = Organisation.objects.filter(kind=Organisation.Kind.METROPOLE).order_by("pk").first()
    if host is None:
        return []
    with public_view_of(host):
        return list(shown.filter(everywhere=True))


def _dismissed(request: HttpRequest) -> Iterable[str]:
    return request.session.get(DISMISSED, []) if hasattr(request, "session") else []


def dismiss(request: HttpRequest, pk: UUID) -> None:
    """Hide an announcement from this session, which remembers the fifty last ones."""
    hidden = [known for known in request.session.get(DISMISSED, []) if known != str(pk)]
    request.session[DISMISSED] = [*hidden[-(REMEMBERED - 1) :], str(pk)]
