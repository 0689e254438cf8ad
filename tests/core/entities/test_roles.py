"""The roles that a person declares or receives: rules, marks, isolation, life of the account."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from parvis.core import clock
from parvis.core.entities import services
from parvis.core.entities.models import EntityRole
from parvis.core.entities.numbers import NumberRefused
from parvis.core.entities.services import RoleRefused
from parvis.core.identity import closing
from parvis.core.identity.audit import SecurityEvent
from parvis.core.identity.contributions import contributions
from parvis.core.ids import uuid7
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.core.identity.life import citizen

pytestmark = pytest.mark.django_db
SIRET, RNA = "73282932000074", "W341000123"
PROCONNECT = {"checked": True, "issuer": "https://pc.test"}


@pytest.fixture
def account():
    return citizen()


@pytest.fixture
def other():
    return citizen("autre@exemple.test", given_name="Dominique")


def declared(account, typed=SIRET, **changes):
    values = {"kind": "entreprise", "name": "Négoce d’Oc", "role": "salarie", **changes}
    return services.declare(account, typed, **values)


def events(account):
    with identity_of(account.pk):
        return [e.event for e in SecurityEvent.objects.filter(account=account).order_by("at", "pk")]


# --- what a person declares ---------------------------------------------------------------------------------
def test_a_declared_role_proves_nothing_and_begins_today(account):
    role = declared(account, "732 829 320 00074")
    assert (role.number, role.source, role.verified, role.mark) == (SIRET, "declare", False, "déclaré")
    assert (role.start, role.end) == (clock.today(), None)
    assert services.in_force(account) == [role]
    assert events(account) == ["user.entity.add"]


@pytest.mark.parametrize("again", [services.end, lambda role: services.change(role, {"name": "Autre"})])
def test_a_role_to_come_that_was_just_ended_is_said_over(account, again):
    role = declared(account, start=clock.today() + timedelta(days=3))
    services.end(role)
    with pytest.raises(RoleRefused, match="déjà terminé"):
        again(role)


def test_an_association_may_be_named_by_either_number(account):
    declared(account, kind="association")
    role = declared(account, RNA, kind="association", name="Les Amis de l’étang")
    assert role.shown_number == "RNA\u00a0W341\u00a0000\u00a0123"


def test_an_rna_number_is_that_of_an_association(account):
    with pytest.raises(RoleRefused, match="choisissez « Association »") as refused:
        declared(account, RNA, kind="entreprise")
    assert refused.value.field == "kind"


def test_a_wrong_number_is_not_kept(account):
    with pytest.raises(NumberRefused):
        declared(account, "73282932000075")


def test_the_same_entity_is_not_declared_twice(account):
    declared(account)
    with pytest.raises(RoleRefused, match="déjà déclaré") as refused:
        declared(account, "732.829.320.00074")
    assert refused.value.field == "number"


def test_two_requests_at_once_keep_one_role(account):
    role = declared(account)
    role.pk = uuid7()
    with identity_of(account.pk), pytest.raises(IntegrityError, match="entity_role_once"), transaction.atomic():
        role.save(force_insert=True)


def test_agents_act_by_their_mandates(account):
    account.population = "agent"
    with pytest.raises(RoleRefused, match="compte d’agent"):
        declared(account)


def test_an_organisation_of_the_platform_is_not_declared(account, juvignac):
    with pytest.raises(RoleRefused, match="Commune de Juvignac, qui donne elle-même"):
        declared(account, "21340123500014")


def test_an_end_before_the_start_is_refused(account):
    with pytest.raises(RoleRefused, match="La fin vient avant le début") as refused:
        declared(account, start=date(2026, 3, 2), end=date(2026, 3, 1))
    assert refused.value.field == "end"


def test_an_account_keeps_a_bounded_number_of_entities(account, monkeypatch):
    monkeypatch.setattr(services, "MOST", 1)
    declared(account)
    with pytest.raises(RoleRefused, match="1 organismes au plus"):
        declared(account, RNA, kind="association")


def test_a_role_changes_and_says_what(account):
    role = declared(account)
    values = {"name": "Négoce du Midi", "kind": "entreprise", "role": "representant", "start": role.start, "end": None}
    assert services.change(role, values) == ["name", "role"]
    assert services.change(role, values) == []
    assert events(account) == ["user.entity.add", "user.entity.update"]


def test_a_role_of_the_past_is_not_opened_again_beside_a_present_one(account):
    old = declared(account)
    services.end(old)
    declared(account)
    with pytest.raises(RoleRefused, match="Un autre de vos rôles"):
        services.change(old, {"end": None})


def test_an_ended_role_is_over_at_once_and_once(account):
    role = declared(account)
    services.end(role)
    assert services.in_force(account) == []
    assert [r.is_over(clock.today()) for r in services.roles_of(account)] == [True]
    with pytest.raises(RoleRefused, match="déjà terminé"):
        services.end(role)
    assert events(account) == ["user.entity.add", "user.entity.end"]


def test_a_role_to_come_is_not_in_force_and_is_forgotten_when_ended(account):
    role = declared(account, start=clock.today() + timedelta(days=3))
    assert services.in_force(account) == []
    services.end(role)
    assert services.roles_of(account) == []


# --- what ProConnect says -----------------------------------------------------------------------------------
def test_proconnect_marks_the_company_declared_before(account):
    declared(account)
    role = services.told_by_proconnect(account, SIRET, **PROCONNECT)
    assert (role.mark, role.name, role.role) == ("vérifié par ProConnect", "Négoce d’Oc", "salarie")
    assert len(services.roles_of(account)) == 1


def test_a_verified_role_is_read_only_for_its_holder(account):
    role = services.told_by_proconnect(account, SIRET, represents=True, **PROCONNECT)
    with pytest.raises(RoleRefused, match="ne se modifie pas"):
        services.change(role, {"role": "salarie"})
    assert services.change(role, {"name": "Négoce d’Oc"}) == ["name"]


def test_a_role_that_its_holder_ended_stays_so_until_declared_again(account):
    services.end(services.told_by_proconnect(account, SIRET, **PROCONNECT))
    assert services.told_by_proconnect(account, SIRET, **PROCONNECT) is None
    assert services.in_force(account) == []
    declared(account)
    assert services.told_by_proconnect(account, SIRET, **PROCONNECT).verified


def test_a_weaker_answer_takes_no_mark_away(account):
    services.told_by_proconnect(account, SIRET, **PROCONNECT)
    services.told_by_proconnect(account, SIRET, checked=False, issuer="https://pc.test")
    assert [r.verified for r in services.roles_of(account)] == [True]


def test_the_person_is_told_of_a_company_that_they_did_not_declare(account, run_jobs, mailoutbox):
    services.told_by_proconnect(account, SIRET, name="Négoce d’Oc", **PROCONNECT)
    services.told_by_proconnect(account, SIRET, **PROCONNECT)
    run_jobs()
    (message,) = mailoutbox
    assert message.subject.endswith("Un organisme est ajouté à votre compte")
    assert "Négoce d’Oc (SIRET\u00a0732\u00a0829\u00a0320\u00a000074)" in message.body
    assert "/mon-compte/entreprises/" in message.body


def test_the_database_refuses_a_mark_without_source(account):
    role = declared(account)
    with identity_of(account.pk), pytest.raises(IntegrityError, match="entity_role_mark"), transaction.atomic():
        EntityRole.objects.filter(pk=role.pk).update(verified_at=clock.now())


# --- isolation ----------------------------------------------------------------------------------------------
def test_nobody_learns_who_else_acts_for_an_entity(account, other, juvignac):
    mine, theirs = declared(account), declared(other)
    assert services.roles_of(account) == [mine]
    assert services.role_of(account, theirs.pk) is None
    assert not EntityRole.objects.exists()
    with acting_for(juvignac):
        assert not EntityRole.objects.exists()
    with identity_of(other.pk):
        assert list(EntityRole.objects.all()) == [theirs]


# --- the life of the account --------------------------------------------------------------------------------
def test_the_export_lists_the_roles(account):
    declared(account)
    part = next(c for c in contributions() if c.code == "entites")
    with identity_of(account.pk):
        (record,) = part.records(account)
    assert record["numéro"] == "SIRET\u00a0732\u00a0829\u00a0320\u00a000074"
    assert record["origine"] == "déclaré"


def test_the_deletion_counts_and_erases_them_and_no_one_elses(account, other):
    declared(account), declared(other)
    erase = closing.erasers()["Rôles dans des entreprises et associations"]
    assert erase(account) == 1
    assert services.roles_of(account) == []
    assert len(services.roles_of(other)) == 1
