"""Administrators, heads of service and invitations, for the tests of the administration."""

import re
from datetime import date

import pytest

from tests.conftest import prove_by_passkey

BASE = "/o/juvignac/administration/"


@pytest.fixture
def administrator(juvignac, agent_client):
    return agent_client(juvignac, "administrateur")


@pytest.fixture
def authority():
    """``authority(organisation, account)``: what the account may do there today."""

    from parvis.core.identity.models import Mandate
    from parvis.core.organisations.authority import authority_of

    def make(organisation, account):
        rows = Mandate.objects.filter(organisation=organisation, account=account).select_related("own_role")
        return authority_of(organisation, account, frozenset().union(*(m.permissions for m in rows)))

    return make


@pytest.fixture
def mandate_of():
    """``mandate_of(organisation, account)``: their only mandate there."""

    from parvis.core.identity.models import Mandate
    from parvis.core.organisations.tenancy import acting_for

    def find(organisation, account):
        with acting_for(organisation):
            return Mandate.objects.select_related("organisation", "account").get(
                organisation=organisation, account=account
            )

    return find


@pytest.fixture
def service_head(juvignac, agent_client):
    """A head of the service « État civil », with one agent in it; ``head.department``, ``head.agent``."""
    from parvis.core.identity.models import Account, Mandate
    from parvis.core.organisations.models import Department
    from parvis.core.organisations.tenancy import acting_for

    client = agent_client(juvignac, "chef_service")
    agent = Account.objects.create_user("agent@juvignac.test", given_name="Sacha", family_name="Guichet")
    with acting_for(juvignac):
        client.department = Department.objects.create(organisation=juvignac, name="État civil", head=client.account)
        client.agent_mandate = Mandate.objects.create(
            organisation=juvignac, account=agent, role="lecteur", department=client.department, start="2019-01-01"
        )
    client.agent = agent
    return client


@pytest.fixture
def operator_client(agent_client, juvignac):
    """``operator_client("a@dsi.test")``: an operator, logged in with a passkey and no mandate."""

    from parvis.core.identity.models import Mandate
    from parvis.core.organisations.tenancy import acting_for

    def make(email="operateur@dsi.test"):
        client = agent_client(juvignac, "elu", email=email)
        with acting_for(juvignac):
            Mandate.objects.filter(account=client.account).delete()
        client.account.population, client.account.is_platform_administrator = "exploitation", True
        client.account.save()
        prove_by_passkey(client)
        return client

    return make


@pytest.fixture
def operator(operator_client):
    return operator_client()


@pytest.fixture
def own_role():
    """``own_role(organisation, "Accueil", permissions)``: a role of the organisation."""

    def make(organisation, label, permissions, **fields):
        from django.utils.text import slugify

        from parvis.core import clock
        from parvis.core.organisations.models import Role
        from parvis.core.organisations.tenancy import acting_for

        with acting_for(organisation):
            return Role.objects.create(
                organisation=organisation,
                slug=slugify(label),
                label=label,
                permissions=sorted(permissions),
                created_at=clock.now(),
                **fields,
            )

    return make


def invitation_form(**changes):
    return {
        "given_name": "Dominique", "family_name": "Exemple", "email": "d@juvignac.test", "role": "secretaire",
        "title": "", "department": "", "staff_number": "", "start": date.today().isoformat(), "end": "", **changes,
    }  # fmt: skip


@pytest.fixture
def invited(administrator, run_jobs, mailoutbox):
    """``invited(email=…)``: sends an invitation as the administrator and gives the path of its link."""

    def send(**changes):
        answer = administrator.post(f"{BASE}personnes/nouvelle/", invitation_form(**changes))
        assert answer.status_code == 302, answer.content.decode()
        run_jobs(queue="messages")
        return re.search(r"https?://[^/\s]+(/invitation/\S+)", mailoutbox[-1].body).group(1)

    return send
