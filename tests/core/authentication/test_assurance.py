"""Assurance levels, and the fresh proof that sensitive actions ask for."""

import time

import pytest

from parvis.core.authentication.assurance import assess

NOW = 1_700_000_000.0


def password(age=0.0):
    return {"method": "password", "at": NOW - age}


def factor(kind, age=0.0):
    return {"method": "mfa", "type": kind, "at": NOW - age}


@pytest.mark.parametrize(
    ("records", "acr", "amr"),
    [
        ([], "", ()),
        ([password()], "parvis:1", ("pwd",)),
        ([{"method": "password_reset", "at": NOW}], "parvis:1", ()),
        ([password(), factor("totp")], "parvis:2", ("pwd", "otp", "mfa")),
        ([password(), factor("recovery_codes")], "parvis:2", ("pwd", "otp", "mfa")),
        ([factor("webauthn")], "parvis:2", ("pop", "user", "mfa")),
        ([factor("totp")], "parvis:1", ("otp",)),
        ([{"method": "franceconnect", "at": NOW, "acr": "eidas1", "amr": []}], "eidas1", ()),
        ([{"method": "proconnect", "at": NOW, "acr": "eidas1", "amr": ["pwd"]}], "parvis:1", ("pwd",)),
        (
            [{"method": "proconnect", "at": NOW, "acr": "https://proconnect.gouv.fr/assurance/self-asserted-2fa"}],
            "parvis:2",
            ("mfa",),
        ),
        ([{"method": "franceconnect", "at": NOW}, factor("totp")], "parvis:2", ("otp", "mfa")),
    ],
)
def test_the_level_is_what_the_session_proved(records, acr, amr):
    found = assess(records, NOW)
    assert (found.acr, found.amr) == (acr, amr)


def test_a_level_dates_from_the_older_of_its_two_proofs():
    found = assess([password(400), factor("totp", 10)], NOW)
    assert (found.acr, found.recent, found.auth_time) == ("parvis:2", False, int(NOW - 400))
    assert assess([password(400), factor("totp", 390), password(5), factor("totp", 4)], NOW).recent
    assert assess([password(400), factor("totp", 390), factor("webauthn", 1)], NOW).recent


def test_a_remembered_session_falls_back_to_level_one():
    records = [password(13 * 3600), factor("totp", 13 * 3600)]
    assert assess(records, NOW).acr == "parvis:2"
    assert assess(records, NOW, remembered=True).acr == "parvis:1"


def test_reaching_a_level():
    strong = assess([password(), factor("totp")], NOW)
    assert strong.reaches("parvis:1")
    assert strong.reaches("parvis:2")
    assert not strong.reaches("eidas1")
    federated = assess([{"method": "franceconnect", "at": NOW}], NOW)
    assert federated.reaches("eidas1")
    assert federated.reaches("parvis:1")
    assert not federated.reaches("parvis:2")


@pytest.fixture
def old_client(agent_client, juvignac):
    """An administrator who proved who they are an hour ago."""
    client = agent_client(juvignac, "administrateur")
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": time.time() - 3600} for record in session["account_authentication_methods"]
    ]
    session.save()
    return client


def code_of(account):
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
    from allauth.mfa.utils import decrypt

    secret = decrypt(Authenticator.objects.get(user=account, type="totp").data["secret"])
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))


SENT = {"reason": "téléphone perdu", "in_person": "on", "title": ["l’une", "l’autre"]}


@pytest.fixture
def address(agent_client, juvignac):
    """A page that asks for a fresh proof before it changes anything."""
    lost = agent_client(juvignac, "lecteur").account
    return f"/o/juvignac/administration/second-facteur/{lost.pk}/"


def test_what_was_being_sent_waits_for_the_proof_and_is_sent_again_with_one_click(old_client, address):
    answer = old_client.post(address, SENT)
    assert answer.status_code == 303
    assert answer["Location"].startswith("/mon-compte/securite/confirmer/?suite=")
    page = old_client.get(answer["Location"])
    assert "Ce que vous envoyiez est gardé" in page.content.decode()
    token = answer["Location"].partition("suite=")[2]
    key = old_client.session.session_key
    half = old_client.post(
        "/mon-compte/securite/confirmer/", {"password": "une phrase de passe d'essai 2019", "suite": token}
    )
    assert half.status_code == 400, "the second factor is asked too"
    done = old_client.post(
        "/mon-compte/securite/confirmer/",
        {"password": "une phrase de passe d'essai 2019", "code": code_of(old_client.account), "suite": token},
    )
    assert done.status_code == 302
    assert done["Location"] == f"/mon-compte/securite/reprendre/?suite={token}"
    assert old_client.session.session_key != key, "a new session identifier at each proof"
    shown = old_client.get(done["Location"]).content.decode()
    assert f'action="{address}"' in shown
    assert 'name="reason" value="téléphone perdu"' in shown
    assert 'value="l’une"' in shown
    assert 'value="l’autre"' in shown
    assert old_client.post(address, SENT).status_code != 303
    assert old_client.get(done["Location"]).status_code == 302, "shown once"


def why(client, query):
    return client.get(f"/mon-compte/securite/confirmer/?{query}").context["why"]


def test_the_page_says_why_it_asks(old_client, agent_client, juvignac):
    assert "il y a plus de cinq minutes" in why(old_client, "next=/bureau/")
    fresh = agent_client(juvignac, "secretaire")
    assert "Le site que vous rejoignez" in why(fresh, f"next=/bureau/&depuis={int(time.time()) + 60}")
    assert why(fresh, "") == "Prouvez de nouveau qui vous êtes pour continuer."
    session = fresh.session
    session["account_authentication_methods"] = session["account_authentication_methods"][:1]
    session.save()
    assert "second facteur, que cette session" in why(fresh, "next=/bureau/")
    session["authentication.doubt"] = {"since": int(time.time()) + 60, "told": []}
    session.save()
    assert "n’est plus dans le navigateur" in why(fresh, "next=/bureau/")


def test_reading_needs_no_fresh_proof(old_client, address):
    assert old_client.get(address).status_code == 200


def test_a_wrong_password_keeps_asking_and_keeps_what_waits(old_client, address):
    answer = old_client.post(address, SENT)
    token = answer["Location"].partition("suite=")[2]
    refused = old_client.post(answer["Location"], {"password": "faux", "code": "000000", "suite": token})
    assert refused.status_code == 400
    assert "pas le bon" in refused.content.decode()
    assert "Ce que vous envoyiez est gardé" in old_client.get(answer["Location"]).content.decode()


def test_files_and_long_texts_are_not_kept_and_that_is_said(old_client, address):
    from django.core.files.uploadedfile import SimpleUploadedFile

    taking = "/o/juvignac/administration/certificats/nouveau/"  # asks for the proof before anything is looked for
    answer = old_client.post(taking, {"file": SimpleUploadedFile("a.xml", b"<x/>")})
    token = answer["Location"].partition("suite=")[2]
    shown = old_client.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()
    assert "choisissez-les de nouveau" in shown
    old_client.post(taking, {"file": SimpleUploadedFile("a.xml", b"<x/>"), "title": "à ne pas garder"})
    assert "à ne pas garder" not in str(dict(old_client.session)), "nothing would be done of it"
    answer = old_client.post(address, {"email": "x" * 70_000})
    token = answer["Location"].partition("suite=")[2]
    assert "trop long" in old_client.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()


def test_secrets_are_not_kept(old_client, address):
    old_client.post(address, {**SENT, "password": "secret-a-ne-pas-garder"})
    assert "secret-a-ne-pas-garder" not in str(dict(old_client.session))


def test_what_is_sent_with_a_secret_of_a_form_is_typed_again(old_client, address):
    answer = old_client.post(address, {**SENT, "secret": "secret-a-ne-pas-garder"})
    assert "secret-a-ne-pas-garder" not in str(dict(old_client.session))
    token = answer["Location"].partition("suite=")[2]
    shown = old_client.get(f"/mon-compte/securite/reprendre/?suite={token}").content.decode()
    assert "Un secret ne se garde pas" in shown
    assert "téléphone perdu" not in shown
    kept = old_client.post(address, {**SENT, "secret": ""})["Location"].partition("suite=")[2]
    assert "téléphone perdu" in old_client.get(f"/mon-compte/securite/reprendre/?suite={kept}").content.decode()


def test_what_waits_is_not_shown_to_another_account(old_client, address, agent_client, juvignac):
    answer = old_client.post(address, SENT)
    other = agent_client(juvignac, "lecteur")
    session = other.session
    session["authentication.pending"] = old_client.session["authentication.pending"]
    session.save()
    token = answer["Location"].partition("suite=")[2]
    assert other.get(f"/mon-compte/securite/reprendre/?suite={token}").status_code == 302


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("http://testserver/o/juvignac/administration/?page=2", "/o/juvignac/administration/?page=2"),
        ("http://testserver//ailleurs.test/x", None),
        ("https://ailleurs.test/x", None),
    ],
)
def test_the_page_that_sent_is_led_back_to_on_this_site_alone(old_client, address, page, back):
    token = old_client.post(address, SENT, headers={"referer": page})["Location"].partition("suite=")[2]
    kept = old_client.session["authentication.pending"][token]["back"]
    assert kept == (back or "")


@pytest.mark.parametrize(
    "wanted", ["https://ailleurs.test/", "//ailleurs.test/", "/\\ailleurs.test", "javascript:alert(1)"]
)
def test_the_way_back_stays_on_this_site(old_client, wanted):
    done = old_client.post(
        "/mon-compte/securite/confirmer/",
        {"password": "une phrase de passe d'essai 2019", "code": code_of(old_client.account), "next": wanted},
    )
    assert done.status_code == 302
    assert done["Location"] == "/mon-compte/securite/"


def test_an_htmx_request_sends_the_whole_page_to_the_proof(old_client, address):
    answer = old_client.post(address, SENT, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"].startswith("/mon-compte/securite/confirmer/")
