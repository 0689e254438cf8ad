"""Stamped copies, bordereau and certificate: made once, from the original, and attached to the route."""

import shutil
import subprocess
from datetime import date
from io import BytesIO

import pikepdf
import pypdfium2
import pytest

from parvis.core.documents.models import Document
from parvis.core.documents.services import read_bytes
from parvis.core.journal.actions import label_of
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.edemat.actes import generated_documents
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.models import Acte, ActeSettings, Publication
from parvis.edemat.actes.publication import Author, publish
from parvis.edemat.actes.publication_step import PublicationStep
from parvis.edemat.actes.stamping import is_stamped
from tests.edemat.actes.making import make_acte, pdf

MAYOR = Author("Jean-Luc SAVY", "Maire")
AGENT, JOB = Actor("account", "1"), Actor("job", "actes.documents")


@pytest.fixture(autouse=True)
def eleventh_of_july(frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")


def text(document: Document) -> str:
    pages = pypdfium2.PdfDocument(read_bytes(document))
    return "\n".join(page.get_textpage().get_text_bounded() for page in pages)


def stamp_text(document: Document) -> list[str]:
    with pikepdf.open(BytesIO(read_bytes(document))) as content:
        return str(content.pages[0].Annots[0].Contents).splitlines()


def route_of(acte: Acte, **facts) -> RouteStep:
    """A route that stands at the publication of ``acte``."""
    route = Route.objects.create(
        organisation=acte.organisation,
        kind="deliberation",
        title=acte.objet,
        reference=acte.numero,
        facts=facts,
        created_at=acte.created_at,
    )
    acte.route = route
    acte.save(update_fields=["route"])
    return RouteStep.objects.create(
        organisation=acte.organisation, route=route, rank=1, code="actes.publication", state="current"
    )


# --- after the acknowledgement ---
def test_the_acknowledged_act_gets_its_stamped_copies_and_its_bordereau(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac, annexes=("Convention.pdf",))
    route_of(acte)
    generated_documents.produce_after_acknowledgement(acte, actor=JOB)
    roles = {d.role: d.document for d in acte.route.documents.select_related("document__organisation")}
    assert set(roles) == {"tamponne", "annexe_tamponnee", "bordereau"}
    assert roles["tamponne"].source_id == acte.document_id
    assert roles["tamponne"].filename == "Délibération 19.07.01.05-tampon.pdf"
    assert stamp_text(roles["tamponne"]) == [
        "Envoyé en préfecture le 03/07/2019",
        "Reçu en préfecture le 03/07/2019",
        "Publié le",
        "ID : 034-213401235-20190701-19_07_01_05-DE",
    ]
    assert is_stamped(read_bytes(roles["annexe_tamponnee"]))
    assert not is_stamped(read_bytes(acte.document)), "the original is untouched"


def test_the_bordereau_says_what_was_sent_under_which_names(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac, annexes=("Annexe n° 1 (été).pdf",))
    words = text(generated_documents.bordereau(acte)).replace("\u200b", "")
    flat = "".join(words.split())
    for expected in (
        "Délibération 19.07.01.05.pdf",
        "Annexe n° 1 (été).pdf",
        "99_DE-034-213401235-20190701-19_07_01_05-DE-1-1_1.pdf",
        "70_DE-034-213401235-20190701-19_07_01_05-DE-1-1_2.pdf",
        acte.document.sha256,
        acte.pieces.first().document.sha256,
        acte.unique_id,
        "EACT--213401235--20190703-",
        "Acte posté",
        "lundi 1er juillet 2019",
        "Commune de Juvignac",
    ):
        assert "".join(expected.split()) in flat, expected


def test_the_same_stage_asked_twice_makes_nothing_new(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac, annexes=("Convention.pdf",))
    route_of(acte)
    generated_documents.produce_after_acknowledgement(acte, actor=JOB)
    before = Document.objects.count(), acte.route.documents.count()
    generated_documents.produce_after_acknowledgement(acte, actor=JOB)
    assert (Document.objects.count(), acte.route.documents.count()) == before


def test_a_file_that_cannot_be_stamped_leaves_a_trace_and_no_copy(acting_for_juvignac):
    locked = pikepdf.open(BytesIO(pdf()))
    out = BytesIO()
    locked.save(out, encryption=pikepdf.Encryption(owner="secret", user=""))
    acte = make_acte(acting_for_juvignac, content=out.getvalue())
    generated_documents.produce_after_acknowledgement(acte, actor=JOB)
    assert not acte.document.derived.filter(derivation__startswith="tampon").exists()
    entry = Entry.objects.about("acte", acte.pk).get(action="actes.tampon_impossible")
    assert entry.details == {"code": "chiffre"}
    assert label_of(entry.action, entry.details).endswith("fichier chiffré")
    assert acte.document.derived.filter(derivation="bordereau").exists(), "the bordereau does not depend on it"


@pytest.mark.parametrize("status", [Status.A_POSTER, Status.TRANSMIS])
def test_nothing_attests_what_has_not_happened(acting_for_juvignac, status):
    acte = make_acte(acting_for_juvignac, status=status)
    with pytest.raises(generated_documents.NotReady):
        generated_documents.stamp_of(acte)
    with pytest.raises(generated_documents.NotReady):
        generated_documents.bordereau(acte)


def test_the_organisation_places_its_stamp(acting_for_juvignac):
    ActeSettings.objects.create(
        organisation=acting_for_juvignac, stamp_pages="first", stamp_x_percent=50, stamp_y_percent=80
    )
    acte = make_acte(acting_for_juvignac, content=pdf(3))
    copies = generated_documents.stamp_files(acte, actor=JOB)
    with pikepdf.open(BytesIO(read_bytes(copies[acte.document_id]))) as content:
        assert ["/Annots" in page for page in content.pages] == [True, False, False]
        x0, y0, _, _ = (float(v) for v in content.pages[0].Annots[0].Rect)
    assert x0 == pytest.approx(297.5, abs=1)
    assert y0 < 842 * 0.2


# --- after the publication ---
def test_publication_stamps_again_certifies_and_lets_the_route_go_on(juvignac, run_jobs):
    with acting_for(juvignac):
        acte = make_acte(juvignac, words="Le conseil approuve la convention de gestion")
        step = route_of(acte)
        PublicationStep().start(step)
        assert Task.objects.get(subject_id=acte.pk, state="open").verb == "Publier"
    run_jobs(queue="actes")
    with acting_for(juvignac):
        publish(acte, author=MAYOR, actor=AGENT)
        assert not Task.objects.filter(subject_id=acte.pk, state="open").exists()
    run_jobs(queue="actes")
    with acting_for(juvignac):
        acte.refresh_from_db()
        assert stamp_text(acte.route.document("tamponne"))[2] == "Publié le 11/07/2019"
        assert acte.route.documents.filter(role="tamponne").count() == 2, "the former stamp is kept"
        words = " ".join(text(acte.route.document("certificat_executoire")).split())
        for expected in (
            "Jean-Luc SAVY, Maire, certifie sous sa responsabilité",
            "exécutoire depuis le jeudi 11 juillet 2019",
            "mercredi 3 juillet 2019",
            "jusqu’au jeudi 12 septembre 2019",
            "L2131-1",
        ):
            assert expected in words.replace("\u00a0", " "), expected
        online = Publication.objects.get(acte=acte)
        assert online.stamped.public_since
        assert "convention de gestion" in online.text
        step.refresh_from_db()
        assert (step.state, step.summary) == ("done", "exécutoire le 11/07/2019")
        acte.route.refresh_from_db()
        assert acte.route.facts["publication"] == {
            "date": "2019-07-11",
            "url": f"http://localhost:8000/p/juvignac/actes/{online.pk}/",
            "executoire": "2019-07-11",
        }


def test_an_act_published_before_its_acknowledgement_is_not_asked_again(juvignac, run_jobs):
    with acting_for(juvignac):
        acte = make_acte(juvignac, status=Status.TRANSMIS)
        publish(acte, author=MAYOR, actor=AGENT)
    run_jobs(queue="actes")
    with acting_for(juvignac):
        acknowledged = make_acte(juvignac, "19.07.01.99")
        Acte.objects.filter(pk=acte.pk).update(
            status=Status.ACQUITTE,
            received_on=date(2019, 7, 15),
            unique_id=acte.numero,
            executoire_on=date(2019, 7, 15),
        )
        acte.refresh_from_db()
        step = route_of(acte)
        PublicationStep().start(step)
        assert not Task.objects.exists()
        assert acknowledged
    run_jobs(queue="actes")
    with acting_for(juvignac):
        step.refresh_from_db()
        assert step.state == "done"


# --- archivable and accessible ---
@pytest.mark.skipif(not shutil.which("qpdf"), reason="qpdf is not installed")
@pytest.mark.parametrize("which", ["bordereau", "certificate"])
def test_they_are_tagged_pdf_a(acting_for_juvignac, tmp_path, which):
    acte = make_acte(acting_for_juvignac)
    if which == "bordereau":
        document = generated_documents.bordereau(acte)
    else:
        online = publish(acte, author=MAYOR, actor=AGENT)
        acte.refresh_from_db()
        document = generated_documents.certificate(acte, generated_documents.published(online))
    content = read_bytes(document)
    (tmp_path / "a.pdf").write_bytes(content)
    subprocess.run(["qpdf", "--check", tmp_path / "a.pdf"], check=True, capture_output=True)
    with pikepdf.open(BytesIO(content)) as produced:
        assert produced.Root.MarkInfo.Marked
        assert str(produced.Root.Lang).startswith("fr")
        with produced.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "A")
            assert metadata["pdfuaid:part"] == "1"
