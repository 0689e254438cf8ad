"""From a refusal in the parapheur to the signature of the corrected deliberation, through both services."""

import pytest

from parvis.core.documents.services import read_bytes
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, Task
from parvis.edemat.parapheur import services as parapheur
from parvis.edemat.parapheur.models import Dossier
from parvis.edemat.seances import services as seances
from parvis.edemat.seances.errors import DeliberationBlocked
from parvis.edemat.seances.models import Deliberation, Scrutin
from parvis.edemat.seances.services.deliberations import text_of_pdf
from tests.edemat.parapheur.conftest import _trust, dgs, maire, pki  # noqa: F401
from tests.edemat.seances.conftest import council, make_council  # noqa: F401
from tests.edemat.seances.council import ACTOR

REASON = "Le montant de l’article 1er est faux"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    """What comes after the signature has its own tests."""
    from parvis.core.routing import registry

    for code in seances.STEP_CODES[2:]:
        names = {"code": code, "label": code, "done_label": code, "permission": "actes.lire"}
        monkeypatch.setitem(registry._plugins, code, type("Quiet", (), names | {"start": lambda s, step: None})())


@pytest.fixture
def refused(council, dgs):  # noqa: F811
    council.convoke()
    council.deliver()
    council.open(presents=18, powers=8)
    council.rise()
    council.freeze("2019-07-02T09:12:30+02:00")
    deliberation = seances.establish(Deliberation.objects.get(point__rank=1), actor=ACTOR)
    seances.send_to_signature(deliberation, actor=ACTOR)
    dossier = Dossier.objects.get()
    parapheur.refuse(dossier.pk, account=dgs, motive=REASON, sha256=dossier.document.sha256, actor=_by(dgs))
    return Deliberation.objects.get(pk=deliberation.pk)


def _by(account):
    return Actor("account", str(account.pk))


def _open_tasks():
    return list(Task.objects.filter(state="open", service="parapheur").values_list("verb", flat=True))


def test_the_corrected_text_is_signed_and_the_refused_version_is_kept(refused, dgs, maire, run_jobs):  # noqa: F811
    first = refused.document
    assert _open_tasks() == ["Corriger"]
    vote = Scrutin.objects.values().get(point=refused.point)
    corrected = seances.correct(refused, dispositif="D’APPROUVER la somme de 193,60 euros", actor=ACTOR)
    assert corrected.document.source == first
    assert "193,60 euros" in text_of_pdf(read_bytes(corrected.document))
    assert Scrutin.objects.values().get(point=refused.point) == vote
    route = seances.send_back(corrected, actor=ACTOR)
    assert [one.document for one in route.documents.filter(role="original")] == [first, corrected.document]
    assert _open_tasks() == ["Viser"]

    renewed = Dossier.objects.get(state=Dossier.State.VISA)
    assert renewed.document == corrected.document
    parapheur.endorse(renewed.pk, account=dgs, sha256=corrected.document.sha256, actor=_by(dgs))
    parapheur.ask_signature(renewed.pk, account=maire, sha256=corrected.document.sha256, actor=_by(maire))
    run_jobs(queue="parapheur")
    renewed = Dossier.objects.get(pk=renewed.pk)
    assert (renewed.state, renewed.failure) == ("signed", "")
    assert Route.objects.get().document("signe").source == corrected.document
    actions = set(Entry.objects.values_list("action", flat=True))
    assert {"seances.deliberation_corrigee", "seances.deliberation_renvoyee"} <= actions


def test_what_was_not_corrected_is_not_sent_back(refused):
    with pytest.raises(DeliberationBlocked, match="corrigez-la d’abord"):
        seances.send_back(refused, actor=ACTOR)


def test_a_correction_that_breaks_a_rule_is_not_sent_back(refused):
    corrected = seances.correct(refused, matiere="", actor=ACTOR)
    with pytest.raises(DeliberationBlocked, match="ne peut pas repartir"):
        seances.send_back(corrected, actor=ACTOR)
    assert _open_tasks() == ["Corriger"]


def test_once_back_at_signature_the_text_changes_no_more(refused):
    corrected = seances.correct(refused, dispositif="D’APPROUVER autrement", actor=ACTOR)
    seances.send_back(corrected, actor=ACTOR)
    with pytest.raises(DeliberationBlocked, match="ne change plus"):
        seances.correct(corrected, dispositif="D’APPROUVER encore", actor=ACTOR)


def test_the_facts_of_the_route_follow_the_correction(refused):
    route = seances.send_back(seances.correct(refused, title="Titre juste", matiere="7.1", actor=ACTOR), actor=ACTOR)
    route.refresh_from_db()
    assert (route.title, route.facts["acte"]["objet"], route.facts["acte"]["matiere"]) == (
        "Titre juste", "Titre juste", "7.1",
    )  # fmt: skip


def test_the_pages_lead_from_the_refusal_to_the_signature(refused, agent_client, juvignac):
    secretary = agent_client(juvignac, "secretaire")
    dossier = Dossier.objects.get()
    body = secretary.get(f"/o/juvignac/parapheur/{dossier.pk}/").content.decode()
    assert "Corriger et renvoyer à la signature" in body
    correct = f"/o/juvignac/seances/deliberations/{refused.pk}/corriger/"
    assert correct in body
    shown = secretary.get(correct).content.decode()
    assert REASON in shown
    point = refused.point
    data = {"title": point.title, "dispositif": "D’APPROUVER la somme juste", "expose": point.expose}
    data |= {"visas": point.visas, "matiere": "5.7", "matiere_label": "x", "rapporteur": str(point.rapporteur_id)}
    confirm = secretary.post(correct, data, follow=True).content.decode()
    assert "Renvoyer à la signature" in confirm
    done = secretary.post(f"/o/juvignac/seances/deliberations/{refused.pk}/signature/", follow=True)
    assert "est au parapheur" in done.content.decode()
    with acting_for(juvignac):
        assert Dossier.objects.filter(state="visa").count() == 1


def test_a_reader_does_not_correct(refused, agent_client, juvignac):
    reader = agent_client(juvignac, "lecteur")
    assert reader.get(f"/o/juvignac/seances/deliberations/{refused.pk}/corriger/").status_code == 403
