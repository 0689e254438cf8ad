"""Every page of the project in a browser, by its address: on a phone in Juvignac's look, on a desk in Fabrègues'.

The other browser tests live the pages; this one forgets none. It fails on a page that it could not look at, until
``unseen`` says which test does; ``visits`` checks at the end of a whole run that it did.
"""

import re

import pytest

from tests.e2e.browser import AXE, DESK, PHONE, check
from tests.e2e.unseen import ELSEWHERE, NO_PAGE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]

ROLES = ("administrateur", "secretaire", "maire", "dgs", "elu", "archiviste", "dpo")


@pytest.fixture
def dressed(juvignac, fabregues):
    """Both communes with their own logo, photograph and colours."""
    from parvis_demo.looks import dress

    dress("juvignac", "fabregues")
    return {o.slug: o for o in (juvignac, fabregues)}


@pytest.fixture
def people(dressed, agent_client):
    """Who looks: an agent who may do everything in both communes, an operator, and nobody."""
    from tests.core.identity.callers import operator

    for organisation in dressed.values():
        for role in ROLES:
            agent = agent_client(organisation, role, email="toutes-mains@juvignac.test")
    return {"agent": agent, "platform": operator(agent_client, dressed["fabregues"]), "nobody": None}


def _whole(answer) -> bool:
    """A whole page: neither a file nor a fragment of one."""
    html = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status == 200 and html and "<html" in answer.text()


def _come_to(window, url: str) -> tuple[bool, str]:
    """Whether ``window`` shows the page asked for; where not, what came instead of something to see, "" for a file."""
    answer = window.request.get(url, max_redirects=0)
    if _whole(answer):
        window.route(url, lambda route: route.fulfill(response=answer), times=1)  # asked of the server once
        window.goto(url)
        return True, ""
    return False, "" if answer.status in (200, 405) else str(answer.status)


def _who(page) -> str:
    return {"platform": "platform", "agent": "agent", "account": "agent"}.get(page.access.kind, "nobody")


@pytest.mark.parametrize("part", ["services", "administration", "people", "public"])
@pytest.mark.parametrize(("width", "commune"), [(PHONE, "juvignac"), (DESK, "fabregues")])
def test_every_page_is_accessible_and_fits(browser_page, people, dressed, width, commune, part):
    from tests.core.identity.holdings import Holdings
    from tests.core.identity.matrix import pages

    holdings = Holdings(dressed[commune], "EXEMPLE", member=people["agent"].account)
    holdings.everything()
    windows = {who: browser_page(width=width, client=client) for who, client in people.items()}
    for window in windows.values():
        window.context.add_init_script(path=AXE)  # quicker than to send it to each page
    windows["agent"].goto(f"/o/{commune}/administration/")  # the pages of the account wear the last one's look
    faults = []
    for page in (p for p in pages() if _part(p) == part):
        with holdings.scope():
            url = page.url(commune, holdings.values(page))
        if page.address.startswith("compte/"):
            url += f"?next=/p/{commune}/"
        who = _who(page)
        if page.address in NO_PAGE:
            if _whole(windows[who].request.get(url, max_redirects=0)):
                faults.append(f"{page.address}: now a page, remove it from NO_PAGE of tests/e2e/unseen.py")
            continue
        if page.address in ELSEWHERE:
            continue
        try:
            shown, instead = _come_to(windows[who], url)
            if instead:
                faults.append(
                    f"{page.address} -> {instead}: not seen. Give a browser test that comes to it and calls"
                    " assert_accessible at both widths, and name it in ELSEWHERE of tests/e2e/unseen.py (or NO_PAGE)"
                )
            if not shown:
                continue
            check(windows[who], "pages/" + re.sub(r"<[^>]*>", "", page.address).strip("/").replace("/", "-"))
        except Exception as fault:
            faults.append(f"{page.address}: {fault}")
    assert not faults, "\n".join(faults)


def _part(page) -> str:
    if "/administration/" in page.address:
        return "administration"
    if page.access.kind == "agent":
        return "services"
    return "people" if page.access.kind in ("account", "platform") else "public"


@pytest.mark.parametrize(("width", "commune"), [(PHONE, "juvignac"), (DESK, "fabregues")])
def test_pages_that_need_a_state_or_a_message_are_accessible_and_fit(browser_page, people, dressed, width, commune):
    faults = []
    for who, url in _prepared(people, dressed[commune]):
        window = browser_page(width=width, client=who)
        answer = window.goto(url)
        try:
            assert answer.status == 200, f"{url} -> {answer.status}"
            assert window.url.endswith(url), f"{url} leads to {window.url}: {window.inner_text('main')[:300]}"
            check(window)
        except AssertionError as fault:
            faults.append(f"{url}: {fault}")
        window.context.close()
    assert not faults, "\n".join(faults)


def _prepared(people, organisation):
    """(who, address) of pages that show themselves only in some state, each made here."""
    from allauth.mfa.models import Authenticator
    from django.test import Client

    from parvis.core import clock
    from parvis.core.identity import links
    from parvis.core.identity.models import Account, Link
    from parvis.core.organisations.invitations import digest_of
    from parvis.core.organisations.models import Invitation, OperatorGrant
    from parvis.core.organisations.tenancy import identity_of
    from parvis.core.saml.models import SamlConsent
    from parvis.edemat.actes.enums import Status
    from parvis.edemat.actes.models import Acte
    from parvis.edemat.parapheur.models import Dossier
    from tests.core.identity.holdings import Holdings

    agent, holdings = people["agent"], Holdings(organisation, "EXEMPLE", member=people["agent"].account)
    key = Authenticator.objects.create(user=agent.account, type="webauthn", data={"name": "Clé du bureau"})
    citizen, token = Client(), "un-lien-recu-par-message"
    citizen.force_login(holdings.citizen)
    address = links.make(Link.Purpose.EMAIL, "neuve@exemple.test", account=holdings.citizen, commune=organisation)
    former = links.make(Link.Purpose.EMAIL_UNDO, "ancienne@exemple.test", account=holdings.citizen)
    digest = digest_of(token)
    with holdings.scope():
        site, dossier, acte = (holdings.one(label) for label in ("saml.SamlSite", "parapheur.Dossier", "actes.Acte"))
        Acte.objects.filter(pk=acte.pk).update(status=Status.ACQUITTE)
        Dossier.objects.filter(pk=dossier.pk).update(state="signature")
        invitation, grant = holdings.one("organisations.Invitation"), holdings.one("organisations.OperatorGrant")
        Invitation.objects.filter(pk=invitation.pk).update(sent_at=clock.now(), digest=digest)
        second = Account.objects.create_user("second@exemple.test", given_name="Sam", family_name="Second")
        OperatorGrant.objects.filter(pk=grant.pk).update(approved_by=second, approved_at=clock.now(), digest=digest)
    with identity_of(holdings.citizen.pk):
        SamlConsent.objects.create(account=holdings.citizen, site=site, given_at=clock.now())
    return [
        (None, f"/invitation/{organisation.slug}/{token}/"),
        (None, f"/invitation/exploitation/{token}/"),
        (None, f"/mon-compte/adresse/annuler/{links.token_of(former)}/"),
        (citizen, f"/mon-compte/adresse/confirmer/{links.token_of(address)}/"),
        (citizen, f"/saml/accord/{site.pk}/retirer/"),
        (citizen, "/compte/mfa/totp/activate/"),
        (citizen, "/compte/logout/"),
        (agent, f"/compte/mfa/webauthn/keys/{key.pk}/edit/"),
        (agent, f"/compte/mfa/webauthn/keys/{key.pk}/remove/"),
        (agent, f"/o/{organisation.slug}/parapheur/{dossier.pk}/signer/"),
        (agent, f"/o/{organisation.slug}/actes/{acte.pk}/annuler/"),
    ]
