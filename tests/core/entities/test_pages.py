"""The pages of « Mes entreprises et associations » and the switch « J'agis pour »."""

import pytest
from django.test import RequestFactory

from parvis.core.entities import acting, services
from tests.core.entities.test_roles import PROCONNECT, RNA, SIRET, declared
from tests.core.identity.life import browser_of, citizen

pytestmark = pytest.mark.django_db
LIST = "/mon-compte/entreprises/"
FORM = {"number": SIRET, "name": "Négoce d’Oc", "kind": "entreprise", "role": "salarie"}


@pytest.fixture
def account():
    return citizen()


@pytest.fixture
def browser(account):
    return browser_of(account)


@pytest.fixture
def stranger():
    return browser_of(citizen("autre@exemple.test", given_name="Dominique"))


def text(answer):
    return answer.content.decode()


def test_an_entity_is_added_then_changed_then_ended(browser, account):
    page = browser.post(f"{LIST}ajouter/", FORM, follow=True)
    assert "Négoce d’Oc est ajouté" in text(page)
    assert "déclaré</span>" in text(page)
    (role,) = services.roles_of(account)
    page = browser.post(f"{LIST}{role.pk}/", {**FORM, "name": "Négoce", "start": role.start.isoformat()}, follow=True)
    assert "changements sont enregistrés" in text(page)
    assert "Dès aujourd’hui" in text(browser.get(f"{LIST}{role.pk}/terminer/"))
    page = browser.post(f"{LIST}{role.pk}/terminer/", follow=True)
    assert "Rôles terminés" in text(page)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": "7328293200007"}, "vous en avez saisi 13"),
        ({"number": "73282932000075"}, "la clé de contrôle du SIRET"),
        ({"number": RNA}, "choisissez « Association »"),
        ({"number": ""}, "Indiquez le SIRET"),
        ({"name": ""}, "Indiquez le nom"),
        ({"name": "x" * 201}, "200 caractères au plus"),
        ({"kind": "secte"}, "l’une des natures proposées"),
        ({"role": ""}, "Choisissez votre rôle"),
        ({"role": "maire"}, "l’un des rôles proposés"),
        ({"start": "2026-02-02", "end": "2026-02-01"}, "La fin vient avant le début"),
        ({"start": "0026-02-02"}, "Vérifiez l’année"),
    ],
)
def test_each_fault_is_said_beside_its_field(browser, account, changes, sentence):
    answer = browser.post(f"{LIST}ajouter/", {**FORM, **changes})
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert services.roles_of(account) == []


def test_the_same_entity_twice_is_said_beside_the_number(browser, account):
    declared(account)
    answer = browser.post(f"{LIST}ajouter/", FORM)
    assert "déjà déclaré cet organisme" in text(answer)


def test_the_page_of_a_verified_representative_has_no_field_for_the_role(browser, account):
    role = services.told_by_proconnect(account, SIRET, represents=True, **PROCONNECT)
    page = text(browser.get(f"{LIST}{role.pk}/"))
    assert "il ne se modifie pas ici" in page
    assert 'name="role"' not in page
    browser.post(f"{LIST}{role.pk}/", {**FORM, "role": "salarie", "start": role.start.isoformat()})
    assert services.role_of(account, role.pk).role == "representant"


def test_anothers_role_is_missing_like_one_that_does_not_exist(stranger, account):
    role = declared(account)
    for method, address in (("get", ""), ("post", ""), ("get", "terminer/"), ("post", "terminer/")):
        assert getattr(stranger, method)(f"{LIST}{role.pk}/{address}").status_code == 404
    assert len(services.in_force(account)) == 1


def test_an_agent_has_no_such_page(agent_client, juvignac):
    client = agent_client(juvignac, "lecteur")
    assert client.get(LIST).status_code == 404
    assert "Mes entreprises" not in text(client.get("/mon-compte/"))


# --- for whom one acts --------------------------------------------------------------------------------------
def acting_in(browser, account):
    """What ``acting_entity`` answers to another package in the session of ``browser``."""
    request = RequestFactory().get("/")
    request.user, request.session = account, browser.session
    return acting.acting_entity(request)


def test_a_person_without_entity_sees_no_switch(browser):
    assert "J’agis pour" not in text(browser.get("/espace/"))


def test_the_choice_is_kept_in_the_session_and_shown_on_every_page(browser, account):
    role = declared(account)
    assert "J’agis pour" in text(browser.get("/espace/"))
    assert acting_in(browser, account) is None
    browser.post(f"{LIST}agir/", {"role": str(role.pk)})
    assert acting_in(browser, account) == role
    for page in ("/espace/", "/mon-compte/", "/aide/"):
        assert "Vous agissez pour <b>Négoce d’Oc</b> (déclaré)" in text(browser.get(page)), page
    browser.post(f"{LIST}agir/", {"role": ""})
    assert acting_in(browser, account) is None
    assert "Vous agissez pour <b>" not in text(browser.get("/aide/"))


def test_nobody_acts_for_a_role_that_is_over_or_anothers(browser, stranger, account):
    role = declared(account)
    browser.post(f"{LIST}agir/", {"role": str(role.pk)})
    services.end(role)
    assert acting_in(browser, account) is None
    answer = browser.post(f"{LIST}agir/", {"role": str(role.pk)}, follow=True)
    assert "n’est pas ou plus en cours" in text(answer)
    theirs = declared(account)
    answer = stranger.post(f"{LIST}agir/", {"role": str(theirs.pk)}, follow=True)
    assert "n’est pas ou plus en cours" in text(answer)


def test_the_switch_leads_back_to_a_page_of_this_site_only(browser, account):
    role = declared(account)
    answer = browser.post(f"{LIST}agir/", {"role": str(role.pk), "next": "/mon-compte/"})
    assert answer["Location"] == "/mon-compte/"
    answer = browser.post(f"{LIST}agir/", {"role": str(role.pk), "next": "//ailleurs.test/"})
    assert answer["Location"] == "/espace/"
