"""Fixtures of the provider's tests; Django's models are imported once it is set up."""

import pytest

from tests.conftest import PASSWORD, give_passkey

ISSUER = "http://testserver"


@pytest.fixture(autouse=True)
def _issuer(settings):
    settings.BASE_URL = ISSUER


@pytest.fixture
def platform_admin(db):
    from parvis.core.identity.models import Account

    account = Account.objects.create_user(
        "plateforme@metropole.test", PASSWORD, given_name="Dominique", family_name="Essai",
        population="exploitation", is_platform_administrator=True,
    )  # fmt: skip
    give_passkey(account)
    return account


@pytest.fixture
def make_site(platform_admin):
    """``make_site(organisation, **changes)`` -> an approved site with its secret."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.provider import services
    from tests.core.provider.party import ACTOR, Site, registration

    def make(organisation, *, approved=True, **changes):
        with acting_for(organisation):
            service = services.propose(organisation, registration(**changes), actor=ACTOR)
            secret = None
            if approved:
                services.approve(service, seen=services.fingerprint(service), by=platform_admin, actor=ACTOR)
                service = services.service_for(organisation.pk, service.pk)
                if service.type == "confidential" and service.authentication == "secret":
                    secret = services.rotate_secret(service, actor=ACTOR)
            service = services.service_for(organisation.pk, service.pk)
        return Site(service, secret)

    return make


@pytest.fixture
def site(make_site, juvignac):
    return make_site(juvignac)


@pytest.fixture
def citizen(db):
    from parvis.core.identity.models import Account

    return Account.objects.create_user(
        "camille@exemple.test", PASSWORD, given_name="Camille", family_name="Usager", population="usager"
    )


@pytest.fixture
def browser(citizen):
    from tests.core.provider.party import login

    return login(citizen)
