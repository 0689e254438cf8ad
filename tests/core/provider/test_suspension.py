"""A suspended account leaves the sites at once, even those that keep access while the person is away."""

import pytest

from parvis.core.identity import suspension
from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.tenancy import identity_of
from parvis.core.provider.models import Grant

pytestmark = pytest.mark.django_db


def test_every_login_on_a_site_ends_and_the_log_names_the_site(make_site, juvignac, browser, citizen, platform_admin):
    site = make_site(juvignac, scopes=["openid", "profile", "offline_access"])
    site.tokens(browser)
    suspension.suspend_citizen(citizen, reason="detournement", reference="t-1", by=platform_admin)
    with identity_of(citizen.pk):
        assert set(Grant.objects.values_list("ended_by", flat=True)) == {"compte_suspendu"}
        event = SecurityEvent.objects.get(event="manager.user.sso.authorization.deletion")
    assert event.client == site.client_id


def test_reopening_the_account_revives_no_login(make_site, juvignac, browser, citizen, platform_admin):
    site = make_site(juvignac, scopes=["openid", "profile", "offline_access"])
    tokens = site.tokens(browser)
    suspension.suspend_citizen(citizen, reason="detournement", reference="t-1", by=platform_admin)
    suspension.reopen_citizen(citizen, reason="titulaire", reference="t-2", by=platform_admin)
    assert site.refresh(tokens["refresh_token"]).status_code == 400
