"""Mandates: who may change them, what stays when they end, and the organisation that keeps an administrator."""

import threading
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.identity.roles import permissions_of
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations import mandates
from parvis.core.organisations.authority import authority_of
from parvis.core.organisations.tenancy import acting_for
from tests.core.organisations.conftest import BASE


def give(organisation, email, role="lecteur", **fields):
    values = {"given_name": "Camille", "family_name": "Essai", "title": "", "start": clock.today(), "end": None}
    with acting_for(organisation):
        return mandates.give_mandate(organisation, email=email, role=role, actor=Actor("system"), **values | fields)


@pytest.mark.django_db
def test_a_given_mandate_is_journalled_and_audited(juvignac):
    mandate = give(juvignac, "neuf@juvignac.test")
    assert not mandate.account.has_usable_password()
    with acting_for(juvignac):
        assert Entry.objects.get(action="mandat.ouvert").subject_id == str(mandate.pk)
        event = SecurityEvent.objects.get(event="manager.role.membership.grant")
    assert (event.account, event.organisation, event.data) == (mandate.account, juvignac, {"role": "lecteur"})


@pytest.mark.django_db
def test_the_same_role_twice_at_once_is_refused(juvignac):
    give(juvignac, "neuf@juvignac.test")
    with pytest.raises(mandates.MandateRefused, match="tient déjà ce rôle"):
        give(juvignac, "neuf@juvignac.test")


@pytest.mark.django_db
def test_a_citizens_account_never_receives_a_mandate(juvignac):
    Account.objects.create_user("usager@exemple.test", population="usager", given_name="U", family_name="U")
    with pytest.raises(mandates.MandateRefused, match="jamais à un compte d’usager"):
        give(juvignac, "usager@exemple.test")


@pytest.mark.django_db
def test_a_mandate_given_and_ended_twice_the_same_day_leaves_both_in_history(juvignac, account_for, authority):
    boss = account_for(juvignac, "administrateur")
    for _ in range(2):
        mandate = give(juvignac, "neuf@juvignac.test")
        with acting_for(juvignac):
            mandates.close_mandate(mandate, actor=Actor("system"), by=authority(juvignac, boss))
    with acting_for(juvignac):
        rows = Mandate.objects.filter(account=mandate.account)
        assert rows.count() == 2
        assert not rows.in_force(clock.today()).exists()


def closed(juvignac, **dates):
    """A mandate with these dates, closed just now, as the database has it."""
    mandate = give(juvignac, "neuf@juvignac.test", **dates)
    with acting_for(juvignac):
        mandates.close_mandate(mandate, actor=Actor("system"))
        return Mandate.objects.get(pk=mandate.pk)


@pytest.mark.django_db
def test_a_mandate_closed_on_the_day_it_began_keeps_that_day(juvignac, frozen_clock):
    frozen_clock("2019-06-24T14:00+02:00")
    mandate = closed(juvignac)
    assert (mandate.start, mandate.end) == (date(2019, 6, 24), date(2019, 6, 24))
    assert mandate.closed_at == clock.now()
    assert mandate.is_over(clock.today())
    assert give(juvignac, "neuf@juvignac.test").pk != mandate.pk, "and the role may be given again"


@pytest.mark.django_db
@pytest.mark.parametrize(("day", "in_force"), [("2019-06-23", True), ("2019-06-24", False), ("2019-06-25", False)])
def test_a_mandate_was_in_force_until_the_eve_of_its_closing(juvignac, frozen_clock, day, in_force):
    frozen_clock("2019-06-24T23:30+02:00")  # still the 24th in Paris
    mandate = closed(juvignac, start=date(2014, 3, 30), end=date(2099, 1, 1))
    assert (mandate.start, mandate.end) == (date(2014, 3, 30), date(2019, 6, 24))
    with acting_for(juvignac):
        assert Mandate.objects.filter(pk=mandate.pk).in_force(date.fromisoformat(day)).exists() is in_force
        assert Mandate.objects.filter(pk=mandate.pk).over(date.fromisoformat(day)).exists() is not in_force


@pytest.mark.django_db
def test_a_mandate_closed_before_it_began_never_takes_effect(juvignac, frozen_clock):
    frozen_clock("2019-06-24T14:00+02:00")
    mandate = closed(juvignac, start=date(2019, 9, 1))
    assert (mandate.start, mandate.end) == (date(2019, 9, 1), date(2019, 9, 1))
    with acting_for(juvignac):
        assert not Mandate.objects.filter(pk=mandate.pk).in_force(date(2019, 9, 1)).exists()


@pytest.mark.django_db
def test_the_database_itself_wants_an_end_of_what_is_closed(juvignac):
    mandate = give(juvignac, "neuf@juvignac.test")
    with acting_for(juvignac), pytest.raises(IntegrityError, match="mandate_closed_has_end"), transaction.atomic():
        Mandate.objects.filter(pk=mandate.pk).update(closed_at=clock.now())


@pytest.mark.django_db
def test_an_ended_mandate_opens_nothing_any_more(administrator, juvignac, agent_client, mandate_of):
    reader = agent_client(juvignac, "lecteur")
    mandate = mandate_of(juvignac, reader.account)
    assert reader.get("/o/juvignac/journal/").status_code == 200
    assert "Dès maintenant" in administrator.get(f"{BASE}personnes/{mandate.pk}/fin/").content.decode()
    administrator.post(f"{BASE}personnes/{mandate.pk}/fin/")
    assert reader.get("/o/juvignac/journal/").status_code == 404


@pytest.mark.django_db
def test_access_is_suspended_here_and_given_back_without_touching_the_account(
    administrator, juvignac, fabregues, agent_client, account_for
):
    reader = agent_client(juvignac, "lecteur")
    account_for(fabregues, "lecteur", email=reader.account.email)
    page = f"{BASE}personnes/{reader.account.pk}/acces/"
    assert "Son compte reste" in administrator.get(page).content.decode()
    administrator.post(page, {"sens": "suspendre"})
    assert reader.get("/o/juvignac/journal/").status_code == 404
    assert reader.get("/o/fabregues/journal/").status_code == 200
    administrator.post(page, {"sens": "retablir"})
    assert reader.get("/o/juvignac/journal/").status_code == 200
    with acting_for(juvignac):
        assert list(Entry.objects.filter(action__startswith="mandat.").values_list("action", flat=True)) == [
            "mandat.suspendu", "mandat.retabli",
        ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["personnes/{m}/fin/", "personnes/{m}/", "personnes/{a}/acces/"])
def test_nobody_changes_their_own_mandates(administrator, juvignac, account_for, mandate_of, action):
    account_for(juvignac, "administrateur", email="autre@juvignac.test")
    mine = mandate_of(juvignac, administrator.account)
    address = BASE + action.format(m=mine.pk, a=administrator.account.pk)
    form = {"title": "Chef", "start": "2014-03-30", "end": "2030-01-01", "sens": "suspendre"}
    page = administrator.post(address, form, follow=True).content.decode()
    assert "Personne ne" in page
    after = mandate_of(juvignac, administrator.account)
    assert (after.end, after.title, after.suspended_at) == (None, "", None)


@pytest.mark.django_db
def test_the_last_administration_mandate_is_neither_ended_nor_suspended_nor_dated(
    juvignac, account_for, mandate_of, authority, own_role
):
    """Somebody with the same rights does it, whose own mandate is suspended and counts for nothing."""
    last = account_for(juvignac, "administrateur")
    role = own_role(juvignac, "Adjoint", permissions_of("administrateur"))
    other = Account.objects.create_user("adjoint@juvignac.test", given_name="A", family_name="A")
    with acting_for(juvignac):
        Mandate.objects.create(organisation=juvignac, account=other, own_role=role, start="2019-01-01",
                               suspended_at=clock.now())  # fmt: skip
        by, mandate = authority(juvignac, other), mandate_of(juvignac, last)
        attempts = [
            lambda: mandates.close_mandate(mandate, actor=by.actor, by=by),
            lambda: mandates.suspend_access(juvignac, last, by=by),
            lambda: mandates.change_mandate(mandate, {"end": clock.today()}, by=by),
        ]
        for attempt in attempts:
            with pytest.raises(mandates.MandateRefused, match="dernier mandat d’administration"):
                attempt()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["personnes/{m}/", "personnes/{m}/fin/", "personnes/{a}/", "personnes/{a}/acces/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_neighbours_people_are_missing(administrator, fabregues, account_for, mandate_of, path, method):
    stranger = account_for(fabregues, "maire")
    mandate = mandate_of(fabregues, stranger)
    address = BASE + path.format(m=mandate.pk, a=stranger.pk)
    form = {"start": "2014-03-30", "title": "x"}
    expected = 405 if (method, path) == ("post", "personnes/{a}/") else 404
    assert getattr(administrator, method)(address, form).status_code == expected
    assert mandate_of(fabregues, stranger).title == ""


@pytest.mark.django_db
def test_a_mandate_gets_new_dates_and_says_so(administrator, juvignac, account_for, mandate_of):
    account = account_for(juvignac, "lecteur")
    mandate = mandate_of(juvignac, account)
    page = f"{BASE}personnes/{mandate.pk}/"
    bad = administrator.post(page, {"start": "2014-03-30", "end": "2013-01-01", "title": ""}).content.decode()
    assert "La fin précède le début" in bad
    administrator.post(page, {"start": "2014-03-30", "end": "2099-01-01", "title": "Stagiaire"})
    mandate = mandate_of(juvignac, account)
    assert (str(mandate.end), mandate.title) == ("2099-01-01", "Stagiaire")
    with acting_for(juvignac):
        assert Entry.objects.get(action="mandat.modifie").details == {"fields": ["end", "title"]}


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_end_each_other_at_once_leave_one(juvignac, account_for, mandate_of):
    first = account_for(juvignac, "administrateur", email="un@juvignac.test")
    second = account_for(juvignac, "administrateur", email="deux@juvignac.test")
    permissions = mandate_of(juvignac, first).permissions
    pairs = [(first, mandate_of(juvignac, second)), (second, mandate_of(juvignac, first))]
    together, outcomes = threading.Barrier(2), []

    def end(account, mandate):
        try:
            with acting_for(juvignac):
                together.wait(10)
                by = authority_of(juvignac, account, permissions)
                mandates.close_mandate(mandate, actor=by.actor, by=by)
            outcomes.append("done")
        except mandates.MandateRefused as refusal:
            outcomes.append(refusal.sentence)
        finally:
            connection.close()

    threads = [threading.Thread(target=end, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(o[:20] for o in outcomes) == ["C’est le dernier man", "done"]
    with acting_for(juvignac):
        assert len(mandates.administrators(juvignac, clock.today())) == 1


@pytest.mark.django_db
def test_mandates_with_own_roles_cost_one_query(juvignac, own_role, django_assert_num_queries):
    from parvis.core.identity.access import mandates_of

    role = own_role(juvignac, "Accueil", {"actes.lire"})
    account = Account.objects.create_user("accueil@juvignac.test", given_name="A", family_name="A")
    with acting_for(juvignac):
        Mandate.objects.create(organisation=juvignac, account=account, own_role=role, start="2019-01-01")
        Mandate.objects.create(organisation=juvignac, account=account, role="elu", start="2019-01-01")
    with django_assert_num_queries(5):  # a savepoint, the scope, the mandates, the scope given back, the savepoint
        held = mandates_of(account)
    assert {m.role_label for m in held} == {"Accueil", "Élu"}
    assert frozenset({"actes.lire"}) in {m.permissions for m in held}


@pytest.mark.django_db
def test_the_last_access_is_kept_once_a_day(juvignac, agent_client, mandate_of, frozen_clock):
    reader = agent_client(juvignac, "lecteur")
    frozen_clock("2019-07-01T09:00+02:00")
    reader.get("/o/juvignac/journal/")
    frozen_clock("2019-07-01T17:00+02:00")
    reader.get("/o/juvignac/journal/")
    assert clock.paris(mandate_of(juvignac, reader.account).last_used_at).hour == 9
    frozen_clock("2019-07-02T08:00+02:00")
    reader.get("/o/juvignac/journal/")
    assert clock.paris(mandate_of(juvignac, reader.account).last_used_at).day == 2
