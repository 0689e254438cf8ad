"""The métropole, the hosts of organisations, and people of the portal."""

import pytest

from tests.conftest import PASSWORD, _organisation


@pytest.fixture(autouse=True)
def _hosts_read_again():
    """Host names are kept for half a minute by each process; rows of another test are gone."""
    from parvis.core.portal import hosts

    hosts.forget()
    yield
    hosts.forget()


@pytest.fixture
def metropole(db):
    return _organisation(
        "metropole",
        "Métropole d’essai",
        "La Métropole",
        "243400017",
        kind="metropole",
        nature_actes="41",
        postal_code="34000",
    )


@pytest.fixture
def citizen(db):
    """A citizen, without any mandate."""
    from parvis.core.identity.models import Account

    return Account.objects.create_user(
        "habitante@exemple.test", PASSWORD, given_name="Lina", family_name="Exemple", population="usager"
    )


@pytest.fixture
def citizen_client(client, citizen):
    client.force_login(citizen)
    return client


@pytest.fixture
def host_of():
    """``host_of(juvignac, "services.juvignac.test")`` gives that host to the organisation."""
    from parvis.core.journal.services import SYSTEM
    from parvis.core.portal import hosts

    def give(organisation, name, *, primary=True):
        return hosts.add_host(organisation, name, primary=primary, actor=SYSTEM)

    return give
