"""The pages of the archives: who may see what, what they say, and the deposit of a package."""

import html
import re
import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.archives import views
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.models import Accord, Agency, ArchiveFile, Transfer
from tests.edemat.archives.dossiers import CONTENTS, SHARED, acte_package, needs_shared
from tests.edemat.archives.routes import FACTS, route_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(juvignac, juvignac_route, run_jobs):
    run_jobs()
    with acting_for(juvignac):
        return Transfer.objects.select_related("organisation").get()


def address(name, *arguments, slug="juvignac"):
    return reverse(f"archives:{name}", args=[slug, *arguments])


def test_the_list_shows_transfers_and_filters_them(archived, juvignac, agent_client):
    client = agent_client(juvignac, "archiviste")
    page = client.get(address("list")).content.decode()
    assert FACTS["acte"]["objet"][:40] in page
    assert "Archivé" in page
    assert "Déposer un paquet" in page
    assert "Aucun versement ici" in client.get(address("list") + "?etat=refuses").content.decode()


def test_one_page_says_everything_of_an_archive(archived, juvignac, agent_client):
    page = agent_client(juvignac, "archiviste").get(address("transfer", archived.pk)).content.decode()
    for expected in (
        "Contenu archivé",
        "Accusé de réception de la préfecture",
        "19.07.01.05-tamponnee.pdf",
        "034-213401235-20190701-19_07_01_05-DE",
        "Empreintes recalculées",
        "Aucun antivirus n’est installé",
        "Relecture et comparaison des empreintes",
        archived.ocfl_id,
        "Réponse au transfert",
        "000 : Transfert accepté",
        "AR038",
        "<b>10 ans</b> à compter du 11\u00a0juillet 2019",
        "Prouver",
    ):
        assert expected in page, expected
    assert "<ArchiveTransfer" not in page
    assert not re.search(r"\sstyle=|\son\w+=", page)
    with acting_for(juvignac):
        for file in ArchiveFile.objects.all():
            assert file.sha256 in page


@pytest.mark.parametrize("name", ["list", "register", "deposit"])
def test_an_organisation_s_pages_do_not_exist_for_others(name, juvignac, fabregues, agent_client):
    client = agent_client(fabregues, "archiviste")
    assert client.get(address(name)).status_code == 404
    assert client.get(address(name, slug="fabregues")).status_code == 200


def test_another_organisation_s_archive_answers_like_a_missing_one(archived, juvignac, fabregues, agent_client):
    client = agent_client(fabregues, "archiviste")
    with acting_for(juvignac):
        file = ArchiveFile.objects.first()
    for path in (
        address("transfer", archived.pk, slug="fabregues"),
        address("progress", archived.pk, slug="fabregues"),
        address("file", archived.pk, file.pk, slug="fabregues"),
        address("transfer", uuid.uuid4(), slug="fabregues"),
        address("transfer", archived.pk),
    ):
        assert client.get(path).status_code == 404
    for name in ("accept", "refuse", "restart"):
        assert client.post(address(name, archived.pk, slug="fabregues")).status_code == 404


def test_permissions(archived, juvignac, agent_client, client):
    assert client.get(address("list")).status_code == 302
    elu = agent_client(juvignac, "elu")
    assert elu.get(address("list")).status_code == 403
    assert elu.get(address("transfer", archived.pk)).status_code == 403
    reader = agent_client(juvignac, "lecteur")
    assert reader.get(address("transfer", archived.pk)).status_code == 200
    assert "Déposer un paquet" not in reader.get(address("list")).content.decode()
    assert reader.get(address("deposit")).status_code == 403
    for name in ("accept", "refuse", "restart"):
        assert reader.post(address(name, archived.pk)).status_code == 403


def test_a_file_is_communicated_as_an_attachment_and_the_journal_says_so(archived, juvignac, agent_client):
    with acting_for(juvignac):
        file = ArchiveFile.objects.get(filename="19.07.01.05.pdf")
    response = agent_client(juvignac, "lecteur").get(address("file", archived.pk, file.pk))
    assert b"".join(response.streaming_content) == CONTENTS["signe"][1]
    assert response["Content-Disposition"].startswith("attachment")
    with acting_for(juvignac):
        entry = Entry.objects.get(action="archives.communique")
        assert (entry.sha256, entry.subject_id) == (file.sha256, str(archived.pk))


def test_a_file_that_is_not_communicable_yet_stays_with_the_archivists(archived, juvignac, agent_client, monkeypatch):
    with acting_for(juvignac):
        file = ArchiveFile.objects.select_related("archive").get(filename="19.07.01.05.pdf")
    eve = file.archive.access_end - timedelta(days=1)
    monkeypatch.setattr(views, "clock", SimpleNamespace(today=lambda: eve))
    page = address("file", archived.pk, file.pk)
    assert agent_client(juvignac, "lecteur").get(page).status_code == 403
    assert agent_client(juvignac, "archiviste").get(page).status_code == 200


def test_the_register_on_screen_and_as_csv(archived, juvignac, agent_client):
    client = agent_client(juvignac, "archiviste")
    assert FACTS["acte"]["objet"][:40] in client.get(address("register")).content.decode()
    table = b"".join(client.get(address("register") + "?format=csv")).decode("utf-8-sig")
    assert table.splitlines()[0].startswith("numero;intitule")
    assert archived.ocfl_id in table.splitlines()[1]


def test_paging_by_key_reaches_every_transfer_once(archived, juvignac):
    from parvis.core.web.keyset import page_of
    from parvis.edemat.archives import queries

    with acting_for(juvignac):
        model = Transfer.objects.get()
        for number in range(24):
            Transfer.objects.create(
                organisation=juvignac, origin="depot", package=model.package, deposited_at=model.deposited_at,
                title=f"n° {number}",
            )  # fmt: skip
        rows = queries.transfers(juvignac)
        seen, query, pages = [], {}, []
        while True:
            page = page_of(rows, "deposited_at", query, size=10)
            pages.append(page)
            seen += [one.pk for one in page.rows]
            if not page.next:
                break
            query = {"apres": page.next}
        assert len(seen) == len(set(seen)) == 25
        back = page_of(rows, "deposited_at", {"avant": pages[-1].previous}, size=10)
        assert [o.pk for o in back.rows] == [o.pk for o in pages[-2].rows]
        first = page_of(rows, "deposited_at", {"avant": pages[1].previous}, size=10)
        assert [o.pk for o in first.rows] == [o.pk for o in pages[0].rows]
        assert first.previous == ""
        assert page_of(rows, "deposited_at", {"apres": "n'importe quoi"}, size=10).rows == pages[0].rows


def test_the_list_costs_the_same_with_many_rows(archived, juvignac, agent_client, django_assert_max_num_queries):
    with acting_for(juvignac):
        model = Transfer.objects.get()
        for _ in range(60):
            Transfer.objects.create(
                organisation=juvignac, origin="depot", package=model.package, deposited_at=model.deposited_at
            )
    client = agent_client(juvignac, "archiviste")
    client.get(address("list"))
    with django_assert_max_num_queries(24):
        client.get(address("list"))


def test_a_title_is_shown_as_it_is_and_never_as_markup(juvignac, agent_client, run_jobs):
    title = 'Dénomination du square "Aimé Césaire" <script>alert(1)</script> & alentours'
    route_of(juvignac, facts=FACTS | {"acte": FACTS["acte"] | {"objet": title}})
    run_jobs()
    client = agent_client(juvignac, "archiviste")
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert (transfer.state, transfer.title) == (State.ARCHIVE, title)
    for path in (address("list"), address("transfer", transfer.pk), address("register")):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        assert html.escape(title) in page.replace("&#x27;", "'"), path


# --- deposits ---


def upload(client, content: bytes, name="paquet.zip"):
    return client.post(address("deposit"), {"paquet": SimpleUploadedFile(name, content, "application/zip")})


def test_a_deposited_package_goes_through_the_same_intake(juvignac, agent_client, run_jobs):
    client = agent_client(juvignac, "archiviste")
    response = upload(client, acte_package().getvalue())
    assert response.status_code == 302
    page = client.get(response.url).content.decode()
    assert "Le paquet attend d’être contrôlé" in page
    assert "hx-get" in page
    box = client.get(response.url + "avancement/")
    assert "<progress" in box.content.decode()
    run_jobs()
    assert client.get(response.url + "avancement/")["HX-Refresh"] == "true"
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert (transfer.state, transfer.origin) == (State.ARCHIVE, "depot")
        assert transfer.reply_code in ("000", "001")
    page = client.get(response.url).content.decode()
    assert "Contenu archivé" in page
    again = upload(client, acte_package().getvalue())
    run_jobs()
    page = client.get(again.url).content.decode()
    assert "a déjà été reçu" in page
    assert "Versement refusé" in page


@needs_shared
@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("SIP_OK/OK_ArchivesPhysiques.zip", "archive", "Sed blandit"),
        ("SIP_KO/KO_CYCLE.zip", "non_conforme", "tourne en rond"),
        ("SIP_KO/KO_BORD_empreinte_KO.zip", "non_conforme", "empreinte"),
        ("SIP_KO/KO_BORD_xmlKO_sansobjet.zip", "non_conforme", "bien formé"),
        ("SIP_KO/KO_DEUX-Manifest.zip", "non_conforme", "un seul bordereau"),
        ("extra/SIP_KO_PathTraversalInFileName.zip", "non_conforme", "remonte hors du paquet"),
        ("extra/empty_zip.zip", "non_conforme", "ne contient aucun fichier"),
    ],
)
def test_reference_packages_deposited_by_hand(name, state, words, juvignac, agent_client, run_jobs):
    with acting_for(juvignac):
        keeper = Agency.objects.create(
            organisation=juvignac, identifier="Identifier2", name="Archives d’essai", archival=True
        )
        for identifier in ("Identifier3", "FRAN_NP_050056"):
            Agency.objects.create(
                organisation=juvignac,
                identifier=identifier,
                name=identifier,
                transferring=True,
                originating=True,
            )
        Accord.objects.create(
            organisation=juvignac, identifier="ArchivalAgreement0", title="Essai", archival_agency=keeper,
            antivirus_required=False,
        )  # fmt: skip
    client = agent_client(juvignac, "archiviste")
    response = upload(client, (SHARED / "samples/seda/vitam-sip" / name).read_bytes(), name.rsplit("/")[-1])
    run_jobs()
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert transfer.state == state
        assert transfer.reply
    assert words in client.get(response.url).content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"%PDF-1.7 not a package", "pas une archive ZIP"), (b"", "vide")],
)
def test_what_is_not_a_package_is_refused_at_once(content, words, juvignac, agent_client):
    response = upload(agent_client(juvignac, "archiviste"), content, "acte.pdf")
    assert response.status_code == 422
    assert words in response.content.decode()
    with acting_for(juvignac):
        assert not Transfer.objects.exists()


def test_the_deposit_is_protected_against_forged_requests(juvignac, agent_client):
    from django.test import Client

    client = agent_client(juvignac, "archiviste")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert upload(strict, acte_package().getvalue()).status_code == 403
    with acting_for(juvignac):
        assert not Transfer.objects.exists()


def test_a_person_accepts_or_refuses_in_two_steps(juvignac, agent_client, run_jobs):
    from parvis.edemat.archives.services.parties import ensure_parties

    with acting_for(juvignac):
        Accord.objects.filter(pk=ensure_parties(juvignac).pk).update(auto_accept=False)
    client = agent_client(juvignac, "archiviste")
    response = upload(client, acte_package().getvalue())
    run_jobs()
    assert "Accepter ou refuser ce versement" in client.get(response.url).content.decode()
    assert "prenez ces archives en charge" in client.get(response.url + "accepter/").content.decode()
    short = client.post(response.url + "refuser/", {"motif": "non"})
    assert "quelques mots" in short.content.decode()
    assert client.post(response.url + "refuser/", {"motif": "Versement prématuré, dossier ouvert"}).status_code == 302
    page = client.get(response.url).content.decode()
    assert "Versement refusé" in page
    with acting_for(juvignac):
        from parvis.core.documents.services import read_bytes

        assert "Versement prématuré".encode() in read_bytes(Transfer.objects.get().reply)
    client.post(response.url + "accepter/")
    with acting_for(juvignac):
        assert Transfer.objects.get().state == State.REFUSE
