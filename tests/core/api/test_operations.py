"""Operations: what is read and written, how refusals are told, and what no call can do."""

import io
import json
import re
import uuid

import pytest
from django.conf import settings as django_settings
from django.test import Client

from parvis.core.api.middleware import MAX_BODY
from parvis.core.api.registry import scopes
from parvis.core.documents.services import store
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.referentials.legality import MAX_ARCHIVE
from parvis.core.web.uploads import exceeds
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services.preparation import prepare_acte

ALL = sorted({"organisation.lire", "annuaire.lire", "actes.lire", "actes.preparer", "opendata.lire"})


def a_pdf(text="Délibération"):
    from pikepdf import Pdf

    pdf, out = Pdf.new(), io.BytesIO()
    pdf.add_blank_page(page_size=(595, 842))
    pdf.docinfo["/Title"] = text
    pdf.save(out, linearize=False)
    return out.getvalue()


def uploaded(name="acte.pdf", content=None):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, a_pdf() if content is None else content, content_type="application/pdf")


def facts(**changes):
    return {
        "numero": "19.07.01.05",
        "nature": "1",
        "objet": "Budget",
        "date": "2019-07-01",
        "matiere": "7.1",
        **changes,
    }


def an_acte(organisation, numero="2019-001", date="2019-07-01", objet="Un acte"):
    with acting_for(organisation):
        document = store(organisation, a_pdf(numero), "acte.pdf")
        values = {"numero": numero, "nature": "1", "objet": objet, "date": date, "matiere": "5.7"}
        return prepare_acte(organisation, values, document, actor=Actor("system"))


def test_the_scopes_are_those_that_the_packages_named():
    assert {scope.code for scope in scopes()} >= set(ALL)


# --- reading -------------------------------------------------------------------------------------------------
def test_the_organisation_is_the_one_of_the_account(caller, juvignac, fabregues):
    assert caller(juvignac, "organisation.lire").get("/organisation").json()["nom"] == "Commune de Juvignac"
    assert caller(fabregues, "organisation.lire").get("/organisation").json()["nom"] == "Commune de Fabrègues"


def test_the_directory_gives_the_mandates_in_force_without_addresses(caller, juvignac, fabregues, account_for):
    account_for(juvignac, "maire", given_name="Alix", family_name="Exemple", title="Maire")
    account_for(fabregues, "maire", given_name="Noa", family_name="Ailleurs")
    answer = caller(juvignac, "annuaire.lire").get("/personnes")
    assert [(p["prenom"], p["qualite"]) for p in answer.json()["elements"]] == [("Alix", "Maire")]
    assert "@" not in answer.content.decode()
    assert "Ailleurs" not in answer.content.decode()


def test_acts_are_listed_page_by_page_and_filtered(caller, juvignac):
    for day in range(1, 6):
        an_acte(juvignac, f"2019-00{day}", f"2019-07-0{day}", "Voirie" if day == 3 else "Divers")
    us = caller(juvignac, "actes.lire")
    seen, cursor = [], ""
    while True:
        page = us.get("/actes", {"limite": 2, "curseur": cursor}).json()
        seen += [acte["numero"] for acte in page["elements"]]
        cursor = page["suivant"]
        if cursor is None:
            break
    assert seen == [f"2019-00{day}" for day in (5, 4, 3, 2, 1)]
    assert [a["objet"] for a in us.get("/actes", {"q": "voirie"}).json()["elements"]] == ["Voirie"]
    assert us.get("/actes", {"du": "2019-07-04"}).json()["elements"][-1]["date"] == "2019-07-04"


def test_an_act_and_its_file_are_read(caller, juvignac):
    acte = an_acte(juvignac)
    us = caller(juvignac, "actes.lire")
    assert us.get(f"/actes/{acte.pk}").json()["numero"] == "2019-001"
    file = us.get(f"/actes/{acte.pk}/document")
    assert b"".join(file.streaming_content).startswith(b"%PDF")
    again = us.get(f"/actes/{acte.pk}/document", headers={"If-None-Match": file["ETag"]})
    assert again.status_code == 304


def test_what_is_read_again_unchanged_is_not_sent_again(caller, juvignac):
    us = caller(juvignac, "organisation.lire")
    first = us.get("/organisation")
    again = us.get("/organisation", headers={"If-None-Match": f'"autre", {first["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")


def test_an_act_of_another_organisation_answers_like_a_missing_one(caller, juvignac, fabregues):
    theirs = an_acte(fabregues)
    us = caller(juvignac, "actes.lire")
    for end in ("", "/document"):
        foreign, missing = (us.get(f"/actes/{pk}{end}") for pk in (theirs.pk, uuid.uuid4()))
        assert foreign.status_code == missing.status_code == 404
        foreign, missing = foreign.json(), missing.json()
        assert foreign.pop("instance") != missing.pop("instance")
        assert foreign == missing


def test_open_data_is_read_row_by_row(caller, juvignac):
    from parvis.opendata.services import deliberations_dataset

    with acting_for(juvignac):
        deliberations_dataset(juvignac)
    us = caller(juvignac, "opendata.lire")
    assert us.get("/donnees").json()[0]["identifiant"] == "deliberations"
    assert us.get("/donnees/deliberations/lignes").json() == {"elements": [], "suivant": None}
    assert us.get("/donnees/ailleurs/lignes").status_code == 404


# --- preparing an act ----------------------------------------------------------------------------------------
def test_an_act_is_prepared_and_journalled_in_the_name_of_the_software(caller, juvignac):
    us = caller(juvignac, "actes.preparer")
    annexes = [uploaded("plan.pdf", a_pdf("plan")), uploaded("note.pdf", a_pdf("note"))]
    answer = us.post("/actes", {**facts(), "fichier": uploaded(), "annexes": annexes})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["numero"] == "19.07.01.05"
    assert any(not check["respecte"] for check in made["controles"])  # no classification was received here
    with acting_for(juvignac):
        acte = Acte.objects.get(pk=made["id"])
        assert acte.pieces.count() == 2
        entry = Entry.objects.get(action="actes.prepare")
    assert (entry.actor_kind, entry.actor_id) == ("api", str(us.account.pk))


def test_the_same_number_twice_is_a_conflict(caller, juvignac):
    us = caller(juvignac, "actes.preparer")
    made = us.post("/actes", {**facts(), "fichier": uploaded()}).json()
    again = us.post("/actes", {**facts(), "fichier": uploaded()})
    assert again.status_code == 409
    assert again.json()["errors"][0]["champ"] == "corps.numero"
    assert again.json()["existant"] == {"id": made["id"], "adresse": f"/api/v1/actes/{made['id']}"}


def test_an_act_that_has_not_left_is_corrected(caller, juvignac):
    us = caller(juvignac, "actes.preparer")
    made = us.post("/actes", {**facts(), "fichier": uploaded()}).json()
    changes = {"objet": "Budget relu", "numero_transmis": "DEL_5", "date": "2019-06-30"}
    answer = us.patch(f"/actes/{made['id']}", changes)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert {name: told[name] for name in changes} == changes
    assert any(check["code"] == "objet" and check["respecte"] for check in told["controles"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"numero_transmis": "del-5"}, "corps.numero_transmis"), ({"matiere": "7.5"}, "corps.matiere")],
)
def test_a_refused_correction_names_its_field(caller, juvignac, changes, named):
    us = caller(juvignac, "actes.preparer")
    made = us.post("/actes", {**facts(), "fichier": uploaded()}).json()
    answer = us.patch(f"/actes/{made['id']}", changes)
    assert answer.status_code == 422
    assert [error["champ"] for error in answer.json()["errors"]] == [named]


def test_an_act_that_left_is_a_conflict(caller, juvignac):
    us = caller(juvignac, "actes.preparer")
    made = us.post("/actes", {**facts(), "fichier": uploaded()}).json()
    with acting_for(juvignac):
        Acte.objects.filter(pk=made["id"]).update(status=3)
    assert us.patch(f"/actes/{made['id']}", {"objet": "Trop tard"}).status_code == 409


BAD_ACTS = {
    "no file": ({}, None, "corps.fichier"),
    "no number": ({"numero": ""}, "pdf", "corps.numero"),
    "a date that is none": ({"date": "2019-02-30"}, "pdf", "corps.date"),
    "a nature that is none": ({"nature": "9"}, "pdf", "corps.nature"),
    "a null character": ({"objet": "Bud\x00get"}, "pdf", "corps.objet"),
    "a subject too long": ({"objet": "x" * 500}, "pdf", "corps.objet"),
    "a matter that is none": ({"matiere": "finances"}, "pdf", "corps.matiere"),
}


@pytest.mark.parametrize("case", BAD_ACTS)
def test_a_refused_act_names_the_field_the_rule_and_the_way_out(caller, juvignac, case):
    changes, file, named = BAD_ACTS[case]
    answer = caller(juvignac, "actes.preparer").post(
        "/actes", {**facts(**changes), **({"fichier": uploaded()} if file else {})}
    )
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [error["champ"] for error in errors] == [named]
    assert all(error["regle"] and error["solution"] for error in errors)


@pytest.mark.parametrize("content", [b"", b"MZ not a PDF", b"%PDF-1.7 truncated"])
def test_a_file_that_is_no_sound_pdf_leaves_nothing(caller, juvignac, content):
    answer = caller(juvignac, "actes.preparer").post("/actes", {**facts(), "fichier": uploaded(content=content)})
    assert answer.status_code == 422
    assert answer.json()["detail"]
    with acting_for(juvignac):
        assert not Acte.objects.exists()
        assert not Entry.objects.filter(action="actes.prepare").exists()


def test_a_refusal_after_writing_leaves_nothing_written(caller, juvignac):
    """The number cannot be transmitted: the file was already stored when it was found out."""
    from parvis.core.documents.models import Document

    answer = caller(juvignac, "actes.preparer").post("/actes", {**facts(numero="---"), "fichier": uploaded()})
    assert answer.status_code == 422
    with acting_for(juvignac):
        assert not Document.objects.exists()


# --- attacks -------------------------------------------------------------------------------------------------
def test_a_scope_opens_its_own_operations_only(caller, juvignac):
    us = caller(juvignac, "actes.lire")
    for path in ("/personnes", "/organisation", "/donnees"):
        answer = us.get(path)
        assert answer.status_code == 403, path
        assert "droit" in answer.json()["detail"]
    assert us.post("/actes", {**facts(), "fichier": uploaded()}).status_code == 403


def test_no_parameter_gives_a_scope_or_another_organisation(caller, juvignac, fabregues):
    us = caller(juvignac, "organisation.lire")
    forged = {"organisation": fabregues.siren, "organisation_slug": "fabregues", "scope": "actes.lire"}
    headers = {"X-Organisation": "fabregues", "X-Scopes": "actes.lire"}
    assert us.get("/organisation", forged, headers=headers).json()["siren"] == juvignac.siren
    assert us.get("/actes", forged, headers=headers).status_code == 403


def test_a_session_proves_nothing_to_the_api_and_none_is_made(agent_client, juvignac):
    client = agent_client(juvignac, "administrateur")
    for answer in (client.get("/api/v1/moi"), client.post("/api/v1/actes", facts())):
        assert answer.status_code == 401
        assert not answer.cookies


def test_a_call_needs_no_csrf_token_for_no_cookie_counts(caller, juvignac):
    us = caller(juvignac, "actes.preparer")
    us.client.handler.enforce_csrf_checks = True
    assert us.post("/actes", {**facts(), "fichier": uploaded()}).status_code == 201


def test_an_organisation_that_left_the_application_reads_and_no_longer_writes(caller, juvignac):
    us = caller(juvignac, "actes.lire", "actes.preparer")
    juvignac.subscriptions.filter(application="edemat").update(until="2019-12-31")
    assert us.get("/actes").status_code == 200
    answer = us.post("/actes", {**facts(), "fichier": uploaded()})
    assert answer.status_code == 403
    assert "adhéré" in answer.json()["detail"]


def test_a_huge_body_is_refused_before_it_is_read(caller, juvignac, settings):
    us = caller(juvignac, "actes.preparer")

    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            raise AssertionError("the body was read")

    for size, limit in ((151 * 2**20, MAX_ARCHIVE), (10**12, MAX_BODY)):
        answer = us.client.generic(
            "POST",
            "/api/v1/actes",
            b"x",
            content_type="multipart/form-data; boundary=x",
            CONTENT_LENGTH=str(size),
            **{"wsgi.input": Endless()},
        )
        assert answer.status_code == 413
        assert answer.json()["detail"] == f"Le corps de la requête {exceeds(size, limit)}."


@pytest.mark.parametrize("size", ["-1", "1e9", "٣", "9" * 40])
def test_a_size_that_is_no_number_is_refused(caller, juvignac, size):
    answer = caller(juvignac).client.generic("GET", "/api/v1/moi", CONTENT_LENGTH=size)
    assert answer.status_code in (400, 413)


def test_a_body_of_unknown_size_is_refused(caller, juvignac):
    answer = caller(juvignac, "actes.preparer").client.generic(
        "POST",
        "/api/v1/actes",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked",
    )
    assert answer.status_code == 411


@pytest.mark.parametrize("media", ["application/json", "text/xml", "", "multipart/mixed"])
def test_another_type_of_content_is_refused(caller, juvignac, media):
    us = caller(juvignac, "actes.preparer")
    answer = us.client.generic("POST", "/api/v1/actes", json.dumps(facts()), content_type=media)
    assert answer.status_code == 415
    assert answer["Accept-Post"] == "multipart/form-data"


def test_a_broken_multipart_body_is_refused(caller, juvignac):
    us = caller(juvignac, "actes.preparer")
    for media in ("multipart/form-data", "multipart/form-data; boundary=" + "é" * 300):
        answer = us.client.generic("POST", "/api/v1/actes", b"garbage", content_type=media)
        assert answer.status_code in (400, 422)


STRANGE = [
    ("/actes?limite=" + "9" * 31, 422),
    ("/actes?limite=" + "9" * 5000, 422),
    ("/actes?limite=-1", 422),
    ("/actes?limite=1.5", 422),
    ("/actes?curseur=n-importe-quoi", 422),
    ("/actes?curseur=2019-07-01.0", 422),
    ("/actes?curseur=" + "9" * 30 + ".0197c0de000070008000000000000000", 422),
    ("/personnes?curseur=%00", 422),
    ("/actes?q=%00", 422),
    ("/actes?q=" + "x" * 300, 422),
    ("/actes?du=0000-01-01", 422),
    ("/actes?du=9999-12-31", 200),
    ("/actes?etat=%27%20OR%201%3D1", 422),
    ("/actes/" + "9" * 31, 404),
    ("/actes/%00", 400),
    ("/donnees/%2e%2e/lignes", 404),
    ("/donnees/" + "x" * 5000 + "/lignes", 404),
    ("/rien", 404),
    ("/", 404),
]


@pytest.mark.parametrize(("path", "status"), STRANGE, ids=[p[:40] for p, _ in STRANGE])
def test_strange_values_are_refused_in_words(caller, juvignac, path, status):
    answer = caller(juvignac, *ALL).get(path)
    assert answer.status_code == status, answer.content
    if status >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert (body["status"], bool(body["detail"]), bool(body["title"])) == (status, True, True)


def test_another_method_is_refused_with_those_allowed(caller, juvignac):
    answer = caller(juvignac, "actes.lire").client.delete("/api/v1/actes")
    assert answer.status_code == 405
    assert set(answer["Allow"].replace(" ", "").split(",")) == {"GET", "POST"}
    assert answer.json()["type"] == "/api/#methode-refusee"


def test_a_fault_of_ours_is_told_without_its_reason(caller, juvignac, monkeypatch, caplog):
    from parvis.edemat.actes import board

    def broken(*_, **__):
        raise RuntimeError("mot de passe : hunter2")

    monkeypatch.setattr(board, "acts", broken)
    answer = caller(juvignac, "actes.lire").get("/actes")
    assert answer.status_code == 500
    assert "hunter2" not in answer.content.decode()
    assert answer.json()["instance"] == f"urn:parvis:requete:{answer['X-Request-Id']}"
    assert "hunter2" in caplog.text


def test_a_call_is_told_its_number(caller, juvignac):
    assert re.fullmatch(r"[0-9a-f]{32}", caller(juvignac).get("/moi")["X-Request-Id"])


# --- rate limits ---------------------------------------------------------------------------------------------
def test_an_account_is_asked_to_wait_then_heard_again(caller, juvignac, fabregues, settings, frozen_clock):
    settings.PARVIS_API_CALLS_PER_ACCOUNT = 5
    frozen_clock("2026-03-01T10:00:15+00:00")
    us, them = caller(juvignac), caller(fabregues)
    assert [us.get("/moi").status_code for _ in range(7)] == [200] * 5 + [429] * 2
    refusal = us.get("/moi")
    assert refusal["Retry-After"] == "45"
    assert "45 s" in refusal.json()["detail"]
    assert them.get("/moi").status_code == 200
    frozen_clock("2026-03-01T10:01:00+00:00")  # the minute before still weighs whole
    assert us.get("/moi").status_code == 429
    frozen_clock("2026-03-01T10:02:01+00:00")
    assert us.get("/moi").status_code == 200


def test_an_address_that_proves_nothing_is_counted_too_and_locks_no_account_out(caller, juvignac, settings):
    settings.PARVIS_API_CALLS_PER_ADDRESS = 3
    us = caller(juvignac)
    stranger = Client(headers={"Authorization": f"Bearer {us.account.identifier}.faux"})
    answers = [stranger.get("/api/v1/moi", REMOTE_ADDR="198.51.100.9").status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]
    assert us.get("/moi").status_code == 200


def test_a_subscriber_of_ipv6_is_counted_by_network(caller, juvignac, settings):
    settings.PARVIS_API_CALLS_PER_ADDRESS = 2
    answers = [Client().get("/api/v1/moi", REMOTE_ADDR=f"2001:db8::{n}").status_code for n in (1, 2, 3)]
    assert answers == [401, 401, 429]
    assert Client().get("/api/v1/moi", REMOTE_ADDR="2001:db8:0:1::1").status_code == 401


def test_meters_are_forgotten_after_an_hour(caller, juvignac, frozen_clock):
    from parvis.core.api.models import Meter
    from parvis.core.api.throttling import forget_idle_meters

    frozen_clock("2026-03-01T10:00:00+00:00")
    caller(juvignac).get("/moi")
    assert forget_idle_meters() == 0
    frozen_clock("2026-03-01T11:02:00+00:00")
    assert forget_idle_meters() == 2
    assert not Meter.objects.exists()


# --- description ---------------------------------------------------------------------------------------------
def test_the_description_is_open_and_states_every_refusal(client, db):
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["components"]["securitySchemes"]) == {"basic", "bearer"}
    for path, methods in schema["paths"].items():
        for method, details in methods.items():
            assert details["security"], (path, method)
            assert {"401", "403", "422", "429"} <= set(details["responses"]), (path, method)


def test_the_documentation_loads_nothing_from_elsewhere(client, db):
    page = client.get("/api/").content.decode()
    assert "/api/v1/actes" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=\"https?:", page)
    assert " style=" not in page
    assert django_settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["script-src"] == ["'self'"]
