"""The parapheur from visa to signed document, and everything that must stop it."""

import json
import subprocess
from datetime import timedelta

import pytest

from parvis.core.documents.services import read_bytes, store
from parvis.core.identity.models import Mandate
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.core.routing.queries import inbox
from parvis.core.routing.services import attach
from parvis.core.trust import certificates, pades
from parvis.core.trust.models import Certificate
from parvis.core.trust.validation import validate_pdf
from parvis.edemat.parapheur import queries, services
from parvis.edemat.parapheur.models import Dossier
from parvis.edemat.parapheur.placement import find_place
from tests.edemat.parapheur.conftest import AfterSignature, pdf_of


def actor(account):
    return Actor("account", str(account.pk))


@pytest.fixture
def dossier(acting_for_juvignac, open_dossier):
    return open_dossier(acting_for_juvignac)


def seen(dossier):
    return dossier.document.sha256


@pytest.fixture
def endorsed(dossier, dgs):
    return services.endorse(dossier.pk, account=dgs, sha256=seen(dossier), actor=actor(dgs))


@pytest.fixture
def sign(endorsed, maire, run_jobs):
    """``sign()`` asks the signature, runs the job and gives the dossier back."""

    def make():
        services.ask_signature(endorsed.pk, account=maire, sha256=seen(endorsed), actor=actor(maire))
        run_jobs(queue="parapheur")
        return Dossier.objects.get(pk=endorsed.pk)

    return make


def actions(dossier):
    return list(
        Entry.objects.filter(subject_kind="dossier", subject_id=str(dossier.pk))
        .order_by("seq")
        .values_list("action", flat=True)
    )


def open_tasks():
    return list(Task.objects.filter(state="open").values_list("verb", "permission"))


# -- the way through ----------------------------------------------------------------------------------


def test_the_step_opens_a_dossier_and_the_first_task(dossier):
    assert dossier.state == "visa"
    assert [etape.state for etape in dossier.etapes.all()] == ["current", "waiting"]
    assert open_tasks() == [("Viser", "parapheur.viser")]
    task = Task.objects.get()
    assert task.path == f"/o/juvignac/parapheur/{dossier.pk}/"
    assert task.deadline == dossier.created_at + timedelta(days=2)
    assert "2 jours" in task.deadline_rule


def test_the_list_shows_the_delay_of_the_open_step_as_the_desk_does(endorsed):
    assert queries.dossiers("attente").get(pk=endorsed.pk).due == Task.objects.get(state="open").deadline


def test_starting_the_step_again_keeps_the_same_dossier(dossier):
    assert services.create_dossier(dossier.route_step).pk == dossier.pk


def test_the_visa_passes_the_dossier_to_the_signatory(endorsed, dgs):
    assert endorsed.state == "signature"
    visa, signature = endorsed.etapes.all()
    assert (visa.state, visa.account, visa.quality) == ("done", dgs, "Direction générale des services")
    assert visa.document_sha256 == seen(endorsed)
    assert signature.state == "current"
    assert open_tasks() == [("Signer", "parapheur.signer")]


def test_the_signed_document_is_a_valid_b_lta_that_points_to_its_source(sign, tmp_path):
    dossier = sign()
    assert (dossier.state, dossier.verdict) == ("signed", "TOTAL_PASSED")
    signed = dossier.signed_document
    assert (signed.source_id, signed.derivation) == (dossier.document_id, "signature")
    content = read_bytes(signed)
    assert content.startswith(read_bytes(dossier.document))
    signature = validate_pdf(content).signatures[0]
    assert (signature.level, signature.signer) == ("B-LTA", "Camille ESSAI")
    assert (signature.reason, signature.location) == ("Maire", "Juvignac")
    (path := tmp_path / "signed.pdf").write_bytes(content)
    assert "Signature is Valid" in subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True).stdout
    shown = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True).stdout
    assert "Signé électroniquement par Camille Essai" in shown
    assert "sans valeur légale" in shown


def test_the_route_gets_the_documents_the_facts_and_its_next_step(sign):
    dossier = sign()
    route = Route.objects.get()
    assert route.document("signe") == dossier.signed_document
    report = json.loads(read_bytes(route.document("rapport_validation")))
    assert report["verdict"] == "TOTAL_PASSED"
    assert report["sha256"] == dossier.signed_document.sha256
    assert route.facts["signature"] == {
        "signed_at": "2019-07-02T07:12:30+00:00",
        "signatory": "Camille Essai, Maire",
        "verdict": "TOTAL_PASSED",
    }
    step = RouteStep.objects.get(code="parapheur.signature")
    assert (step.state, step.label) == ("done", "Signée")
    assert AfterSignature.started == [str(route.pk)]
    assert open_tasks() == []


def test_every_decision_is_journalled_with_the_digest_it_acted_on(sign):
    dossier = sign()
    assert actions(dossier) == [
        "parapheur.dossier_cree",
        "parapheur.vise",
        "parapheur.signature_demandee",
        "parapheur.signe",
    ]
    last = Entry.objects.filter(action="parapheur.signe").get()
    assert last.sha256 == dossier.signed_document.sha256
    assert last.details["original"] == dossier.document.sha256


def test_running_the_job_twice_signs_once(sign, juvignac):
    dossier = sign()
    services.carry_out_signature(juvignac.pk, dossier.pk)
    assert Entry.objects.filter(action="parapheur.signe").count() == 1
    assert Dossier.objects.get(pk=dossier.pk).signed_document_id == dossier.signed_document_id


def test_the_use_of_the_certificate_is_dated(sign):
    assert sign().etapes.get(action="signature").ended_at == Certificate.objects.get().last_used_at


# -- sign what you see --------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", ["endorse", "ask_signature"])
def test_another_digest_than_the_documents_is_refused(dossier, dgs, maire, decision):
    account = dgs
    if decision == "ask_signature":
        services.endorse(dossier.pk, account=dgs, sha256=seen(dossier), actor=actor(dgs))
        account = maire
    with pytest.raises(services.DocumentChanged) as refusal:
        getattr(services, decision)(dossier.pk, account=account, sha256="0" * 64, actor=actor(account))
    assert "a changé" in refusal.value.sentence


def test_a_document_replaced_on_the_route_is_not_signed(endorsed, maire, juvignac):
    newer = store(juvignac, pdf_of("Deliberation modifiee"), "deliberation.pdf")
    attach(endorsed.route_step.route, "original", newer, "Délibération")
    with pytest.raises(services.DocumentChanged) as refusal:
        services.ask_signature(endorsed.pk, account=maire, sha256=seen(endorsed), actor=actor(maire))
    assert "nouvelle version" in refusal.value.sentence


# -- who may, and when --------------------------------------------------------------------------------


def test_a_mandate_that_ended_does_not_sign(endorsed, maire):
    Mandate.objects.filter(account=maire).update(end="2019-07-01")
    with pytest.raises(services.NotEntitled):
        services.ask_signature(endorsed.pk, account=maire, sha256=seen(endorsed), actor=actor(maire))


def test_a_mandate_that_ends_between_the_order_and_the_job_does_not_sign(endorsed, maire, run_jobs):
    services.ask_signature(endorsed.pk, account=maire, sha256=seen(endorsed), actor=actor(maire))
    Mandate.objects.filter(account=maire).update(end="2019-07-01")
    run_jobs(queue="parapheur")
    dossier = Dossier.objects.get(pk=endorsed.pk)
    assert dossier.state == "signature"
    assert "mandat" in dossier.failure


def test_the_dgs_cannot_sign(endorsed, dgs):
    with pytest.raises(services.NotEntitled):
        services.ask_signature(endorsed.pk, account=dgs, sha256=seen(endorsed), actor=actor(dgs))


def test_without_a_certificate_the_sentence_says_whom_to_ask(endorsed, juvignac, account_for):
    other = account_for(juvignac, "maire", email="adjoint@juvignac.test", title="Première adjointe")
    with pytest.raises(certificates.NoCertificate) as refusal:
        services.ask_signature(endorsed.pk, account=other, sha256=seen(endorsed), actor=actor(other))
    assert "Demandez à l’administration" in refusal.value.sentence


def test_acting_twice_says_who_acted_first(endorsed, dgs):
    with pytest.raises(services.AlreadyHandled) as refusal:
        services.endorse(endorsed.pk, account=dgs, sha256=seen(endorsed), actor=actor(dgs))
    assert "Dominique Essai le 02/07/2019 à 9 h 12 (visé)" in refusal.value.sentence


def test_signing_before_the_visa_is_refused(dossier, maire):
    with pytest.raises(services.AlreadyHandled):
        services.ask_signature(dossier.pk, account=maire, sha256=seen(dossier), actor=actor(maire))


# -- failures of the signature ------------------------------------------------------------------------


def test_without_time_stamp_the_dossier_comes_back_with_the_reason(sign, settings):
    settings.PARVIS_TSA_URLS = ["http://127.0.0.1:9/tsa"]
    dossier = sign()
    assert (dossier.state, dossier.signed_document) == ("signature", None)
    assert "horodatage" in dossier.failure
    assert actions(dossier)[-1] == "parapheur.signature_echouee"
    assert open_tasks() == [("Signer", "parapheur.signer")]


def test_after_a_failure_the_signatory_may_try_again(sign, settings, pki):
    settings.PARVIS_TSA_URLS = ["http://127.0.0.1:9/tsa"]
    assert sign().state == "signature"
    settings.PARVIS_TSA_URLS = [pki.tsa_url]
    dossier = sign()
    assert (dossier.state, dossier.failure) == ("signed", "")


def test_a_signature_that_does_not_validate_is_not_kept(sign, monkeypatch):
    honest = pades.sign
    monkeypatch.setattr(services.pades, "sign", lambda pdf, *a, **k: honest(pdf, *a, **k).replace(b"595", b"596", 1))
    dossier = sign()
    assert (dossier.state, dossier.signed_document) == ("signature", None)
    assert "n’est pas conservée" in dossier.failure


def test_an_unforeseen_error_gives_the_dossier_back_and_shows_in_the_jobs(endorsed, maire, run_jobs, monkeypatch):
    def broken(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(services.pades, "sign", broken)
    services.ask_signature(endorsed.pk, account=maire, sha256=seen(endorsed), actor=actor(maire))
    with pytest.raises(MemoryError):
        run_jobs(queue="parapheur")
    dossier = Dossier.objects.get(pk=endorsed.pk)
    assert dossier.state == "signature"
    assert "incident technique" in dossier.failure


# -- refusal ------------------------------------------------------------------------------------------


def test_a_refusal_stops_the_route_and_tells_the_preparer(dossier, dgs):
    services.refuse(dossier.pk, account=dgs, motive="La date du vote manque", sha256=seen(dossier), actor=actor(dgs))
    dossier = Dossier.objects.get(pk=dossier.pk)
    assert dossier.state == "refused"
    assert dossier.etapes.get(rank=1).motive == "La date du vote manque"
    step = RouteStep.objects.get(code="parapheur.signature")
    assert (step.state, step.summary) == ("failed", "Refusée au parapheur : La date du vote manque")
    assert open_tasks() == [("Corriger", "parapheur.preparer")]
    assert actions(dossier)[-1] == "parapheur.refuse"


@pytest.mark.parametrize("motive", ["", "   ", "non", " n o"])
def test_a_refusal_needs_a_motive(dossier, dgs, motive):
    with pytest.raises(services.MotiveRequired):
        services.refuse(dossier.pk, account=dgs, motive=motive, sha256=seen(dossier), actor=actor(dgs))


def test_put_back_in_the_circuit_a_corrected_document_gets_a_new_dossier(dossier, dgs, juvignac, account_for):
    secretary = account_for(juvignac, "secretaire")
    services.refuse(dossier.pk, account=dgs, motive="Date manquante", sha256=seen(dossier), actor=actor(dgs))
    corrected = store(juvignac, pdf_of("Deliberation corrigee"), "deliberation.pdf")
    attach(dossier.route_step.route, "original", corrected, "Délibération")
    renewed = services.put_back(dossier.pk, actor=actor(secretary))
    assert renewed.pk != dossier.pk
    assert (renewed.state, renewed.document) == ("visa", corrected)
    assert open_tasks() == [("Viser", "parapheur.viser")]


# -- neighbours and places ----------------------------------------------------------------------------


def test_a_neighbour_sees_no_dossier(dossier, fabregues):
    with acting_for(fabregues):
        assert not Dossier.objects.exists()
        with pytest.raises(Dossier.DoesNotExist):
            services.endorse(dossier.pk, account=None, sha256="", actor=Actor("system"))


def test_the_visible_signature_goes_under_the_printed_name():
    page, (left, bottom, right, top) = find_place(pdf_of("texte"), "Camille Essai")
    assert page == 0
    assert (left, right - left, top - bottom) == (272, 210, 44)
    assert 240 < bottom < top < 300


def test_failing_the_name_the_quality_shows_the_place_below_what_is_printed():
    pdf = pdf_of("texte", under="Le Maire,", name="SAVY")
    _, (_, bottom, _, top) = find_place(pdf, "Camille Essai", "Maire")
    assert top < 286  # the name printed under the quality stays uncovered
    assert bottom > 200


@pytest.mark.parametrize("name", ["Personne", ""])
def test_without_the_name_there_is_no_place(name):
    assert find_place(pdf_of("texte"), name) is None


# -- two people ---------------------------------------------------------------------------------------


def on_desk(account):
    return [task.verb for task in inbox(account, Mandate.objects.filter(account=account))]


def test_the_only_signatory_leaves_the_visa_to_somebody_else(dossier, maire, dgs):
    with pytest.raises(services.SamePerson) as refusal:
        services.endorse(dossier.pk, account=maire, sha256=seen(dossier), actor=actor(maire))
    assert "une autre personne doit le viser" in refusal.value.sentence
    assert on_desk(dgs) == ["Viser"]


def test_the_desk_lists_what_each_may_do(acting_for_juvignac, maire, dgs, open_dossier):
    dossier = open_dossier(acting_for_juvignac)
    assert (on_desk(maire), on_desk(dgs)) == ([], ["Viser"])
    services.endorse(dossier.pk, account=dgs, sha256=seen(dossier), actor=actor(dgs))
    assert (on_desk(maire), on_desk(dgs)) == (["Signer"], [])


def test_whoever_gave_the_visa_does_not_sign_even_under_another_mandate(
    acting_for_juvignac, maire, account_for, open_dossier
):
    deputy = account_for(acting_for_juvignac, "maire", email="adjointe@juvignac.test", title="Première adjointe")
    dossier = open_dossier(acting_for_juvignac)
    assert on_desk(maire) == on_desk(deputy) == ["Viser"]
    services.endorse(dossier.pk, account=maire, sha256=seen(dossier), actor=actor(maire))
    assert (on_desk(maire), on_desk(deputy)) == ([], ["Signer"])
    with pytest.raises(services.SamePerson) as refusal:
        services.ask_signature(dossier.pk, account=maire, sha256=seen(dossier), actor=actor(maire))
    assert "Vous avez donné votre visa" in refusal.value.sentence
    assert Dossier.objects.get(pk=dossier.pk).state == "signature"


def test_one_person_with_two_mandates_is_still_one_person(acting_for_juvignac, account_for, open_dossier):
    both = account_for(acting_for_juvignac, "dgs", email="deux@juvignac.test")
    account_for(acting_for_juvignac, "maire", email="deux@juvignac.test")
    account_for(acting_for_juvignac, "maire", email="autre@juvignac.test")
    dossier = open_dossier(acting_for_juvignac)
    services.endorse(dossier.pk, account=both, sha256=seen(dossier), actor=actor(both))
    with pytest.raises(services.SamePerson):
        services.ask_signature(dossier.pk, account=both, sha256=seen(dossier), actor=actor(both))
