"""Everybody who may call: one client per role of two communes, and all those who hold nothing in Juvignac."""

import uuid
from datetime import timedelta

from django.http import HttpResponse
from django.test import Client

from parvis.core import clock
from parvis.core.api.registry import scopes
from parvis.core.api.services import create_account
from parvis.core.identity.access import mandates_of, permissions_in
from parvis.core.identity.models import Account, Mandate
from parvis.core.identity.roles import ROLES
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Department, Role
from parvis.core.organisations.tenancy import acting_for
from tests.conftest import prove_by_passkey

EXPIRED = b"form without its token"


def refused_form(request, reason=""):
    return HttpResponse(EXPIRED, status=403)


def everybody(agent_client, juvignac, fabregues):
    """``callers["juvignac", "maire"]``, ``callers["nobody"]``…; ``client.held`` are the permissions in Juvignac."""
    found = {(o.slug, role): agent_client(o, role) for o in (juvignac, fabregues) for role in ROLES}
    found["juvignac", "an own role"] = _own_role(agent_client, juvignac)
    found["juvignac", "a head of one service"] = _head(agent_client, juvignac)
    found["nobody"] = Client()
    found["a citizen"] = _client_of("usager@exemple.test", Account.Population.USAGER)
    found["the platform's operator"] = operator(agent_client, fabregues)
    found["an agent whose mandate is over"] = agent_client(juvignac, "secretaire", email="ancien@juvignac.test")
    found["an agent whose mandate is suspended"] = agent_client(juvignac, "secretaire", email="ecarte@juvignac.test")
    found["a suspended account"] = agent_client(juvignac, "administrateur", email="suspendu@juvignac.test")
    with acting_for(juvignac):
        yesterday = clock.today() - timedelta(days=1)
        Mandate.objects.filter(account__email="ancien@juvignac.test").update(end=yesterday)
        Mandate.objects.filter(account__email="ecarte@juvignac.test").update(suspended_at=clock.now())
    Account.objects.filter(email="suspendu@juvignac.test").update(is_active=False, suspended_at=clock.now())
    found["an API account"] = machine_of(juvignac)
    for who, client in found.items():
        client.raise_request_exception = False
        if isinstance(who, tuple):
            client.mandates = mandates_of(client.account)
            client.held = permissions_in(client.mandates, juvignac)
    return found


def machine_of(organisation) -> Client:
    """A program of the organisation that may do all that programs may."""
    with acting_for(organisation):
        machine, secret = create_account(
            organisation,
            name=f"Tout {uuid.uuid4()}",
            contact="x@x.test",
            scopes=[scope.code for scope in scopes()],
            actor=Actor("system"),
            permissions=frozenset(scope.permission for scope in scopes()),
        )
    return Client(headers={"Authorization": f"Bearer {machine.identifier}.{secret}"}, raise_request_exception=False)


def _client_of(email: str, population: str) -> Client:
    client = Client()
    client.force_login(
        Account.objects.create_user(email, given_name="Alix", family_name="Exemple", population=population)
    )
    return client


def operator(agent_client, organisation) -> Client:
    """Runs the platform, with a passkey and no mandate any more."""
    client = agent_client(organisation, "lecteur", email="exploitation@plateforme.test")
    with acting_for(organisation):
        Mandate.objects.filter(account=client.account).delete()
    Account.objects.filter(pk=client.account.pk).update(
        is_platform_administrator=True, population=Account.Population.EXPLOITATION
    )
    prove_by_passkey(client)
    return client


def _own_role(agent_client, organisation) -> Client:
    """Holds one role that the organisation composed, with some permissions of several services."""
    client = agent_client(organisation, "lecteur", email="role-propre@juvignac.test")
    held = ["actes.lire", "administration.taches", "documents.lire", "parapheur.lire", "parapheur.signer"]
    with acting_for(organisation):
        role = Role.objects.create(
            organisation=organisation, slug="greffe", label="Greffe", permissions=held, created_at=clock.now()
        )
        Mandate.objects.filter(account=client.account).update(role="", own_role=role)
    return client


def _head(agent_client, organisation) -> Client:
    """Heads one service among others, and has a mandate in it; ``client.department``."""
    client = agent_client(organisation, "chef_service", email="chef-etat-civil@juvignac.test")
    with acting_for(organisation):
        client.department = Department.objects.create(organisation=organisation, name="État civil", head=client.account)
        Mandate.objects.filter(account=client.account).update(department=client.department)
    return client
