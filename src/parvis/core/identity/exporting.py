"""Export of everything that an account holds: ZIPs of one JSON file and one page to read, kept seven days.

GDPR, articles 15 and 20. One archive for the account itself, and one for each organisation that answers for a part of
it. They are a row of its holder, which the database shows to nobody else.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity import contributions, profile
from parvis.core.identity.audit import audit
from parvis.core.identity.events import EVENTS
from parvis.core.identity.models import Account, AccountExport, Mandate, SecurityEvent
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import current_scope, identity_of, in_scope

KEPT: Final = timedelta(days=7)
PATIENCE: Final = timedelta(hours=1)
MOST_EVENTS: Final = 10_000
COMMON: Final = "compte"


class ExportRefused(DomainError):
    """An export is being prepared already."""


@transaction.atomic
def ask(account: Account, *, request: HttpRequest | None = None) -> AccountExport:
    """Have the archive prepared. Raises ``ExportRefused`` while another one is."""
    from parvis.core.identity.tasks import export as export_later  # the tasks import this module

    with in_scope(replace(current_scope(), account=account.pk)):
        Account.objects.select_for_update().get(pk=account.pk)  # two clicks ask once
        mine = AccountExport.objects.filter(account=account)
        if mine.filter(ready_at=None, asked_at__gt=clock.now() - PATIENCE).exists():
            raise ExportRefused("Un export est déjà en préparation.")
        mine.delete()
        wanted = AccountExport.objects.create(
            account=account, asked_at=clock.now(), total=len(contributions.contributions())
        )
        audit("user.export", account=account, request=request)
    export_later.defer(account=account.pk, export=str(wanted.pk))
    return wanted


def latest(account: Account) -> AccountExport | None:
    """The present export of ``account``, unless its week is over; its archive is left out."""
    with in_scope(replace(current_scope(), account=account.pk)):
        found = AccountExport.objects.filter(account=account).defer("archive").order_by("-asked_at").first()
    over = found is not None and found.expires_at is not None and found.expires_at <= clock.now()
    return None if over else found


def archive_of(account: Account, pk: UUID, name: str) -> bytes | None:
    """The archive ``name`` of the export ``pk`` of ``account``, None when it has none or its week is over."""
    with in_scope(replace(current_scope(), account=account.pk)):
        found = AccountExport.objects.filter(account=account, pk=pk, expires_at__gt=clock.now()).first()
    if found is None or name not in [made["name"] for made in found.archives]:
        return None
    with zipfile.ZipFile(io.BytesIO(bytes(found.archive or b""))) as kept:
        return kept.read(f"{name}.zip")


def prepare(account_id: int, export_id: str) -> None:
    """Gather the parts one after the other, so that progress shows, then keep the archive."""
    from parvis.core.identity.tasks import notify

    account = Account.objects.filter(pk=account_id, deleted_at=None).first()
    if account is None:
        return
    parts = []
    registered = contributions.contributions()
    for number, contribution in enumerate(registered, start=1):
        with identity_of(account.pk):
            mine = AccountExport.objects.filter(account=account, pk=export_id, ready_at=None)
            if not mine.exists():
                return
            records = json.loads(json.dumps(list(contribution.records(account)), cls=DjangoJSONEncoder))
            parts.append({"code": contribution.code, "label": contribution.label, "records": records})
            mine.update(done=number, total=len(registered))
    now = clock.now()
    made = _archives(account, parts, now)
    described = [
        {"name": name, "label": label, "sha256": hashlib.sha256(content).hexdigest()} for name, label, content in made
    ]
    with identity_of(account.pk):
        AccountExport.objects.filter(account=account, pk=export_id, ready_at=None).update(
            archives=described, archive=_together(made), ready_at=now, expires_at=now + KEPT
        )
        notify.defer(account=account.pk, kind="export", facts={"until": (now + KEPT).isoformat()})


def _archives(account: Account, parts: list[dict[str, Any]], at: datetime) -> list[tuple[str, str, bytes]]:
    """(name, label, content) of the archive of the account, then of each organisation that answers for a record."""
    known = {name: o for o in Organisation.objects.order_by("-pk") for name in (o.short_name, o.name)}
    owned: dict[Organisation, list[dict[str, Any]]] = {}
    common = []
    for part in parts:
        shares: dict[Organisation | None, list[dict[str, Any]]] = {None: []}
        for record in part["records"]:
            shares.setdefault(known.get(record.get("organisation", "")), []).append(record)
        common.append({**part, "records": shares.pop(None)})
        for organisation, records in shares.items():
            if organisation is not None:
                owned.setdefault(organisation, []).append({**part, "records": records})
    found = [(COMMON, "Votre compte", _zip(account, "", common, at))]
    for organisation in sorted(owned, key=lambda o: o.name):
        content = _zip(account, organisation.name, owned[organisation], at)
        found.append((f"organisation-{organisation.slug}", organisation.name, content))
    return found


def _zip(account: Account, responsible: str, parts: list[dict[str, Any]], at: datetime) -> bytes:
    """``responsible`` is the organisation that answers for ``parts``, "" for the account itself."""
    content = {"compte": account.email, "date": at.isoformat(), **{p["code"]: p["records"] for p in parts}}
    content |= {"responsable": responsible} if responsible else {}
    shown = {"account": account, "parts": parts, "at": at, "responsible": responsible}
    page = render_to_string("identity/export.html", shown)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mes-donnees.json", json.dumps(content, ensure_ascii=False, indent=2))
        archive.writestr("mes-donnees.html", page)
    return buffer.getvalue()


def _together(made: list[tuple[str, str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as kept:
        for name, _, content in made:
            kept.writestr(f"{name}.zip", content)
    return buffer.getvalue()


# --- what this package itself says of an account ------------------------------------------------------------
def _account(account: Account) -> Iterable[dict[str, Any]]:
    yield {
        "adresse électronique": account.email,
        "adresse prouvée le": account.email_verified_at,
        "prénom": account.given_name,
        "nom": account.family_name,
        "population": account.get_population_display(),
        "compte créé le": account.created_at,
        "dernière connexion": account.last_login,
        "commune préférée": account.commune.name if account.commune else None,
        "organisations administrées": "la plateforme" if account.is_platform_administrator else None,
    }


def _profile(account: Account) -> Iterable[dict[str, Any]]:
    for attribute in profile.attributes_of(account).values():
        yield {
            "donnée": attribute.label,
            "valeur": attribute.value,
            "source": attribute.source_label,
            "vérifiée le": attribute.verified_at,
        }


def _mandates(account: Account) -> Iterable[dict[str, Any]]:
    for m in Mandate.objects.filter(account=account).select_related("organisation").order_by("start"):
        yield {
            "organisation": m.organisation.name,
            "qualité": m.title,
            "début": m.start,
            "fin": m.end,
        }


def _factors(account: Account) -> Iterable[dict[str, Any]]:
    for factor in Authenticator.objects.filter(user=account):
        yield {
            "moyen": factor.get_type_display(),
            "ajouté le": factor.created_at,
            "dernier usage": factor.last_used_at,
        }


def _sessions(account: Account) -> Iterable[dict[str, Any]]:
    for session in UserSession.objects.filter(user=account):
        yield {
            "ouverte le": session.created_at,
            "vue le": session.last_seen_at,
            "adresse réseau": session.ip,
            "navigateur": session.user_agent,
        }


def _events(account: Account) -> Iterable[dict[str, Any]]:
    events = SecurityEvent.objects.filter(account=account).select_related("organisation")
    for event in events.order_by("-at")[:MOST_EVENTS]:
        yield {
            "organisation": event.organisation.name if event.organisation else "",
            "date": event.at,
            "événement": EVENTS.get(event.event, event.event),
            "résultat": event.outcome,
            "moyen": event.method,
            "service": event.client,
            "adresse réseau": event.address,
            "navigateur": event.user_agent,
        }


def register_own() -> None:
    """The parts that this package contributes."""
    contributions.register("compte", "Compte", _account, rank=10)
    contributions.register("profil", "Profil", _profile, rank=20)
    contributions.register("mandats", "Mandats", _mandates, rank=30)
    contributions.register("moyens_de_connexion", "Moyens de connexion", _factors, rank=70)
    contributions.register("sessions", "Sessions ouvertes", _sessions, rank=80)
    contributions.register("evenements", "Événements de sécurité", _events, rank=90)
