"""Invitations: one link, one use, seven days, the right person; the administration learns nothing of accounts."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.models import Invitation, Organisation
from parvis.core.organisations.tenancy import acting_for
from tests.core.organisations.conftest import BASE, invitation_form

pytestmark = pytest.mark.django_db
NEW = {"password": "quatre girafes patinent sous le préau", "again": "quatre girafes patinent sous le préau"}
LIST = BASE + "personnes/invitations/"


def only(organisation):
    with acting_for(organisation):
        return Invitation.objects.get()


def test_an_invited_person_makes_an_account_and_holds_the_mandate(invited, juvignac):
    link = invited(title="Adjointe", email="D@Juvignac.test")
    anonymous = Client()
    page = anonymous.get(link).content.decode()
    assert "Commune de Juvignac vous invite" in page
    assert not Account.objects.filter(email="d@juvignac.test").exists()
    answer = anonymous.post(link, NEW)
    assert answer.status_code == 302, answer.content.decode()
    account = Account.objects.get(email="d@juvignac.test")
    assert account.check_password(NEW["password"])
    assert account.population == "agent"
    assert account.email_verified_at is not None
    with acting_for(juvignac):
        assert Mandate.objects.get(account=account).title == "Adjointe"
        kept = set(Entry.objects.values_list("action", flat=True))
        events = set(SecurityEvent.objects.values_list("event", flat=True))
    assert {"invitation.envoyee", "invitation.acceptee", "mandat.ouvert"} <= kept
    assert {"manager.user.invitation", "manager.user.invitation.acceptance", "user.registration"} <= events


def test_no_role_is_chosen_beforehand_and_none_is_given_unchosen(administrator, juvignac):
    page = administrator.get(f"{BASE}personnes/nouvelle/").content.decode()
    assert '<option value="" selected>Choisissez un rôle</option>' in page
    refused = administrator.post(f"{BASE}personnes/nouvelle/", invitation_form(role=""))
    assert "Choisissez le rôle que la personne recevra" in refused.content.decode()
    with acting_for(juvignac):
        assert not Invitation.objects.exists()


def test_no_trace_of_the_link_is_kept(invited, juvignac):
    token = invited().rstrip("/").rpartition("/")[2]
    invitation = only(juvignac)
    assert token not in str(vars(invitation))
    with acting_for(juvignac):
        assert not any(token in str(e.details) for e in Entry.objects.all())


def test_an_agent_accepts_with_their_own_account(invited, juvignac, fabregues, agent_client):
    client = agent_client(fabregues, "dgs", email="d@juvignac.test")
    link = invited()
    assert "Accepter l’invitation" in client.get(link).content.decode()
    client.post(link)
    with acting_for(juvignac):
        assert Mandate.objects.get(account=client.account).role == "secretaire"


@pytest.mark.parametrize("population", [None, "agent", "usager"])
def test_the_administration_cannot_tell_whether_an_account_exists(
    administrator, juvignac, run_jobs, population, mailoutbox
):
    if population:
        Account.objects.create_user("d@juvignac.test", population=population, given_name="X", family_name="Y")
    answer = administrator.post(BASE + "personnes/nouvelle/", invitation_form())
    run_jobs(queue="messages")
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    page = administrator.get(LIST).content.decode()
    assert "Une invitation part à l’adresse d@juvignac.test." in page
    assert "En attente de réponse" in page
    assert "Dominique Exemple" in page
    assert len(mailoutbox) == 1
    assert "Bonjour Dominique Exemple" in mailoutbox[0].body


def test_a_citizens_account_cannot_accept_and_only_its_holder_is_told(invited, juvignac):
    usager = Account.objects.create_user(
        "d@juvignac.test", NEW["password"], population="usager", given_name="X", family_name="Y"
    )
    link = invited()
    anonymous = Client()
    assert "usager" not in anonymous.get(link).content.decode()
    assert "usager" not in anonymous.post(link, NEW).content.decode()
    client = Client()
    client.force_login(usager)
    page = client.post(link)
    assert page.status_code == 403
    assert "compte d’usager" in page.content.decode()
    with acting_for(juvignac):
        assert not Mandate.objects.filter(account=usager).exists()


def test_a_forwarded_link_is_of_no_use_to_another_agent(invited, juvignac, agent_client, mandate_of):
    other = agent_client(juvignac, "lecteur")
    page = other.post(invited())
    assert page.status_code == 403
    assert "n’est pas adressée au compte" in page.content.decode()
    assert mandate_of(juvignac, other.account).role == "lecteur"


def test_a_link_serves_once(invited, juvignac):
    link = invited()
    Client().post(link, NEW)
    again = Client().post(link, NEW)
    assert again.status_code == 410
    assert "a déjà servi" in again.content.decode()
    with acting_for(juvignac):
        assert Mandate.objects.filter(role="secretaire").count() == 1


def test_a_link_lasts_seven_days(invited, juvignac, monkeypatch):
    link = invited()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=7, seconds=1))
    answer = Client().post(link, NEW)
    assert answer.status_code == 410
    assert not Account.objects.filter(email="d@juvignac.test").exists()


def test_resending_kills_the_former_link(invited, administrator, juvignac, run_jobs, mailoutbox):
    former = invited()
    administrator.post(f"{LIST}{only(juvignac).pk}/renvoi/")
    run_jobs(queue="messages")
    latest = re.search(r"https?://[^/\s]+(/invitation/\S+)", mailoutbox[-1].body).group(1)
    assert former != latest
    assert Client().get(former).status_code == 404
    assert Client().get(latest).status_code == 200


def test_a_withdrawn_invitation_is_over(invited, administrator, juvignac):
    link = invited()
    page = f"{LIST}{only(juvignac).pk}/retrait/"
    assert "ne servira plus" in administrator.get(page).content.decode()
    administrator.post(page)
    assert Client().post(link, NEW).status_code == 410
    assert administrator.post(page).status_code == 404


@pytest.mark.parametrize("link", ["/invitation/juvignac/rien/", "/invitation/nulle-part/rien/"])
def test_a_link_that_never_was_is_missing(juvignac, link):
    assert Client().get(link).status_code == 404


def test_a_link_of_one_organisation_opens_nothing_in_another(invited, fabregues):
    assert Client().get(invited().replace("juvignac", "fabregues")).status_code == 404


def test_a_weak_password_is_refused_and_makes_no_account(invited):
    page = Client().post(invited(), {"password": "juvignac", "again": "juvignac"})
    assert page.status_code == 200
    assert not Account.objects.filter(email="d@juvignac.test").exists()


def test_the_password_of_a_new_account_is_as_long_as_the_organisation_asks(invited, juvignac):
    Organisation.objects.filter(pk=juvignac.pk).update(password_length=len(NEW["password"]) + 1)
    page = Client().post(invited(email="d@juvignac.test"), NEW)
    assert f"{len(NEW['password']) + 1} caractères au moins" in str(page.context["form"].errors["password"])
    assert not Account.objects.filter(email="d@juvignac.test").exists()


def test_nobody_invites_themselves(administrator):
    form = invitation_form(email=administrator.account.email.upper(), role="maire")
    assert "C’est votre adresse" in administrator.post(BASE + "personnes/nouvelle/", form).content.decode()


@pytest.mark.parametrize("role", ["administration", "superviseur", "", "r\x00le"])
def test_a_forged_role_is_refused(administrator, juvignac, role):
    answer = administrator.post(BASE + "personnes/nouvelle/", invitation_form(role=role))
    assert answer.status_code == 200
    with acting_for(juvignac):
        assert not Invitation.objects.exists()


def test_the_same_invitation_twice_is_refused(invited, administrator):
    invited()
    page = administrator.post(BASE + "personnes/nouvelle/", invitation_form()).content.decode()
    assert "attend déjà" in page


def test_the_administration_has_no_hold_on_a_neighbours_invitations(administrator, fabregues):
    with acting_for(fabregues):
        theirs = Invitation.objects.create(
            organisation=fabregues, email="x@y.test", role="elu", start="2019-01-01", created_at=clock.now()
        )
    for action in ("renvoi", "retrait"):
        assert administrator.post(f"{LIST}{theirs.pk}/{action}/").status_code == 404
    assert administrator.get(f"{LIST}{theirs.pk}/retrait/").status_code == 404


def test_an_address_that_the_relay_refuses_is_told_in_the_list(administrator, juvignac, run_jobs, monkeypatch):
    from parvis.core.notifications.services import MessageNotSent
    from parvis.core.organisations import invitations

    def refuse(*args, **kwargs):
        raise MessageNotSent("refusée", is_final=True)

    monkeypatch.setattr(invitations, "send", refuse)
    administrator.post(BASE + "personnes/nouvelle/", invitation_form())
    run_jobs(queue="messages")
    assert "Adresse refusée" in administrator.get(LIST).content.decode()
