"""What the préfecture takes is known at the meeting: locked files, their types, number and weight, the subjects."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import store
from parvis.core.referentials import legality, matieres
from parvis.core.referentials.matieres import matieres_of
from parvis.edemat.actes.models import Classification
from parvis.edemat.seances import services
from parvis.edemat.seances.errors import AnnexeRefused
from parvis.edemat.seances.models import Deliberation, Point

from .council import ACTOR


@pytest.fixture
def point(council):
    return council.seance.points.get(rank=1)


def _annex(point, content=b"%PDF", filename="plan.pdf", **options):
    return services.add_annexe(point, title="Annexe", content=content, filename=filename, actor=ACTOR, **options)


def _stored(point, **described):
    """A document of the organisation, as it would be described after its deposit."""
    document = store(point.organisation, b"texte", "plan.txt")
    Document.objects.filter(pk=document.pk).update(**described)
    return Document.objects.get(pk=document.pk)


def _restricted(point):
    health = {"restricted": True, "restrictions": ["copie", "impression"]}
    return _stored(point, filename="plan.pdf", media_type="application/pdf", health=health)


def test_a_locked_annex_for_the_prefecture_is_refused_with_the_way_out(point):
    with pytest.raises(AnnexeRefused) as refusal:
        services.add_annexe(point, title="Plan", document=_restricted(point), actor=ACTOR)
    assert "« plan.pdf »" in refusal.value.sentence
    assert "copie, impression" in refusal.value.sentence
    assert "copie sans restriction" in refusal.value.sentence
    assert "décochez « Joindre au contrôle de légalité »" in refusal.value.sentence
    assert not point.annexes.exists()


def test_the_page_refuses_a_locked_annex_by_its_name(council, point, agent_client, shared_dir):
    secretary = agent_client(council.organisation, "secretaire")
    name = "protege-proprietaire-sans-mot-de-passe.pdf"
    upload = SimpleUploadedFile(name, (shared_dir / "samples/seances/pdf" / name).read_bytes(), "application/pdf")
    address = reverse("seances:attach_annexe", args=["juvignac", point.pk])
    answer = secretary.post(address, {"title": "Plan", "file": upload, "to_prefecture": "on"})
    assert answer.status_code == 422
    assert f"« {name} » porte une protection du propriétaire" in answer.content.decode()
    upload.seek(0)
    secretary.post(address, {"title": "Plan", "file": upload})
    assert point.annexes.get().document.filename == name


def test_a_locked_annex_that_stays_at_the_meeting_is_accepted(point):
    services.add_annexe(point, title="Plan", document=_restricted(point), to_prefecture=False, actor=ACTOR)
    assert point.annexes.get().to_prefecture is False


def test_a_type_that_the_prefecture_does_not_take_is_refused(point):
    with pytest.raises(AnnexeRefused, match="un PDF, un JPEG ou un PNG"):
        _annex(point, content=b"texte", filename="plan.txt")


def test_the_annexes_of_an_item_are_weighed_together(point, monkeypatch):
    mebibyte = 1024 * 1024
    for size, left in ((100, ""), (51, "il reste 50,0\u00a0Mio sur 150,0\u00a0Mio")):
        document = _stored(point, filename=f"{size}.pdf", media_type="application/pdf", size=size * mebibyte)
        if not left:
            services.add_annexe(point, title="Plan", document=document, actor=ACTOR)
            continue
        with pytest.raises(AnnexeRefused, match=left):
            services.add_annexe(point, title="Plan", document=document, actor=ACTOR)
        services.add_annexe(point, title="Plan", document=document, to_prefecture=False, actor=ACTOR)


def test_the_annexes_of_an_item_are_counted(point, monkeypatch):
    from parvis.edemat.seances.services import agenda

    monkeypatch.setattr(agenda, "MAX_ANNEXES", 1)
    document = _stored(point, filename="plan.pdf", media_type="application/pdf")
    services.add_annexe(point, title="Plan", document=document, actor=ACTOR)
    with pytest.raises(AnnexeRefused, match="regroupez-les"):
        services.add_annexe(point, title="Plan", document=document, actor=ACTOR)


def test_actes_holds_to_the_same_limits():
    from parvis.edemat.actes.formats import archives, checks

    assert (archives.MAX_ARCHIVE, checks.MAX_ANNEXES) == (legality.MAX_ARCHIVE, legality.MAX_ANNEXES)


# -- subjects -------------------------------------------------------------------------------------------


@pytest.fixture
def classification(council):
    labels = {"5": "Institutions", "5.7": "Intercommunalité", "7": "Finances", "7.1": "Budget", "7.1.2": "Primitif"}
    return Classification.objects.create(
        organisation=council.organisation,
        date=date(2019, 1, 1),
        document=store(council.organisation, b"<x/>", "classification.xml"),
        natures=[],
        matieres=[{"code": code, "label": label} for code, label in labels.items()],
        received_at=clock.now(),
        verified_on=clock.today(),
    )


def test_the_classification_in_force_is_offered_by_the_core(council, classification):
    assert matieres_of(council.organisation) == [
        ("5.7", "Institutions/Intercommunalité"),
        ("7.1", "Finances/Budget"),
        ("7.1.2", "Finances/Budget/Primitif"),
    ]


def test_without_any_service_to_fill_it_the_register_is_empty(council, monkeypatch):
    monkeypatch.setattr(matieres, "_find", [])
    assert matieres_of(council.organisation) == []


def _page(council, agent_client):
    secretary = agent_client(council.organisation, "secretaire")
    return secretary, reverse("seances:new_point", args=["juvignac", council.seance.pk])


def test_the_subject_is_chosen_and_brings_its_label(council, classification, agent_client):
    secretary, page = _page(council, agent_client)
    assert "7.1 Finances/Budget" in secretary.get(page).content.decode()
    secretary.post(page, {"title": "Tarifs", "nature": "1", "matiere": "7.1"})
    point = Point.objects.get(title="Tarifs")
    assert (point.matiere, point.matiere_label) == ("7.1", "Finances/Budget")
    wrong = secretary.post(page, {"title": "Autre", "nature": "1", "matiere": "9.9"})
    assert wrong.status_code == 422
    edit = reverse("seances:edit_point", args=["juvignac", point.pk])
    secretary.post(edit, {"title": "Tarifs", "nature": "1", "matiere": "5.7"})
    assert Point.objects.get(pk=point.pk).matiere_label == "Institutions/Intercommunalité"


def test_without_classification_the_subject_is_typed(council, agent_client):
    secretary, page = _page(council, agent_client)
    secretary.post(page, {"title": "Tarifs", "nature": "1", "matiere": "7.1", "matiere_label": "Finances"})
    assert Point.objects.get(title="Tarifs").matiere_label == "Finances"


def test_a_subject_no_longer_in_force_is_told_and_blocks(council, classification, agent_client):
    Point.objects.filter(seance=council.seance, rank=1).update(matiere="8.4")
    secretary, _ = _page(council, agent_client)
    point = council.seance.points.get(rank=1)
    body = secretary.get(reverse("seances:edit_point", args=["juvignac", point.pk])).content.decode()
    assert "8.4 (n’est plus en vigueur)" in body
    council.convoke()
    council.deliver()
    council.open(presents=18, powers=8)
    council.rise()
    for rank, faults in ((1, ["B12"]), (2, [])):
        deliberation = services.establish(Deliberation.objects.get(point__rank=rank), actor=ACTOR)
        assert [fault["code"] for fault in deliberation.faults] == faults
