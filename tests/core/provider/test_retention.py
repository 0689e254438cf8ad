"""Logins on sites: how long they are kept, and what they cost to whoever looks at the sites linked."""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from parvis.core.authentication.assurance import assess
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider import grants, services
from parvis.core.provider.models import Grant

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant_of(site, citizen, browser):
    """``grant_of(begun, ended)``: a login of the citizen on the site, these numbers of days ago."""

    def make(begun, ended=None):
        with identity_of(citizen.pk):
            made = grants.open_grant(site.service.client, citizen, browser.session, ["openid"], assess([], 0))
            made.created_at = timezone.now() - timedelta(days=begun)
            made.ended_at = ended and timezone.now() - timedelta(days=ended)
            made.save()
        return made

    return make


def kept(account):
    with identity_of(account.pk):
        return set(Grant.objects.filter(account=account))


def test_logins_are_erased_a_year_after_they_are_over(grant_of, citizen):
    grant_of(400, 366)
    grant_of(366)
    kept_ones = {grant_of(400, 364), grant_of(364)}
    assert grants.forget() == 2
    assert kept(citizen) == kept_ones


def test_a_login_of_which_a_token_is_still_good_is_kept(grant_of, citizen):
    used = grant_of(400)
    grants.issue(Token.Type.REFRESH_TOKEN, "valeur", used, 3600)
    assert grants.forget() == 0
    assert kept(citizen) == {used}


def test_the_last_login_is_shown_without_reading_them_all(grant_of, citizen):
    last = grant_of(2)
    for days in range(3, 9):
        grant_of(days)
    with CaptureQueriesContext(connection) as captured:
        (linked,) = services.consents_of(citizen)
    assert linked.last_login_at == last.created_at
    (query,) = [q["sql"] for q in captured if 'FROM "provider_grant"' in q["sql"]]
    assert "GROUP BY" in query
