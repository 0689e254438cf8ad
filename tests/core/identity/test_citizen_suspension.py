"""A citizen's account suspended and reopened by the platform: found by address or number only, told, ended at once."""

import pytest
from django.test import Client

from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.tenancy import identity_of
from tests.core.authentication.test_login import WRONG, log_in
from tests.core.authentication.test_resets import as_operator
from tests.core.identity.life import PASSWORD, browser_of, citizen, outbox  # noqa: F401

pytestmark = pytest.mark.django_db
SEARCH = "/plateforme/usagers/"
DEATH = {"reason": "deces", "reference": "courrier 2019-114"}


@pytest.fixture
def operator():
    return as_operator("exploitation@plateforme.test")


@pytest.fixture
def account():
    return citizen("camille@exemple.test")


def page_of(account):
    return f"{SEARCH}{account.pk}/"


def told(account):
    with identity_of(account.pk):
        return list(SecurityEvent.objects.filter(account=account).order_by("at").values_list("event", flat=True))


@pytest.mark.parametrize("typed", ["camille@exemple.test", " Camille@Exemple.test ", "number"])
def test_an_account_is_found_by_its_whole_address_or_its_number(operator, account, typed):
    answer = operator.post(SEARCH, {"who": str(account.pk) if typed == "number" else typed})
    assert answer["Location"] == page_of(account)
    assert "Camille Essai" in operator.get(page_of(account)).content.decode()


@pytest.mark.parametrize("typed", ["camille", "Essai", "camille@", "@exemple.test", "%", "0", "9" * 30, "²", "\x00"])
def test_nothing_less_finds_anybody(operator, account, typed):
    answer = operator.post(SEARCH, {"who": typed})
    assert answer.status_code == 422
    assert "Camille" not in answer.content.decode()


def test_an_agent_is_not_found_here(operator, account_for, juvignac):
    agent = account_for(juvignac, "secretaire")
    assert "Aucun compte d’usager" in operator.post(SEARCH, {"who": agent.email}).content.decode()
    assert operator.get(page_of(agent)).status_code == 404


def test_the_page_shows_no_list_and_no_whole_address(operator, account):
    assert account.full_name not in operator.get(SEARCH).content.decode()
    assert account.email not in operator.get(page_of(account)).content.decode()


def test_whoever_is_looked_at_knows_it(operator, account):
    operator.get(page_of(account))
    operator.get(page_of(account))
    assert told(account) == ["manager.user.consultation"], "once a day"
    assert "Compte consulté par l’exploitation" in browser_of(account).get("/mon-compte/evenements/").content.decode()


def test_a_suspension_ends_sessions_at_once_and_is_told(operator, account, run_jobs, outbox):  # noqa: F811
    holder = Client()
    log_in(holder, account.email, PASSWORD)
    assert holder.get("/mon-compte/").status_code == 200
    answer = operator.post(page_of(account) + "suspendre/", DEATH)
    assert answer["Location"] == page_of(account)
    assert holder.get("/mon-compte/").status_code == 302
    run_jobs()
    assert outbox[-1].to == [account.email]
    assert "Motif : Décès signalé." in outbox[-1].body
    assert "/aide/contact/" in outbox[-1].body
    shown = operator.get(page_of(account)).content.decode()
    assert "courrier 2019-114" in shown
    assert "Opé Rateur" in shown


def test_login_says_only_the_usual_sentence_and_the_mail_explains(operator, account, run_jobs, outbox):  # noqa: F811
    operator.post(page_of(account) + "suspendre/", DEATH)
    page = log_in(Client(), account.email, PASSWORD).content.decode()
    assert WRONG in page
    assert "suspendu" not in page
    run_jobs()
    assert "votre compte est suspendu ou fermé" in outbox[-1].body


def test_a_reopened_account_opens_again(operator, account, run_jobs, outbox):  # noqa: F811
    operator.post(page_of(account) + "suspendre/", {"reason": "detournement", "reference": "t-1"})
    operator.post(page_of(account) + "rouvrir/", {"reason": "titulaire", "reference": "t-2"})
    assert log_in(Client(), account.email, PASSWORD).status_code == 302
    run_jobs()
    assert "Votre compte est de nouveau ouvert" in [message.subject for message in outbox]
    with identity_of(account.pk):
        reopened = SecurityEvent.objects.get(event="manager.user.activation")
    assert reopened.actor == operator.account
    assert reopened.data == {"reason": "titulaire", "reference": "t-2"}


@pytest.mark.parametrize("form", [{}, {"reason": "deces"}, {"reason": "envie", "reference": "x"}, {"reference": "x"}])
def test_a_reason_and_a_reference_are_asked(operator, account, form):
    assert operator.post(page_of(account) + "suspendre/", form).status_code == 422
    account.refresh_from_db()
    assert account.suspended_at is None


def test_twice_is_refused_in_words(operator, account):
    assert "n’est pas suspendu" in operator.post(
        page_of(account) + "rouvrir/", {"reason": "erreur", "reference": "x"}
    ).content.decode()  # fmt: skip
    operator.post(page_of(account) + "suspendre/", DEATH)
    assert "déjà suspendu" in operator.post(page_of(account) + "suspendre/", DEATH).content.decode()


def test_a_fresh_proof_is_asked(account):
    late = as_operator("tard@plateforme.test")
    session = late.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "webauthn", "at": 1000}]
    session.save()
    for page in (SEARCH, page_of(account) + "suspendre/"):
        assert "/mon-compte/securite/confirmer/" in late.post(page, {**DEATH, "who": account.email})["Location"]
    account.refresh_from_db()
    assert account.suspended_at is None
