"""Registration of the sites that trust the platform, and what people allow them.

An organisation proposes, the platform approves: what is in force changes only at the approval. Suspending and
rotating a secret are immediate, for they can only restrict.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from allauth.idp.oidc.models import Client, Token
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.branding.services import DERIVATIONS, kept_picture
from parvis.core.documents.models import Document
from parvis.core.errors import DomainError
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.authority import roles_of
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for, identity_of
from parvis.core.portal.models import HOST
from parvis.core.provider import assertions, logout
from parvis.core.provider.claims import OFFLINE, SCOPES, choices, labels
from parvis.core.provider.models import Consent, Grant, Service
from parvis.core.provider.sites import Site, digest, new_secret

OVERLAP_DAYS = 7
MAX_ADDRESSES = 20
FIELDS = (
    "name", "description", "logo_id", "home_url", "contact", "relation", "type", "authentication", "jwks", "jwks_uri",
    "redirect_uris", "post_logout_uris", "backchannel_logout_url", "scopes", "claims", "agreement", "acr",
    "populations", "members_only", "roles", "access_lifetime", "id_lifetime", "refresh_lifetime",
)  # fmt: skip
State = Service.State


class RegistrationRefused(DomainError):
    """What is asked for a site breaks a rule. ``field`` says where."""


def check_address(address: str, field: str) -> str:
    """An exact address of a site: https, no wildcard, fragment, user name; localhost in clear in a demo only."""

    def refused(why: str) -> RegistrationRefused:
        return RegistrationRefused(f"L’adresse « {address[:120]} » {why}", field=field)

    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused("est mal écrite.") from None
    if not host or len(address) > 500 or any(c.isspace() or ord(c) < 33 or ord(c) > 126 for c in address):
        raise refused("doit être une adresse complète, sans espace ni accent.")
    if "*" in address:
        raise refused("contient un joker « * » : écrivez chaque adresse en entier.")
    if parts.fragment or "#" in address:
        raise refused("ne doit pas contenir de « # ».")
    if parts.username is not None or "@" in parts.netloc or "\\" in address:
        raise refused("ne doit contenir ni nom d’utilisateur, ni « @ », ni « \\ ».")
    if parts.netloc not in (host, f"{host}:{port}"):
        raise refused("doit s’écrire en minuscules, avec un port sans zéro superflu.")
    local = settings.DEMO and parts.scheme == "http" and host in ("localhost", "127.0.0.1")
    # What is written here ends in the content policy of our pages, where « ; » or « , » would begin another rule.
    if not local and not HOST.match(host):
        raise refused("doit contenir un nom de domaine complet.")
    if parts.scheme != "https" and not local:
        raise refused("doit commencer par « https:// ».")
    return address


def check(values: Mapping[str, Any], organisation: Organisation) -> None:
    """Raises RegistrationRefused at the first rule that these values of ``organisation`` break."""
    for field in ("redirect_uris", "post_logout_uris"):
        if len(values[field]) > MAX_ADDRESSES:
            raise RegistrationRefused(f"Vingt adresses au plus : {len(values[field])} sont données.", field=field)
        for address in values[field]:
            check_address(address, field)
    if not values["redirect_uris"]:
        raise RegistrationRefused("Donnez au moins une adresse de retour.", field="redirect_uris")
    if values["backchannel_logout_url"]:
        check_address(values["backchannel_logout_url"], "backchannel_logout_url")
    if values["logo_id"] and kept_picture(organisation, "logo", str(values["logo_id"])) is None:
        raise RegistrationRefused("Le logo n’est plus disponible : envoyez-le de nouveau.", field="logo")
    _check_authentication(values)
    unknown = set(values["scopes"]) - set(SCOPES)
    if unknown or "openid" not in values["scopes"]:
        raise RegistrationRefused("Choisissez les données parmi celles qui sont proposées.", field="scopes")
    if set(values["claims"]) - set(choices(values["scopes"])):
        raise RegistrationRefused("Choisissez les données parmi celles qui sont proposées.", field="scopes")
    for code in values["scopes"]:
        if SCOPES[code].choices and not set(SCOPES[code].choices) & set(values["claims"]):
            raise RegistrationRefused(f"{SCOPES[code].label} : choisissez au moins une donnée.", field="scopes")
    if not values["populations"] or set(values["populations"]) - set(Account.Population.values):
        raise RegistrationRefused("Choisissez au moins une population.", field="populations")
    if values["roles"]:
        unknown_roles = set(values["roles"]) - {role.code for role in roles_of(organisation)}
        if unknown_roles:
            raise RegistrationRefused("Choisissez les rôles parmi ceux de l’organisation.", field="roles")
        if Account.Population.AGENT not in values["populations"]:
            raise RegistrationRefused("Seuls les agents et les élus ont un rôle : admettez-les.", field="populations")
    if values["relation"] == Service.Relation.THIRD_PARTY and values["agreement"] == Service.Agreement.NONE:
        raise RegistrationRefused(
            "Le service d’un tiers demande toujours leur accord aux personnes.", field="agreement"
        )
    if values["type"] == Service.Type.PUBLIC and OFFLINE in values["scopes"]:
        raise RegistrationRefused("Une application sans secret ne reçoit pas d’accès prolongé.", field="offline")
    for field, least, most in (
        ("access_lifetime", 60, 3600), ("id_lifetime", 60, 3600), ("refresh_lifetime", 3600, 30 * 86400),
    ):  # fmt: skip
        if not least <= values[field] <= most:
            raise RegistrationRefused(f"La durée doit être comprise entre {least} et {most} secondes.", field=field)


def _check_authentication(values: Mapping[str, Any]) -> None:
    """A confidential site has a secret, or keys that are written here or published at an address, never both."""
    keys = [bool(values["jwks"]), bool(values["jwks_uri"])]
    if values["authentication"] != Service.Authentication.KEY:
        if any(keys):
            raise RegistrationRefused("Des clés ne servent que si le serveur se prouve par une clé.", field="jwks")
        return
    if values["type"] == Service.Type.PUBLIC:
        raise RegistrationRefused("Une application sans secret ne garde pas de clé privée.", field="authentication")
    if keys.count(True) != 1:
        raise RegistrationRefused(
            "Donnez les clés publiques du service, ou l’adresse où il les publie : l’une ou l’autre.", field="jwks"
        )
    if values["jwks_uri"]:
        check_address(values["jwks_uri"], "jwks_uri")
        return
    try:
        assertions.public_keys(values["jwks"])
    except assertions.KeysRefused as error:
        raise RegistrationRefused(error.sentence, field="jwks") from error


def fingerprint(service: Service) -> str:
    """SHA-256 of all that an organisation proposes, in hexadecimal: what the platform approves is what it read."""
    proposed = json.dumps({name: getattr(service, name) for name in FIELDS}, sort_keys=True, default=str)
    return hashlib.sha256(proposed.encode()).hexdigest()


def _ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: values[name] for name in FIELDS}
    kept["scopes"] = [code for code in SCOPES if code in kept["scopes"]]
    kept["claims"] = [key for key in choices(SCOPES) if key in kept["claims"]]
    kept["logo_id"] = UUID(str(kept["logo_id"])) if kept["logo_id"] else None
    kept["jwks"] = assertions.public_keys(kept["jwks"]) if kept["jwks"] else None
    kept["populations"], kept["roles"] = sorted(kept["populations"]), sorted(kept["roles"])
    return kept


def _log(service: Service, action: str, event: str, actor: Actor, request: HttpRequest | None, **data: Any) -> None:
    record(service.organisation, action, subject=("service_relie", service.pk), actor=actor, details=data)
    audit(event, organisation=service.organisation, request=request, client=service.client_id, data=data)


@transaction.atomic
def propose(
    organisation: Organisation, values: Mapping[str, Any], *, actor: Actor, request: HttpRequest | None = None
) -> Service:
    """Register a site that may do nothing before the platform approves it."""
    check(values, organisation)
    client = Client(name=values["name"], type=values["type"], secret="!", scopes="", response_types="code")  # noqa: S106
    service = Service(organisation=organisation, client=client, **_ordered(values))
    site = {"organisation": organisation.pk, "service": str(service.pk), "sector": service.sector, "live": False}
    client.data = {"site": {**site, "secrets": [], "populations": []}, "state": State.PROPOSED.value}
    client.save(force_insert=True)
    service.save(force_insert=True)
    _log(service, "service_relie.propose", "manager.service.creation", actor, request, scopes=service.scopes)
    return service


def _locked(service: Service) -> tuple[Service, Client]:
    """Always in this order, so that two administrators never wait for one another."""
    service = Service.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=service.pk)
    client = Client.objects.select_for_update().get(pk=service.client_id)
    service.client = client
    return service, client


def _set_state(service: Service, client: Client, state: str) -> None:
    service.state = state
    client.data["state"] = str(state)


@transaction.atomic
def change(
    service: Service, values: Mapping[str, Any], *, actor: Actor, request: HttpRequest | None = None
) -> list[str]:
    """Propose other values; returns the fields that changed. What is in force stays until the approval.

    The sector never changes once people may have been named in it. A suspended service stays suspended: the platform
    is asked once the service is put back.
    """
    service, client = _locked(service)
    check(values, service.organisation)
    wanted = _ordered(values)
    changed = sorted(name for name in FIELDS if getattr(service, name) != wanted[name])
    if not changed:
        return []
    if "relation" in changed and service.approved_at is not None:
        raise RegistrationRefused(
            "La nature d’un service approuvé ne change plus : les personnes y changeraient d’identifiant.",
            field="relation",
        )
    for name in changed:
        setattr(service, name, wanted[name])
    client.data["site"]["sector"] = service.sector
    if service.state != State.SUSPENDED:  # what was suspended stays so, until its organisation puts it back
        _set_state(service, client, State.CHANGED if service.approved_at else State.PROPOSED)
    service.refusal = ""
    service.save()
    client.save(update_fields=["data"])
    _log(service, "service_relie.modifie", "manager.service.edit", actor, request, fields=changed)
    return changed


def _project(service: Service, client: Client) -> None:
    """Put the registration in force."""
    client.name, client.type = service.name, service.type
    client.set_redirect_uris(service.redirect_uris)
    client.set_scopes(service.scopes)
    client.set_grant_types(["authorization_code"] + (["refresh_token"] if OFFLINE in service.scopes else []))
    client.skip_consent = service.agreement == Service.Agreement.NONE
    client.set_post_logout_redirect_uris(service.post_logout_uris)
    client.data["site"].update(
        sector=service.sector,
        live=True,
        own=service.relation == Service.Relation.OWN,
        agreement=service.agreement,
        acr=service.acr,
        claims=service.claims,
        populations=service.populations,
        members_only=service.members_only,
        roles=service.roles,
        home=service.home_url,
        logo=logo_name(service),
        backchannel=service.backchannel_logout_url,
        access_lifetime=service.access_lifetime,
        id_lifetime=service.id_lifetime,
        refresh_lifetime=service.refresh_lifetime,
        jwks=service.jwks,
        jwks_uri=service.jwks_uri,
    )
    if service.authentication == Service.Authentication.KEY:
        client.data["site"]["secrets"] = []


@transaction.atomic
def approve(service: Service, *, seen: str, by: Account, actor: Actor, request: HttpRequest | None = None) -> None:
    """The platform puts in force the proposal that it read: the one whose ``fingerprint`` is ``seen``.

    The transaction acts for the organisation of the service. Raises RegistrationRefused when nothing waits, or when
    the organisation changed its proposal since.
    """
    service, client = _locked(service)
    if service.state not in (State.PROPOSED, State.CHANGED):
        raise RegistrationRefused("Rien n’attend l’approbation de la plateforme.", field="")
    if fingerprint(service) != seen:
        raise RegistrationRefused(
            "L’organisation a modifié sa proposition entre-temps : relisez-la avant de la mettre en service.", field=""
        )
    _project(service, client)
    _set_state(service, client, State.LIVE)
    service.approved_at, service.approved_by, service.refusal = clock.now(), by, ""
    service.save()
    client.save()
    _log(service, "service_relie.approuve", "manager.service.edit", actor, request, decision="approve")


@transaction.atomic
def refuse(service: Service, reason: str, *, actor: Actor, request: HttpRequest | None = None) -> None:
    """The platform refuses the proposal and says why; what was in force before stays so, with that reason beside it."""
    service, client = _locked(service)
    if service.state not in (State.PROPOSED, State.CHANGED):
        raise RegistrationRefused("Rien n’attend l’approbation de la plateforme.", field="")
    _set_state(service, client, State.LIVE if service.state == State.CHANGED else State.REFUSED)
    service.refusal = reason
    service.save(update_fields=["state", "refusal"])
    client.save(update_fields=["data"])
    _log(service, "service_relie.refuse", "manager.service.edit", actor, request, decision="refuse")


@transaction.atomic
def suspend(service: Service, *, actor: Actor, request: HttpRequest | None = None) -> None:
    """At once: nobody logs in there any more, and what was issued is refused even once the site is put back.

    Raises RegistrationRefused when it is suspended already.
    """
    service, client = _locked(service)
    if service.state == State.SUSPENDED:
        raise RegistrationRefused("Ce service est déjà suspendu.", field="")
    Token.objects.filter(client=client).delete()
    client.data["site"]["live"] = False
    _set_state(service, client, State.SUSPENDED)
    service.save(update_fields=["state"])
    client.save(update_fields=["data"])
    _log(service, "service_relie.suspendu", "manager.service.edit", actor, request, decision="suspend")


@transaction.atomic
def reactivate(service: Service, *, actor: Actor, request: HttpRequest | None = None) -> None:
    """Put a suspended service back as the platform had approved it, or ask for the approval that it never had.

    Raises RegistrationRefused when it is not suspended.
    """
    service, client = _locked(service)
    if service.state != State.SUSPENDED:
        raise RegistrationRefused("Ce service n’est pas suspendu.", field="")
    if service.approved_at is None:
        _set_state(service, client, State.PROPOSED)
    else:
        client.data["site"]["live"] = True
        waits = not service.refusal and _differs(service, client)  # what was refused is not asked again by itself
        _set_state(service, client, State.CHANGED if waits else State.LIVE)
    service.save(update_fields=["state"])
    client.save(update_fields=["data"])
    _log(service, "service_relie.reactive", "manager.service.edit", actor, request, decision="reactivate")


def in_force(service: Service) -> dict[str, Any]:
    """The approved values that the approver and the administrator compare with the proposed ones."""
    client, site = service.client, Site.of(service.client)
    return {
        "name": client.name,
        "type": client.type,
        "authentication": str(Service.Authentication.KEY if site.by_key else Service.Authentication.SECRET),
        "jwks": site.jwks,
        "jwks_uri": site.jwks_uri,
        "redirect_uris": client.get_redirect_uris(),
        "post_logout_uris": client.get_post_logout_redirect_uris(),
        "backchannel_logout_url": site.backchannel,
        "scopes": client.get_scopes(),
        "claims": list(site.claims),
        "agreement": site.agreement,
        "acr": site.acr,
        "populations": list(site.populations),
        "members_only": site.members_only,
        "roles": list(site.roles),
        "home_url": site.home,
        "logo": site.logo,
        "access_lifetime": site.access_lifetime,
        "id_lifetime": site.id_lifetime,
        "refresh_lifetime": site.refresh_lifetime,
    }


def _differs(service: Service, client: Client) -> bool:
    service.client = client
    return bool(differing(service))


def differing(service: Service) -> list[str]:
    """What an approval would change, by the names of ``in_force``."""
    proposed = {"logo": logo_name(service)}
    return [n for n, value in in_force(service).items() if proposed.get(n, getattr(service, n)) != value]


def logo_name(service: Service) -> str:
    """The proposed logo as ``Site`` keeps the one in force."""
    return f"{service.logo.sha256}.{service.logo.filename.rpartition('.')[2]}" if service.logo else ""


def logo_in_force(client: Client) -> Document | None:
    """The approved logo of a site, to be read by whoever it asks to agree."""
    site = Site.of(client)
    with acting_for(site.organisation):
        pictures = Document.objects.filter(organisation=site.organisation, derivation=DERIVATIONS["logo"])
        return pictures.filter(sha256=site.logo.partition(".")[0]).select_related("organisation").first()


@transaction.atomic
def rotate_secret(service: Service, *, actor: Actor, request: HttpRequest | None = None) -> str:
    """Make a secret, shown this once; those before stay good for ``OVERLAP_DAYS``, then die. Returns the secret."""
    service, client = _locked(service)
    if service.type != Service.Type.CONFIDENTIAL:
        raise RegistrationRefused("Une application sans secret n’en reçoit pas.", field="")
    if Site.of(client).by_key:
        raise RegistrationRefused("Ce service se prouve par sa clé : il n’a pas de secret.", field="")
    if service.approved_at is None:
        raise RegistrationRefused("Le secret se crée une fois le service approuvé.", field="")
    now = int(time.time())
    end = now + OVERLAP_DAYS * 86400
    kept = [s for s in client.data["site"]["secrets"] if s["until"] is None or s["until"] > now]
    kept = [{**s, "until": min(s["until"] or end, end)} for s in kept][-2:]
    secret = new_secret()
    client.data["site"]["secrets"] = [*kept, {"sha256": digest(secret), "since": now, "until": None}]
    client.save(update_fields=["data"])
    _log(service, "service_relie.secret_cree", "manager.service.secret", actor, request, still_good=len(kept))
    return secret


@transaction.atomic
def drop_old_secrets(service: Service, *, actor: Actor, request: HttpRequest | None = None) -> int:
    """End the overlap: only the last secret stays good. Returns how many were dropped."""
    service, client = _locked(service)
    secrets = client.data["site"]["secrets"]
    client.data["site"]["secrets"] = [s for s in secrets if s["until"] is None]
    dropped = len(secrets) - len(client.data["site"]["secrets"])
    if dropped:
        client.save(update_fields=["data"])
        _log(service, "service_relie.secret_retire", "manager.service.secret", actor, request, dropped=dropped)
    return dropped


def note_use(client: Client) -> None:
    """Date of the last use, to the hour: a busy site does not make its own row a queue."""
    site, now = Site.of(client), clock.now()
    with acting_for(site.organisation):
        service = Service.objects.only("last_used_at").get(pk=site.service)
        if service.last_used_at is None or (now - service.last_used_at).total_seconds() > 3600:
            Service.objects.filter(pk=service.pk).update(last_used_at=now)


# --- people ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class LinkedService:
    """A site that a person used or allowed, as « Services reliés » shows it."""

    client_id: str
    name: str
    home: str
    organisation: str
    data: tuple[str, ...]
    given_at: datetime | None
    last_login_at: datetime | None
    withdrawal: str
    """Address of the page that takes the agreement back; "" when there is none to take back."""


Linked = Callable[[Account], Iterable[LinkedService]]
_elsewhere: list[Linked] = []


def register_linked(linked: Linked) -> None:
    """Show also what ``linked(account)`` gives: the sites that another protocol of the platform links."""
    if linked not in _elsewhere:
        _elsewhere.append(linked)


def linked_to(account: Account) -> list[LinkedService]:
    """Every site that knows ``account``, whatever protocol it speaks, by name."""
    found = [*consents_of(account), *(one for linked in _elsewhere for one in linked(account))]
    return sorted(found, key=lambda s: s.name.lower())


def consents_of(account: Account) -> list[LinkedService]:
    """The sites that ``account`` allowed or logged in to, by name."""
    with identity_of(account.pk):
        consents = {c.client_id: c for c in Consent.objects.filter(account=account)}
        mine = Grant.objects.filter(account=account).values_list("client_id")
        logins: dict[str, datetime] = dict(mine.annotate(Max("created_at")))
    clients = Client.objects.filter(pk__in={*consents, *logins})
    names = dict(Organisation.objects.values_list("pk", "short_name"))
    found = []
    for client in clients:
        site, consent = Site.of(client), consents.get(client.pk)
        scopes = consent.scopes if consent else client.get_scopes()
        data = labels(consent.claims if consent else site.claims) or [SCOPES["openid"].label]
        data += [SCOPES[OFFLINE].label] * (OFFLINE in scopes)
        given, last = consent.given_at if consent else None, logins.get(client.pk)
        owner = names.get(site.organisation, "")
        withdrawal = reverse("provider:withdraw", args=[client.pk]) if consent else ""
        found.append(LinkedService(client.pk, client.name, site.home, owner, tuple(data), given, last, withdrawal))
    return sorted(found, key=lambda s: s.name.lower())


Covered = dict[str, dict[str, list[str]]]
"""What one yes allows: scopes and claims, by site."""


def covered(account: Account, client: Client, scopes: Iterable[str]) -> Covered:
    """What ``account`` would allow by one yes to ``client``, which asks for ``scopes``.

    Where the registration asks once for the organisation, it is every site in place of the same nature that does so
    and is for such an account: the organisation's own ones together, the third parties together, never both. The page
    names them.
    """
    site, wanted = Site.of(client), list(scopes)
    sites = [client]
    if site.agreement == Service.Agreement.ORGANISATION:
        facts = {"organisation": site.organisation, "own": site.own, "agreement": site.agreement, "live": True}
        alike = Client.objects.filter(data__site__contains={**facts, "populations": [account.population]})
        sites += alike.exclude(pk=client.pk).order_by("name")
    given = {found.pk: [code for code in wanted if code in found.get_scopes()] for found in sites}
    return {found.pk: {"scopes": given[found.pk], "claims": Site.of(found).kept(given[found.pk])} for found in sites}


def allow(account: Account, what: Covered, *, request: HttpRequest | None = None) -> None:
    """Keep that ``account`` lets these sites know these claims, in addition to what it already allowed them."""
    with identity_of(account.pk):
        before = {c.client_id: c for c in Consent.objects.filter(account=account, client__in=list(what))}
        for client_id, given in what.items():
            known = before.get(client_id)
            scopes = {*given["scopes"], *(known.scopes if known else [])}
            claims = {*given["claims"], *(known.claims if known else [])}
            merged = {
                "scopes": [c for c in SCOPES if c in scopes],
                "claims": [c for c in choices(SCOPES) if c in claims],
            }
            Consent.objects.update_or_create(
                account=account, client_id=client_id, defaults={**merged, "given_at": clock.now()}
            )
            audit("user.service.sso.authorization", account=account, request=request, client=client_id, data=merged)


def allowed(account: Account, client: Client, scopes: Iterable[str]) -> bool:
    """True when nothing needs to be asked: the person said yes to all of it, or it does not depend on their yes."""
    site, wanted = Site.of(client), list(scopes)
    if site.agreement == Service.Agreement.NONE:
        return True
    with identity_of(account.pk):
        known = Consent.objects.filter(account=account, client=client).first()
    return known is not None and {*wanted} <= {*known.scopes} and {*site.kept(wanted)} <= {*known.claims}


def withdraw(account: Account, client_id: str, *, request: HttpRequest | None = None) -> bool:
    """Take back what ``account`` allowed to a site: it is logged out there and asked again next time."""
    client = Client.objects.filter(pk=client_id).first()
    with identity_of(account.pk):
        gone, _ = Consent.objects.filter(account=account, client_id=client_id).delete()
        if client is None or not gone:
            return False
        logout.end_service(account, client, "accord_retire")
        audit("user.service.sso.unauthorized", account=account, request=request, client=client_id)
    return True


def service_for(organisation_id: int, service_id: str | UUID) -> Service | None:
    """A registration, for the platform that approves it; to be read inside ``acting_for``."""
    found = Service.objects.select_related("organisation", "client", "approved_by", "logo__organisation")
    return found.filter(pk=service_id, organisation=organisation_id).first()
