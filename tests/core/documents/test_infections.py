"""A file that the antivirus recognises: nothing of it is kept, the journal and the administration know."""

import hashlib

import pytest

from parvis.core.documents import services
from parvis.core.documents.errors import DocumentInfected
from parvis.core.documents.models import Document
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for, after_scope
from parvis.core.routing.models import Task

CONTENT = b"un virus"
PAGE = "/o/juvignac/documents/fichiers-infectes/"


@pytest.fixture
def refused(juvignac, clamd):
    """A file refused while it was deposited; what was being done is undone."""
    with pytest.raises(DocumentInfected), acting_for(juvignac):
        services.store(juvignac, CONTENT, "facture.pdf.exe")
    return juvignac


def test_the_journal_and_the_administration_are_told_although_all_was_undone(refused):
    with acting_for(refused):
        assert not Document.objects.exists()
        entry = Entry.objects.get(action="documents.virus")
        assert (entry.sha256, entry.details) == (hashlib.sha256(CONTENT).hexdigest(), {"signature": "Test-Signature"})
        assert "facture" not in str(vars(entry)), "a name of file may be personal"
        task = Task.objects.get()
        assert (task.permission, task.path) == ("administration.organisation", PAGE)
        assert "facture.pdf.exe" in task.title
        assert "Test-Signature" in task.summary


def test_a_refusal_caught_on_the_way_is_told_all_the_same(juvignac, clamd):
    with acting_for(juvignac):
        with pytest.raises(DocumentInfected), acting_for(juvignac):
            services.store(juvignac, CONTENT, "a.txt")
        assert not Task.objects.exists(), "not before all is over"
    with acting_for(juvignac):
        assert Task.objects.count() == 1


def test_the_same_file_sent_twice_is_one_alert(refused):
    with pytest.raises(DocumentInfected), acting_for(refused):
        services.store(refused, CONTENT, "encore.exe")
    with acting_for(refused):
        assert Task.objects.count() == 1
        assert Entry.objects.filter(action="documents.virus").count() == 2


def test_an_administrator_reads_the_alert_and_files_it(refused, agent_client):
    client = agent_client(refused, "administrateur")
    assert "facture.pdf.exe" in client.get(PAGE).content.decode()
    with acting_for(refused):
        alert = Task.objects.get()
    for said in ("L’alerte est classée", "déjà été examinée"):
        assert said in client.post(f"{PAGE}{alert.subject_id}/", follow=True).content.decode()
    with acting_for(refused):
        assert Task.objects.get().state == "done"
        assert Entry.objects.filter(action="documents.virus_examine").count() == 1


def test_a_neighbour_sees_no_alert(refused, fabregues, agent_client):
    page = agent_client(fabregues, "administrateur").get(PAGE.replace("juvignac", "fabregues"))
    assert "Aucune alerte" in page.content.decode()


def test_what_follows_a_scope_is_called_once_it_has_ended(juvignac):
    told = []
    with acting_for(juvignac):
        with acting_for(juvignac):
            after_scope(lambda: told.append("followed"))
        told.append("still inside")
    assert told == ["still inside", "followed"]


def test_what_follows_a_scope_never_hides_its_error(juvignac):
    def fail():
        raise RuntimeError("of the follower")

    def work():
        with acting_for(juvignac):
            after_scope(fail)
            raise ValueError("of the scope")

    with pytest.raises(ValueError, match="of the scope"):
        work()
