"""A login page wears the look of whoever sent the person: a commune's own host, or a site that it relies on."""

import pytest
from django.http import QueryDict
from django.test import Client

from parvis.core.journal.services import SYSTEM
from parvis.core.portal import hosts
from parvis.core.provider import authorization
from tests.core.provider.conftest import make_site, platform_admin  # noqa: F401
from tests.core.provider.party import Site

pytestmark = pytest.mark.django_db


def header_of(client: Client, address: str) -> str:
    page = client.get(address, follow=True).content.decode()
    return page.partition('class="plain-header"')[2].partition("</header>")[0]


@pytest.fixture
def _own_host(juvignac):
    hosts.add_host(juvignac, "services.juvignac.test", primary=True, actor=SYSTEM)
    yield
    hosts.forget()


@pytest.mark.usefixtures("_own_host")
def test_from_the_own_host_of_a_commune(client):
    site = hosts.known()["services.juvignac.test"]
    assert "Commune de Juvignac" in header_of(
        client, hosts.login_address(site, "/").removeprefix("http://localhost:8000")
    )
    forged = "/compte/login/?next=/retour/%3Fvers=https://services.juvignac.test.pirate.test/"
    assert "Commune de Juvignac" not in header_of(client, forged)


def test_from_a_site_that_a_commune_relies_on(settings, client, juvignac, make_site):  # noqa: F811
    settings.BASE_URL = "http://testserver"
    site: Site = make_site(juvignac)
    answer = site.ask(client)
    assert answer.status_code == 302
    assert "Commune de Juvignac" in header_of(client, answer["Location"])


@pytest.mark.parametrize("token", ["", "forged", "a:b:c"])
def test_a_forged_return_says_nothing(token):
    assert authorization.entrance("/identite/o/suite", QueryDict(f"reprise={token}")) is None
