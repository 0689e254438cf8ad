"""The page that deposits an act made elsewhere: what it makes, each refusal next to its field, who may."""

import io
import re

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from parvis.core.documents.models import Document
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Task
from parvis.edemat.actes import forms as actes_forms
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.services import deposit as service
from tests.edemat.actes.conftest import a_pdf

LIST = "/o/juvignac/actes/"
PAGE = LIST + "deposer/"


@pytest.fixture
def secretary(agent_client, commune):
    return agent_client(commune, "secretaire")


def a_file(name="arrete.pdf", content=None):
    return SimpleUploadedFile(name, a_pdf(name) if content is None else content, content_type="application/pdf")


def entered(**changes):
    typed = {
        "fichier": a_file(),
        "nature": "2",
        "numero": "AR-2019/12",
        "decision_date": "2019-07-01",
        "objet": "Arrêté de circulation rue de l’Église",
        "matiere": "6.1",
        "type_piece": "",
        "annexes": [],
        "annexes_type": "",
    }
    return {name: value for name, value in (typed | changes).items() if value is not None}


def locked(user="secret") -> bytes:
    """Opened with ``user``; without it, by anybody who changes and prints nothing."""
    out, nothing = io.BytesIO(), pikepdf.Permissions(modify_other=False, extract=False, print_highres=False)
    with pikepdf.open(io.BytesIO(a_pdf("verrou"))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="maitre", user=user, allow=nothing))
    return out.getvalue()


def refused(answer, field: str) -> str:
    """The sentence at the only field that is refused."""
    assert answer.status_code == 422
    form = answer.context["form"]
    assert set(form.errors) == {field}
    return form.errors[field][0]


# --- what it makes ---
def test_an_act_deposited_is_prepared_like_the_api_does_and_leads_to_its_page(secretary, commune):
    answer = secretary.post(PAGE, entered(annexes=[a_file("plan.pdf"), a_file("note.pdf")]))
    with acting_for(commune):
        acte = Acte.objects.get()
        assert (acte.numero, acte.numero_actes, acte.nature, acte.type_piece) == (
            "AR-2019/12",
            "AR_2019_12",
            "2",
            "99_AR",
        )
        assert acte.matiere_label.startswith("Libertés publiques")
        assert list(acte.pieces.order_by("rank").values_list("posted_filename", flat=True)) == ["plan.pdf", "note.pdf"]
        assert Entry.objects.filter(action="actes.prepare").count() == 1
    assert answer["Location"] == f"{LIST}{acte.pk}/"


def test_the_page_of_the_act_then_offers_to_transmit_it(secretary):
    page = secretary.post(PAGE, entered(), follow=True).content.decode()
    assert "L’acte est déposé, sous le numéro transmis AR_2019_12. Tous ses contrôles passent." in page
    assert "Transmettre à la préfecture" in page


def test_an_act_deposited_waits_on_the_desk(secretary, commune):
    secretary.post(PAGE, entered())
    with acting_for(commune):
        task = Task.objects.get(closed_at=None)
    assert (task.verb, task.permission) == ("Transmettre", "actes.transmettre")


def test_the_board_leads_to_the_deposit(secretary):
    assert f'href="{PAGE}"' in secretary.get(LIST).content.decode()


def test_the_board_offers_no_deposit_to_who_may_not(agent_client, commune):
    assert f'href="{PAGE}"' not in agent_client(commune, "maire").get(LIST).content.decode()


def test_the_number_that_will_leave_is_said_while_it_is_typed(secretary):
    assert "AR_2019_12" in secretary.get(PAGE + "numero/", {"numero": "ar-2019/12"}).content.decode()


# --- the files ---
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b"MZ\x90\x00 not a pdf", "PDF"),
        (locked(), "mot de passe"),
        (locked(user=""), "verrouillé"),
    ],
    ids=["empty", "a program", "encrypted", "restricted"],
)
def test_a_file_that_cannot_be_an_act_is_refused_at_its_field(secretary, commune, content, said):
    with acting_for(commune):
        before = Document.objects.count()
    assert said in refused(secretary.post(PAGE, entered(fichier=a_file(content=content))), "fichier")
    with acting_for(commune):
        assert Document.objects.count() == before


def test_a_picture_is_no_act(secretary):
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    answer = secretary.post(PAGE, entered(fichier=a_file("arrete.png", out.getvalue())))
    assert refused(answer, "fichier").startswith("L’acte est un fichier PDF.")


def test_a_file_too_heavy_is_refused_and_what_was_typed_is_kept(secretary, monkeypatch):
    monkeypatch.setattr(actes_forms.DepositForm.base_fields["fichier"], "limit", 10)
    answer = secretary.post(PAGE, entered())
    assert "dépasse 10" in refused(answer, "fichier")
    page = answer.content.decode()
    assert "Arrêté de circulation rue de l’Église" in page
    assert "Choisissez de nouveau les fichiers" in page


def test_too_many_annexes_are_refused_with_their_number(secretary, monkeypatch):
    monkeypatch.setattr(actes_forms, "MAX_ANNEXES", 1)
    answer = secretary.post(PAGE, entered(annexes=[a_file("a.pdf"), a_file("b.pdf")]))
    assert refused(answer, "annexes") == "1 annexes au plus peuvent partir, vous en avez choisi 2 : regroupez-les."


def test_files_too_heavy_together_are_refused_before_any_is_kept(secretary, commune, monkeypatch):
    monkeypatch.setattr(actes_forms, "MAX_ARCHIVE", len(a_pdf("arrete.pdf")) + 10)
    with acting_for(commune):
        before = Document.objects.count()
    answer = secretary.post(PAGE, entered(annexes=[a_file("plan.pdf")]))
    assert refused(answer, "__all__").startswith("L’ensemble des fichiers")
    with acting_for(commune):
        assert Document.objects.count() == before


def test_an_annexe_refused_undoes_the_whole_deposit(secretary, commune):
    answer = secretary.post(PAGE, entered(annexes=[a_file("plan.pdf"), a_file("b.pdf", b"MZ\x90\x00")]))
    assert "« b.pdf »" in refused(answer, "annexes")
    with acting_for(commune):
        assert not Document.objects.filter(filename="arrete.pdf").exists()


# --- what describes it ---
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("nature", "9", "9"),
        ("numero", "---", "ne peut pas être transmis"),
        ("decision_date", "2019-07-04", "à venir"),
        ("objet", "é" * 500, "compte 500 caractères"),
        ("objet", "Une ligne\nune autre", "retour à la ligne"),
        ("matiere", "5.99", "5.99"),
        ("type_piece", "99_DE", "pas de la nature choisie"),
        ("annexes_type", "99_DE", "pas de la nature choisie"),
        ("type_piece", "99_ZZ", "99_ZZ"),
        ("fichier", None, "obligatoire"),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(secretary, commune, field, value, said):
    assert said in refused(secretary.post(PAGE, entered(**{field: value})), field)
    with acting_for(commune):
        assert not Acte.objects.exists()


def test_the_object_can_be_typed_beyond_its_limit(secretary):
    area = re.search(r'<textarea[^>]*name="objet"[^>]*>', secretary.get(PAGE).content.decode())[0]
    assert "maxlength" not in area
    assert 'data-limit="499"' in area


def test_a_number_taken_leads_to_the_act_that_has_it(secretary, commune, prepare):
    holder = prepare(commune, numero="AR.2019.12")
    answer = secretary.post(PAGE, entered())
    assert "est déjà celui de l’acte" in refused(answer, "numero")
    assert f'href="{LIST}{holder.pk}/"' in answer.content.decode()


def test_without_classification_the_matiere_is_typed_and_its_absence_blocks_the_sending(agent_client, juvignac):
    answer = agent_client(juvignac, "secretaire").post(PAGE, entered(matiere="6.1"), follow=True)
    assert "à corriger avant l’envoi" in answer.content.decode()


# --- who, and of whom ---
def test_another_organisation_s_number_is_free_here(secretary, neighbour, prepare, commune):
    prepare(neighbour, numero="AR-2019/12")
    assert secretary.post(PAGE, entered()).status_code == 302


@pytest.mark.parametrize("role", ["maire", "dgs", "archiviste", "administrateur"])
def test_who_does_not_prepare_acts_deposits_none(agent_client, commune, role):
    assert agent_client(commune, role).post(PAGE, entered()).status_code == 403
    with acting_for(commune):
        assert not Acte.objects.exists()


def test_the_organisation_is_never_read_from_the_form(secretary, commune, fabregues):
    secretary.post(PAGE, entered() | {"organisation": str(fabregues.pk), "status": "4", "unique_id": "034-X"})
    with acting_for(fabregues):
        assert not Acte.objects.exists()
    with acting_for(commune):
        assert (Acte.objects.get().status, Acte.objects.get().unique_id) == (17, "")


def test_the_limit_of_annexes_holds_for_programs_too(commune, monkeypatch):
    from parvis.core.journal.services import Actor

    monkeypatch.setattr(service, "MAX_ANNEXES", 0)
    with acting_for(commune), pytest.raises(service.FileRefused, match="0 annexes au plus"):
        service.deposit_acte(commune, {}, a_file(), [a_file()], actor=Actor("system"))
