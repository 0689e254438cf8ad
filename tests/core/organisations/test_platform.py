"""Administration of the platform: partners and subscriptions without their content, operators by four eyes."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.models import Invitation, OperatorGrant, Organisation, Subscription
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.core.organisations.test_invitations import NEW

pytestmark = pytest.mark.django_db
PLATFORM = "/plateforme/"
ORGANISATION = {
    "slug": "cournonterral", "name": "Commune de Cournonterral", "short_name": "Cournonterral", "kind": "commune",
    "parent": "", "siren": "213400880", "nic": "00014", "insee": "34088", "postal_code": "34660",
    "population": "6000", "departement": "034", "arrondissement": "3", "nature_actes": "31", "pref_id": "PREF034",
}  # fmt: skip


def luhn(siren8: str) -> str:
    from parvis.core.referentials.sirene import luhn_key_holds

    return next(siren8 + str(k) for k in range(10) if luhn_key_holds(siren8 + str(k)))


def test_an_organisation_is_added_then_changed(operator):
    form = ORGANISATION | {"siren": luhn("21340088")}
    answer = operator.post(PLATFORM + "organisations/nouvelle/", form)
    assert answer.status_code == 302, answer.content.decode()
    address = PLATFORM + "organisations/cournonterral/"
    operator.post(address + "identite/", form | {"population": "6543", "slug": "autre"})
    organisation = Organisation.objects.get(slug="cournonterral")
    assert organisation.population == 6543
    with acting_for(organisation):
        assert list(Entry.objects.values_list("action", flat=True)) == [
            "organisation.creee", "organisation.identite",
        ]  # fmt: skip
    bad = operator.post(PLATFORM + "organisations/nouvelle/", form | {"siren": "123456789", "departement": "34"})
    assert "clé de contrôle" in bad.content.decode()
    assert "3 chiffres" in bad.content.decode()


def test_subscriptions_open_and_end_without_meeting(operator, juvignac):
    address = f"{PLATFORM}organisations/juvignac/adhesions/"
    form = {"application": "marches", "since": "2020-01-01", "until": ""}
    operator.post(address, form)
    assert "couvre déjà" in operator.post(address, form | {"since": "2021-01-01"}).content.decode()
    taken = Subscription.objects.get(application="marches")
    assert "précède le début" in operator.post(f"{address}{taken.pk}/", {"until": "2019-01-01"}).content.decode()
    operator.post(f"{address}{taken.pk}/", {"until": "2020-12-31"})
    operator.post(address, form | {"since": "2021-01-01"})
    assert Subscription.objects.filter(application="marches").count() == 2
    lifted = operator.post(f"{address}{taken.pk}/", {"until": ""}).content.decode()
    assert "plus récente" in lifted
    with acting_for(juvignac):
        actions = list(Entry.objects.values_list("action", flat=True))
        assert actions == ["adhesion.ouverte", "adhesion.modifiee", "adhesion.ouverte"]
        assert SecurityEvent.objects.filter(event="manager.subscription.edit").count() == 3


def test_a_subscription_is_reached_by_its_own_organisation_only(operator, juvignac, fabregues):
    theirs = fabregues.subscriptions.first()
    answer = operator.post(f"{PLATFORM}organisations/juvignac/adhesions/{theirs.pk}/", {"until": "2019-02-01"})
    assert answer.status_code == 404


def test_the_first_administrator_is_invited_and_the_next_ones_are_not(operator, juvignac, run_jobs, mailoutbox):
    address = f"{PLATFORM}organisations/juvignac/administration/"
    form = {"given_name": "Ada", "family_name": "Première", "email": "ada@juvignac.test"}
    operator.post(address, form)
    run_jobs(queue="messages")
    link = re.search(r"https?://[^/\s]+(/invitation/\S+)", mailoutbox[-1].body).group(1)
    assert Client().post(link, NEW).status_code == 302
    with acting_for(juvignac):
        assert Mandate.objects.get().role == "administrateur"
        assert Invitation.objects.get().by_platform
    assert "a déjà une administration" in operator.post(address, form | {"email": "b@b.fr"}).content.decode()


# --- an organisation that lost its administration: four eyes ------------------------------------------------
RESTORED = {
    "given_name": "Ada", "family_name": "Nouvelle", "email": "ada@juvignac.test", "reason": "décès, courrier du DGS",
}  # fmt: skip
RESTORE = f"{PLATFORM}organisations/juvignac/administration/"


@pytest.fixture
def orphaned(juvignac, account_for):
    """Juvignac, whose only administrator left yesterday."""
    account_for(juvignac, "administrateur", email="ancien@juvignac.test")
    with acting_for(juvignac):
        Mandate.objects.update(end=clock.today() - timedelta(days=1))
    return juvignac


def only_invitation(organisation):
    with acting_for(organisation):
        return Invitation.objects.get()


def answer(client, organisation, reply="accord"):
    address = f"{RESTORE}{only_invitation(organisation).pk}/reponse/"
    return client.post(address, {"reponse": reply}, follow=True).content.decode()


def test_an_administration_is_restored_by_two_operators(operator, operator_client, orphaned, run_jobs, mailoutbox):
    assert "second exploitant" in operator.post(RESTORE, RESTORED, follow=True).content.decode()
    run_jobs()
    assert mailoutbox == []
    other = operator_client("second@dsi.test")
    for page in (PLATFORM, f"{PLATFORM}organisations/juvignac/"):
        assert "Ada Nouvelle" in other.get(page).content.decode()
    assert "reçoit une invitation" in answer(other, orphaned)
    run_jobs(queue="messages")
    link = re.search(r"https?://[^/\s]+(/invitation/\S+)", mailoutbox[-1].body).group(1)
    assert Client().post(link, NEW).status_code == 302
    with acting_for(orphaned):
        assert Mandate.objects.filter(role="administrateur", end=None).count() == 1
        assert {"invitation.proposee", "invitation.approuvee"} <= set(Entry.objects.values_list("action", flat=True))
        logged = SecurityEvent.objects.filter(event__startswith="manager.user.invitation").values_list(
            "event", flat=True
        )
        assert {"manager.user.invitation.proposal", "manager.user.invitation.approval"} <= set(logged)


def test_who_proposes_an_administration_does_not_approve_it(operator, orphaned, run_jobs, mailoutbox):
    operator.post(RESTORE, RESTORED)
    assert "Un second exploitant doit approuver" in answer(operator, orphaned)
    run_jobs()
    assert mailoutbox == []


def test_the_database_sends_no_restored_administration_that_one_person_decided(operator, orphaned):
    operator.post(RESTORE, RESTORED)
    for approved_by in (None, operator.account):
        with pytest.raises(IntegrityError), transaction.atomic(), acting_for(orphaned):
            Invitation.objects.update(sent_at=clock.now(), approved_by=approved_by)


def test_a_proposal_set_aside_or_overtaken_leads_nowhere(operator, operator_client, orphaned, account_for, run_jobs,
                                                         mailoutbox):  # fmt: skip
    other = operator_client("second@dsi.test")
    operator.post(RESTORE, RESTORED)
    account_for(orphaned, "administrateur", email="revenue@juvignac.test")
    assert "a déjà une administration" in answer(other, orphaned)
    answer(other, orphaned, "refus")
    assert "a déjà reçu sa réponse" in answer(other, orphaned)
    run_jobs()
    assert mailoutbox == []


def test_a_reason_is_asked_to_restore_an_administration(operator, orphaned):
    page = operator.post(RESTORE, {**RESTORED, "reason": ""}).content.decode()
    assert "à corriger" in page
    with acting_for(orphaned):
        assert not Invitation.objects.exists()


def test_an_administration_by_a_role_of_its_own_counts_as_one(operator, juvignac, account_for, own_role):
    role = own_role(juvignac, "Direction", {"administration.organisation"})
    account = account_for(juvignac, "lecteur")
    with acting_for(juvignac):
        Mandate.objects.update(end=clock.today() - timedelta(days=1))
        Mandate.objects.create(
            organisation=juvignac, account=account, own_role=role, start="2019-01-01", end="2019-02-01"
        )
    operator.post(RESTORE, RESTORED)
    assert only_invitation(juvignac).needs_approval


def test_a_message_that_waits_does_not_leave_with_the_others(operator, orphaned, mailoutbox):
    from parvis.core.organisations.tasks import deliver_waiting

    operator.post(RESTORE, RESTORED)
    deliver_waiting(orphaned.pk)
    assert mailoutbox == []


def test_nothing_that_a_commune_holds_shows_on_the_platform(operator, juvignac, account_for):
    account_for(juvignac, "maire", given_name="Alix", family_name="Introuvable")
    for page in ("", "organisations/juvignac/", "exploitants/"):
        answer = operator.get(PLATFORM + page)
        assert answer.status_code == 200
        assert "Introuvable" not in answer.content.decode()
    assert operator.get("/o/juvignac/administration/personnes/").status_code == 404


@pytest.mark.parametrize("page", ["", "organisations/nouvelle/", "organisations/juvignac/", "exploitants/"])
def test_the_platform_is_missing_for_an_administrator_of_a_commune(administrator, page):
    assert administrator.get(PLATFORM + page).status_code == 404


def test_an_operator_is_proposed_by_one_approved_by_another_and_proves_the_address(
    operator, operator_client, mailoutbox, django_capture_on_commit_callbacks
):
    other = operator_client("second@dsi.test")
    operator.post(
        PLATFORM + "exploitants/proposition/",
        {"given_name": "Nour", "family_name": "Troisième", "email": "Nour@dsi.test"},
    )
    grant = OperatorGrant.objects.get()
    answer = f"{PLATFORM}exploitants/{grant.pk}/reponse/"
    mine = operator.post(answer, {"reponse": "accord"}, follow=True).content.decode()
    assert "Une seconde personne doit approuver" in mine
    with django_capture_on_commit_callbacks(execute=True):
        other.post(answer, {"reponse": "accord"})
    link = re.search(r"https?://[^/\s]+(/invitation/exploitation/\S+)", mailoutbox[-1].body).group(1)
    assert not Account.objects.filter(email="nour@dsi.test").exists()
    made = Client().post(link, NEW)
    assert made.status_code == 302, made.content.decode()
    account = Account.objects.get(email="nour@dsi.test")
    assert (account.population, account.is_platform_administrator) == ("exploitation", True)
    assert Client().post(link, NEW).status_code == 410
    again = other.post(answer, {"reponse": "accord"}, follow=True).content.decode()
    assert "a déjà reçu sa réponse" in again


def test_the_database_refuses_that_one_person_proposes_and_approves(operator):
    with pytest.raises(IntegrityError), transaction.atomic():
        OperatorGrant.objects.create(
            email="x@y.fr", proposed_by=operator.account, approved_by=operator.account, proposed_at=clock.now()
        )


def test_a_link_of_operator_expires(operator, operator_client, mailoutbox, monkeypatch,
                                    django_capture_on_commit_callbacks):  # fmt: skip
    other = operator_client("second@dsi.test")
    operator.post(PLATFORM + "exploitants/proposition/", {"given_name": "N", "family_name": "T", "email": "n@dsi.test"})
    with django_capture_on_commit_callbacks(execute=True):
        other.post(f"{PLATFORM}exploitants/{OperatorGrant.objects.get().pk}/reponse/", {"reponse": "accord"})
    link = re.search(r"https?://[^/\s]+(/invitation/exploitation/\S+)", mailoutbox[-1].body).group(1)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=8))
    assert Client().post(link, NEW).status_code == 410


def test_an_operator_is_removed_by_another_never_by_themselves(operator, operator_client):
    other = operator_client("second@dsi.test")
    for account in (operator.account, other.account):
        operator.post(f"{PLATFORM}exploitants/{account.pk}/retrait/")
    left = Account.objects.filter(is_platform_administrator=True)
    assert [a.email for a in left] == [operator.account.email]
    assert other.get(PLATFORM).status_code == 404


# --- from the server ----------------------------------------------------------------------------------------
REASON = {"reason": "les deux clés ont brûlé", "decided_by": "Jo Chef, directrice du numérique"}


@pytest.fixture
def installed(db):
    """The first two operators, as an installation names them."""
    for n in (1, 2):
        call_command("name_operator", f"op{n}@dsi.test", "O", f"P{n}")
    return list(Account.objects.filter(is_platform_administrator=True).order_by("pk"))


def named(**options) -> Account:
    call_command("name_operator", "neuf@dsi.test", "Noa", "Neuf", **options)
    return Account.objects.get(email="neuf@dsi.test")


def test_the_command_names_two_operators_then_leaves_it_to_them(installed):
    with pytest.raises(CommandError, match=r"Des exploitants sont en fonction \(O P1, O P2\)"):
        named()
    assert not Account.objects.filter(email="neuf@dsi.test").exists()


@pytest.mark.parametrize("given", [{"reason": "perdus"}, {"decided_by": "Jo"}, {"reason": " ", "decided_by": "Jo"}])
def test_a_reason_and_who_decides_are_both_wanted(installed, given):
    with pytest.raises(CommandError, match="--reason"):
        named(**given)
    assert not Account.objects.filter(email="neuf@dsi.test").exists()


def test_where_none_is_active_a_reason_is_wanted_all_the_same(installed):
    Account.objects.update(is_active=False)
    with pytest.raises(CommandError, match="Plus aucun exploitant n’est en fonction"):
        named()
    assert named(**REASON).is_platform_administrator


def test_one_operator_left_of_two_is_not_the_installation_again(installed):
    Account.objects.filter(pk=installed[0].pk).update(is_platform_administrator=False)
    with pytest.raises(CommandError, match=r"Des exploitants sont en fonction \(O P2\)"):
        named()


def test_a_recovery_is_journalled_with_its_reason(installed, monkeypatch):
    metropole = Organisation.objects.create(
        slug="metropole", name="Métropole", short_name="Métropole", siren="243400017", kind="metropole",
        departement="034", arrondissement="3", nature_actes="41",
    )  # fmt: skip
    monkeypatch.setenv("SUDO_USER", "jserveur")
    account = named(**REASON)
    assert (account.population, account.is_platform_administrator) == ("exploitation", True)
    assert not account.has_usable_password()
    with identity_of(account.pk):
        event = SecurityEvent.objects.get(account=account)
    assert event.event == "manager.operator.naming"
    assert event.data == {**REASON, "server_user": "jserveur"}
    with acting_for(metropole):
        entry = Entry.objects.filter(action="identite.evenement").order_by("seq").last()
    assert (entry.subject_id, entry.details["event"]) == (str(event.pk), "manager.operator.naming")


def test_every_operator_known_is_told_even_where_their_account_is_closed(installed, run_jobs, mailoutbox):
    Account.objects.filter(pk=installed[0].pk).update(suspended_at=clock.now())
    run_jobs()
    mailoutbox.clear()
    named(**REASON)
    run_jobs()
    assert sorted(message.to[0] for message in mailoutbox) == ["op1@dsi.test", "op2@dsi.test"]
    assert "Noa Neuf (neuf@dsi.test)" in mailoutbox[0].body
    assert "les deux clés ont brûlé" in mailoutbox[0].body


def test_an_address_that_serves_already_is_refused_and_nothing_is_told(installed, run_jobs, mailoutbox):
    run_jobs()
    mailoutbox.clear()
    with pytest.raises(CommandError, match="a déjà un compte"):
        call_command("name_operator", " OP1@dsi.test", "O", "P", **REASON)
    run_jobs()
    assert mailoutbox == []
