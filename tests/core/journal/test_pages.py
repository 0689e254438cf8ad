"""Pages of the journal: what an agent reads, what a neighbour never sees."""

import json

import pytest
from django.utils.html import escape

from parvis.core.journal import sealing, verifier
from parvis.core.journal.actions import label_of, register_action
from parvis.core.journal.models import Entry, Seal
from parvis.core.journal.services import Actor, Event, record, record_many
from parvis.core.organisations.tenancy import acting_for

pytestmark = pytest.mark.django_db

SUBJECT = ("essai", "0190-abc")


@pytest.fixture
def entries(juvignac, account_for):
    register_action("essai.fait", "Essai accompli")
    author = account_for(juvignac, "maire", given_name="Dominique", family_name="Inventé")
    with acting_for(juvignac):
        record(juvignac, "essai.fait", subject=SUBJECT, actor=Actor("account", str(author.pk)), sha256="cd" * 32)
        return record_many(juvignac, [Event("essai.fait", SUBJECT, details={"n": n}) for n in range(60)])


def text(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_journal_of_an_object(juvignac, entries, agent_client):
    page = text(agent_client(juvignac, "lecteur").get("/o/juvignac/journal/essai/0190-abc/"))
    assert page.count("Essai accompli</div>") + page.count("Essai accompli<span") == 61
    assert "Dominique Inventé" in page
    assert "/o/juvignac/journal/7/" in page


def test_the_index_goes_back_in_time(juvignac, entries, agent_client):
    client = agent_client(juvignac, "lecteur")
    first = text(client.get("/o/juvignac/journal/"))
    assert "?avant=12" in first
    assert "Sceller maintenant" not in first
    second = text(client.get("/o/juvignac/journal/?avant=12"))
    assert "/o/juvignac/journal/11/" in second
    assert "/o/juvignac/journal/12/" not in second
    assert text(client.get("/o/juvignac/journal/?avant=x"))


def test_an_unsealed_entry_says_so(juvignac, entries, agent_client):
    client = agent_client(juvignac, "lecteur")
    page = text(client.get("/o/juvignac/journal/3/"))
    assert "sera scellée et horodatée cette nuit" in page
    assert "Télécharger la preuve" not in page
    assert client.get("/o/juvignac/journal/3/preuve.json").status_code == 404
    assert "Écriture non prouvée" in text(client.post("/o/juvignac/journal/3/verifier/"))


def test_a_sealed_entry_is_proven_on_line_and_by_file(juvignac, entries, agent_client, sandbox):
    with acting_for(juvignac):
        sealing.seal_day(juvignac)
    client = agent_client(juvignac, "lecteur")
    page = text(client.get("/o/juvignac/journal/1/"))
    assert "Chemin de la preuve (6 empreintes)" in page
    assert "cd" * 32 in page
    checked = text(client.post("/o/juvignac/journal/1/verifier/"))
    assert "Écriture prouvée" in checked
    assert escape("Horodatage valide") in checked
    file = client.get("/o/juvignac/journal/1/preuve.json")
    assert file["Content-Disposition"] == 'attachment; filename="preuve-00000001.json"'
    verifier.check_proof(json.loads(file.content))


def test_an_altered_entry_is_told_on_line(juvignac, entries, agent_client, sandbox, superuser_url):
    from parvis.core.journal import checking

    with acting_for(juvignac):
        sealing.seal_day(juvignac)
        entry = Entry.objects.select_related("organisation").get(seq=4)
        assert all(v.ok for v in checking.verify_entry(entry))
        entry.details = {"n": 999}
        failed = [v.sentence for v in checking.verify_entry(entry) if not v.ok]
    assert len(failed) == 3
    assert "il a été modifié" in failed[0]


def test_only_the_administration_seals_by_hand(juvignac, entries, agent_client, sandbox, run_jobs):
    assert agent_client(juvignac, "lecteur").post("/o/juvignac/journal/sceller/").status_code == 403
    client = agent_client(juvignac, "administrateur")
    asked = text(client.post("/o/juvignac/journal/sceller/", follow=True))
    assert "Scellement en cours" in asked
    assert "Sceller maintenant" not in asked
    client.post("/o/juvignac/journal/sceller/")  # asked twice before the authority answered: one seal
    run_jobs(queue="journal")
    done = text(client.get("/o/juvignac/journal/"))
    assert "Scellement en cours" not in done
    assert "Sceller maintenant" in done
    with acting_for(juvignac):
        seal = Seal.objects.get()
        assert seal.number == 1
        entry = Entry.objects.get(action="journal.scelle")
        assert (entry.actor_kind, entry.actor_id) == ("account", str(client.account.pk))
    client.post("/o/juvignac/journal/sceller/")  # the same day, once more
    run_jobs(queue="journal")
    with acting_for(juvignac):
        assert Seal.objects.count() == 2


def test_a_silent_authority_is_told(juvignac, entries, agent_client, settings, run_jobs):
    settings.PARVIS_TSA_URLS = ["http://127.0.0.1:9/tsa"]
    client = agent_client(juvignac, "administrateur")
    client.post("/o/juvignac/journal/sceller/")
    run_jobs(queue="journal", may_fail=True)
    page = text(client.get("/o/juvignac/journal/"))
    assert "Le dernier scellement n’a pas abouti" in page
    assert "Le premier scellement aura lieu cette nuit" in page


def test_a_neighbour_sees_nothing(juvignac, fabregues, entries, agent_client):
    client = agent_client(fabregues, "administrateur")
    for slug in ("juvignac", "fabregues"):
        for path in ("3/", "3/preuve.json", "essai/0190-abc/"):
            assert client.get(f"/o/{slug}/journal/{path}").status_code == 404


def test_an_unknown_event_shows_its_code():
    assert label_of("inconnu.ici") == "inconnu.ici"


def test_an_event_has_one_name():
    register_action("essai.nom", "Un nom")
    register_action("essai.nom", "Un nom")
    with pytest.raises(ValueError):
        register_action("essai.nom", "Un autre")
