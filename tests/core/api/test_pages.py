"""Administration of API accounts: who may, what is shown once, what is traced, what cannot be forged."""

import time
from datetime import timedelta

import pytest
from django.test import Client

from parvis.core import clock
from parvis.core.api.models import ApiAccount
from parvis.core.api.services import ApiAccountRefused, create_account
from parvis.core.identity.models import Mandate, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for

BASE = "/o/juvignac/administration/api/"
FORM = {"name": "Paie", "contact": "x@editeur.test", "scopes": ["annuaire.lire"]}


@pytest.fixture
def admin(agent_client, juvignac):
    return agent_client(juvignac, "administrateur")


def _only(organisation):
    with acting_for(organisation):
        return ApiAccount.objects.select_related("organisation").get()


def test_the_secret_is_in_one_answer_only_and_in_no_cache(admin, juvignac):
    answer = admin.post(f"{BASE}nouveau/", FORM)
    secret = answer.context["secret"]
    account = _only(juvignac)
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for path in ("", f"{account.pk}/", f"{account.pk}/revocation/"):
        assert secret not in admin.get(BASE + path).content.decode()
    proof = {"Authorization": f"Bearer {account.identifier}.{secret}"}
    assert Client(headers=proof).get("/api/v1/moi").json()["nom"] == "Paie"


def test_what_the_administration_does_is_journalled_and_audited(admin, juvignac):
    admin.post(f"{BASE}nouveau/", FORM)
    account = _only(juvignac)
    admin.post(f"{BASE}{account.pk}/secret/", {"overlap_days": "7"})
    admin.post(f"{BASE}{account.pk}/revocation/")
    with acting_for(juvignac):
        done = Entry.objects.about("compte_api", account.pk).order_by("seq").values_list("action", "actor_id")
        events = SecurityEvent.objects.filter(client=account.identifier).order_by("at").values_list("event", flat=True)
        assert [a for a, _ in done] == ["compte_api.cree", "compte_api.secret_renouvele", "compte_api.revoque"]
        assert {who for _, who in done} == {str(admin.account.pk)}
        assert list(events) == ["manager.api.creation", "manager.api.rotation", "manager.api.revocation"]


@pytest.mark.parametrize(
    "forged",
    [
        {"scopes": ["administration.organisation"]},
        {"scopes": ["annuaire.lire", "*"]},
        {"networks": "partout"},
        {"certificate": "rien"},
        {"expires_on": "2001-01-01"},
        {"contact": "pas une adresse"},
        {"name": ""},
        {"name": "x" * 200},
    ],
    ids=lambda forged: "-".join(forged),
)
def test_a_form_that_cannot_be_is_refused_beside_its_field(admin, juvignac, forged):
    answer = admin.post(f"{BASE}nouveau/", FORM | forged)
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == set(forged)
    with acting_for(juvignac):
        assert not ApiAccount.objects.exists()


def test_forged_fields_give_nothing_more(admin, juvignac, fabregues):
    admin.post(f"{BASE}nouveau/", FORM | {"organisation": fabregues.pk, "secret": "prv_x", "revoked_at": "2030-01-01"})
    account = _only(juvignac)
    assert account.organisation == juvignac
    assert account.revoked_at is None
    with acting_for(fabregues):
        assert not ApiAccount.objects.exists()


def test_an_account_of_another_organisation_is_not_there(admin, agent_client, juvignac, fabregues):
    admin.post(f"{BASE}nouveau/", FORM)
    account = _only(juvignac)
    other = agent_client(fabregues, "administrateur")
    theirs = f"/o/fabregues/administration/api/{account.pk}/"
    assert other.get(theirs).status_code == 404
    assert other.post(f"{theirs}secret/", {"overlap_days": "0"}).status_code == 404
    assert other.post(f"{theirs}revocation/").status_code == 404
    assert _only(juvignac).revoked_at is None


def test_an_old_proof_of_identity_is_asked_again_first(admin, juvignac):
    session = admin.session
    session["account_authentication_methods"] = [
        {**method, "at": time.time() - 3600} for method in session["account_authentication_methods"]
    ]
    session.save()
    answer = admin.post(f"{BASE}nouveau/", FORM)
    assert answer.status_code == 303
    assert "suite=" in answer["Location"]
    with acting_for(juvignac):
        assert not ApiAccount.objects.exists()


def test_two_accounts_do_not_bear_the_same_name_while_both_live(admin, juvignac):
    admin.post(f"{BASE}nouveau/", FORM)
    account = _only(juvignac)
    assert "name" in admin.post(f"{BASE}nouveau/", FORM).context["form"].errors
    admin.post(f"{BASE}{account.pk}/revocation/")
    assert admin.post(f"{BASE}nouveau/", FORM).context["secret"]


def test_a_rotation_out_of_the_list_changes_nothing(admin, juvignac):
    admin.post(f"{BASE}nouveau/", FORM)
    account = _only(juvignac)
    for days in ("3650", "-1", "x", "", "9" * 40):
        admin.post(f"{BASE}{account.pk}/secret/", {"overlap_days": days})
    with acting_for(juvignac):
        assert account.secrets.count() == 1


def test_a_certificate_is_renewed_on_its_page(admin, juvignac, certificates):
    admin.post(f"{BASE}nouveau/", FORM | {"certificate": certificates[0]})
    account = _only(juvignac)
    page = f"{BASE}{account.pk}/certificat/"
    assert page in admin.get(f"{BASE}{account.pk}/").content.decode()
    for forged, field in (
        ({"certificate": "rien", "overlap_days": "7"}, "certificate"),
        ({"certificate": certificates[0], "overlap_days": "7"}, "certificate"),
        ({"certificate": certificates[1], "overlap_days": "3650"}, "overlap_days"),
    ):
        assert set(admin.post(page, forged).context["form"].errors) == {field}
    assert _only(juvignac).certificate_sha256 == account.certificate_sha256
    answer = admin.post(page, {"certificate": certificates[1], "overlap_days": "7"}, follow=True)
    shown = answer.content.decode()
    assert "Le nouveau certificat est accepté dès maintenant" in shown
    assert account.certificate_sha256 in shown
    assert _only(juvignac).former_sha256 == account.certificate_sha256
    with acting_for(juvignac):
        events = SecurityEvent.objects.filter(client=account.identifier).order_by("at").values_list("event", flat=True)
        assert list(events) == ["manager.api.creation", "manager.api.rotation"]


def test_a_certificate_of_another_organisation_is_not_there(admin, agent_client, juvignac, fabregues, certificates):
    admin.post(f"{BASE}nouveau/", FORM | {"certificate": certificates[0]})
    account = _only(juvignac)
    other = agent_client(fabregues, "administrateur")
    given = {"certificate": certificates[1], "overlap_days": "7"}
    assert other.post(f"/o/fabregues/administration/api/{account.pk}/certificat/", given).status_code == 404
    assert _only(juvignac).certificate_sha256 == account.certificate_sha256


WRITING = FORM | {"scopes": ["annuaire.lire", "actes.preparer"]}


def test_a_right_to_write_is_given_only_by_who_holds_it(admin, juvignac):
    page = admin.get(f"{BASE}nouveau/").content.decode()
    assert 'value="actes.preparer"' not in page
    assert "que les droits d’écriture qu’elle détient elle-même" in page
    assert set(admin.post(f"{BASE}nouveau/", WRITING).context["form"].errors) == {"scopes"}
    with acting_for(juvignac):
        assert not ApiAccount.objects.exists()
        with pytest.raises(ApiAccountRefused) as refusal:
            create_account(juvignac, **WRITING, actor=Actor("system"), permissions=frozenset({"actes.lire"}))
    assert refusal.value.data["field"] == "scopes"

    _hold(admin.account, juvignac, "secretaire")
    page = admin.get(f"{BASE}nouveau/").content.decode()
    assert 'value="actes.preparer"' in page
    assert "qu’elle détient elle-même" not in page
    assert admin.post(f"{BASE}nouveau/", WRITING).context["secret"]
    assert _only(juvignac).scopes == ["actes.preparer", "annuaire.lire"]


def test_a_right_held_elsewhere_gives_nothing_here(admin, juvignac, fabregues):
    _hold(admin.account, fabregues, "secretaire")
    assert set(admin.post(f"{BASE}nouveau/", WRITING).context["form"].errors) == {"scopes"}


def test_the_secret_of_an_account_that_writes_is_renewed_only_by_who_may_write(admin, api_account, juvignac):
    account, _ = api_account(juvignac, "actes.preparer")
    answer = admin.post(f"{BASE}{account.pk}/secret/", {"overlap_days": "7"}, follow=True)
    assert "que vous ne détenez pas" in answer.content.decode()
    with acting_for(juvignac):
        assert account.secrets.count() == 1
    _hold(admin.account, juvignac, "secretaire")
    assert admin.post(f"{BASE}{account.pk}/secret/", {"overlap_days": "7"}).context["secret"]


def _hold(account, organisation, role):
    with acting_for(organisation):
        Mandate.objects.create(account=account, organisation=organisation, role=role, start=clock.today())


def test_a_year_is_proposed_as_the_life_of_an_account(admin):
    page = admin.get(f"{BASE}nouveau/")
    assert page.context["form"]["expires_on"].value() == clock.today() + timedelta(days=365)
    assert "un secret volé ou un logiciel oublié garde son accès" in page.content.decode()


def test_the_last_day_may_be_emptied(admin, juvignac):
    admin.post(f"{BASE}nouveau/", FORM | {"expires_on": ""})
    assert _only(juvignac).expires_on is None
