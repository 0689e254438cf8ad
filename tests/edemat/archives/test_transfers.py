"""The archiving step: from a route's documents to two whole copies, a register line and a reply."""

import io
import json
import zipfile

import pytest
from django.db import DatabaseError, transaction
from lxml import etree

from parvis.core.documents.services import read_bytes
from parvis.core.organisations.tenancy import acting_for
from parvis.core.referentials.schemas import official_schema
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.formats.inventory import object_path
from parvis.edemat.archives.formats.seda import namespace
from parvis.edemat.archives.models import (
    Accord,
    ArchiveFile,
    ArchiveObject,
    ControlResult,
    CopyWriting,
    RegisterLine,
    Transfer,
)
from parvis.edemat.archives.schemas import seda_schema
from parvis.edemat.archives.services.tools import vault
from parvis.edemat.archives.storage import StorageFault, Vault
from tests.edemat.archives.dossiers import CONTENTS
from tests.edemat.archives.routes import FACTS, route_of
from tests.edemat.archives.test_vault import validate

pytestmark = pytest.mark.django_db
NS = {"s": namespace("2.2")}


@pytest.fixture
def archived(juvignac, juvignac_route, run_jobs):
    run_jobs()
    with acting_for(juvignac):
        yield Transfer.objects.select_related("archive_object").get()


def test_a_route_ends_in_the_archives(archived, juvignac_route):
    assert archived.state == State.ARCHIVE
    assert archived.reply_code == "000"
    route = Route.objects.get(pk=juvignac_route.pk)
    step = route.steps.get()
    assert (step.state, step.label) == (RouteStep.State.DONE, "Archivée")
    assert route.facts["archive"] == {"transfer_id": str(archived.pk), "aip_id": archived.ocfl_id}
    assert {"transfer", "sip", "atr"} <= {d.role for d in route.documents.all()}


def test_a_notified_act_has_its_delays_counted_from_its_notification(juvignac, run_jobs):
    told = {key: value for key, value in FACTS.items() if key != "publication"}
    route_of(juvignac, facts=told | {"notification": {"date": "2019-07-09", "executoire": "2019-07-10"}})
    run_jobs()
    with acting_for(juvignac):
        sent = etree.fromstring(read_bytes(Transfer.objects.get().message))
    starts = {start.text for start in sent.iterfind(".//s:StartDate", NS)}
    assert "2019-07-10" in starts
    assert "NOTIFICATION" in [kind.text for kind in sent.iterfind(".//s:EventTypeCode", NS)]


def test_every_control_is_recorded_once(archived):
    lines = archived.controls.all()
    assert len({line.control for line in lines}) == 16
    assert not lines.filter(outcome="ko").exists()
    assert lines.get(control="CTRL_ANTIVIRUS").outcome == "non_fait"


@pytest.mark.reference
def test_messages_and_records_of_the_archive_are_valid(archived, shared_dir):
    schema = seda_schema(shared_dir / "schemas", "2.2")
    for document in (archived.message, archived.acknowledgement, archived.reply):
        assert schema.errors(etree.fromstring(read_bytes(document))) == []
    premis = official_schema("seda/premis/premis-v3-0.xsd", shared_dir / "schemas")
    record = vault().open(archived.ocfl_id, "metadata/premis.xml").read()
    assert premis.errors(etree.fromstring(record)) == []
    assert archived.controls.get(control="CTRL_SCHEMA").outcome == "ok"


def test_the_archive_is_whole_on_both_roots_with_its_reply(archived, settings):
    for root in settings.PARVIS_ARCHIVE_ROOTS:
        validate(root)
        copy = vault().verify(root, archived.ocfl_id)
        assert copy.version == "v2"
    store = vault()
    for logical in ("sip/bordereau.xml", "sip/ack.xml", "sip/atr.xml", "metadata/units.json"):
        assert store.open(archived.ocfl_id, logical).read()
    reply = store.open(archived.ocfl_id, "sip/atr.xml").read()
    assert reply == read_bytes(archived.reply)
    root = etree.fromstring(reply)
    assert root.findtext("s:ReplyCode", namespaces=NS) == "000"
    assert root.findtext("s:MessageRequestIdentifier", namespaces=NS) == archived.identifier
    assert [e.text for e in root.iter(f"{{{NS['s']}}}SystemId")] == [archived.ocfl_id]
    assert [e.text for e in root.iter(f"{{{NS['s']}}}EventTypeCode")] == ["CTRL_ANTIVIRUS"]


def test_what_is_archived_is_what_the_route_held(archived):
    files = {f.filename: f for f in archived.archive_object.files.all()}
    assert set(files) == {name for name, _ in CONTENTS.values()}
    for role, (name, content) in CONTENTS.items():
        kept = vault().open(archived.ocfl_id, files[name].path).read()
        if role == "journal":
            assert json.loads(kept)["entries"]
        else:
            assert kept == content


def test_the_journal_extract_holds_canonical_entries(archived, juvignac_route):
    file = archived.archive_object.files.get(filename="journal.json")
    extract = json.loads(vault().open(archived.ocfl_id, file.path).read())
    assert extract["route"] == str(juvignac_route.pk)
    actions = [json.loads(e["canonical"])["action"] for e in extract["entries"]]
    assert "cheminement.ouvert" in actions


def test_the_archive_knows_its_rules_and_dates(archived):
    archive = archived.archive_object
    assert (archive.appraisal, archive.final_action, str(archive.appraisal_end)) == (
        "P10Y",
        "Keep",
        "2029-07-11",
    )
    assert (archive.access, str(archive.access_end)) == ("AR038", "2019-07-11")
    assert (str(archive.start), str(archive.end)) == ("2019-07-01", "2019-07-11")
    assert archive.tree.get(rank=1).title == FACTS["acte"]["objet"]
    assert [u.depth for u in archive.tree.all()][:2] == [0, 1]
    act = archive.tree.get(title="Acte")
    assert sorted(act.files.values_list("usage", flat=True)) == ["BinaryMaster_1", "Dissemination_1"]


def test_events_follow_the_premis_vocabulary(archived):
    kinds = list(archived.archive_object.events.values_list("kind", flat=True))
    assert kinds[0] == "capture"
    assert kinds.count("replication") == 2
    assert kinds.count("fixity check") == 2
    assert kinds[-1] == "ingestion end"


def test_copies_are_written_down_with_their_digests(archived, settings):
    writings = archived.archive_object.writings.all()
    assert {(w.version, w.root) for w in writings} == {
        (v, str(r)) for v in ("v1", "v2") for r in settings.PARVIS_ARCHIVE_ROOTS
    }
    for version in ("v1", "v2"):
        assert len({w.inventory_sha512 for w in writings if w.version == version}) == 1


def test_the_register_numbers_without_gap(juvignac, fabregues, run_jobs, frozen_clock):
    frozen_clock("2019-07-12T09:00:00+02:00")
    for organisation in (juvignac, juvignac, fabregues):
        route_of(organisation)
    run_jobs()
    with acting_for(juvignac):
        assert list(RegisterLine.objects.values_list("number", flat=True)) == [1, 2]
    with acting_for(fabregues):
        assert list(RegisterLine.objects.values_list("number", flat=True)) == [1]


def test_jobs_run_twice_change_nothing(archived, juvignac, run_jobs):
    from parvis.edemat.archives import tasks

    before = (read_bytes(archived.reply), archived.archived_at)
    step_id = str(archived.route_step_id)
    tasks.build_transfer.enqueue(juvignac, step_id=step_id)
    for job in (tasks.control_transfer, tasks.store_transfer, tasks.keep_reply):
        job.enqueue(juvignac, transfer_id=str(archived.pk))
    run_jobs()
    (transfer,) = Transfer.objects.all()
    assert (read_bytes(transfer.reply), transfer.archived_at) == before
    assert ArchiveObject.objects.count() == RegisterLine.objects.count() == 1
    assert CopyWriting.objects.count() == 4


@pytest.mark.parametrize("model", [ControlResult, ArchiveObject, ArchiveFile, CopyWriting, RegisterLine, Transfer])
def test_what_is_written_never_changes(archived, model):
    row = model.objects.first()
    with pytest.raises(DatabaseError, match=r"append-only|does not change"), transaction.atomic():
        row.__class__.objects.filter(pk=row.pk).update(organisation=archived.organisation_id)
    with pytest.raises(DatabaseError, match=r"append-only|none is deleted"), transaction.atomic():
        model.objects.filter(pk=row.pk)._raw_delete("default")


def test_a_dossier_without_a_signed_act_stops_the_route_with_a_sentence(juvignac, run_jobs, frozen_clock):
    frozen_clock("2019-07-12T09:00:00+02:00")
    route = route_of(juvignac, contents={k: v for k, v in CONTENTS.items() if k not in ("signe", "tamponne")})
    run_jobs()
    with acting_for(juvignac):
        step = route.steps.get()
        assert step.state == RouteStep.State.FAILED
        assert "document signé" in step.summary
        assert not Transfer.objects.exists()
        task = Task.objects.get(state="open")
        assert (task.permission, task.path) == ("archives.verser", step.failure_page)


def test_a_refused_transfer_stops_the_route_and_can_be_tried_again(juvignac, run_jobs, frozen_clock):
    from parvis.core.journal.services import Actor
    from parvis.core.routing.services import retry_step
    from parvis.edemat.archives.services.parties import ensure_parties

    frozen_clock("2019-07-12T09:00:00+02:00")
    with acting_for(juvignac):
        accord = ensure_parties(juvignac)
        Accord.objects.filter(pk=accord.pk).update(active=False)
    route = route_of(juvignac)
    run_jobs()
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert (transfer.state, transfer.reply_code) == (State.NON_CONFORME, "300")
        assert b"CTRL_ACCORD" in read_bytes(transfer.reply)
        step = route.steps.get()
        assert step.state == RouteStep.State.FAILED
        assert "fermé" in step.summary
        assert not ArchiveObject.objects.exists()
        Accord.objects.filter(pk=accord.pk).update(active=True)
        retry_step(step, actor=Actor("system"))
    run_jobs()
    with acting_for(juvignac):
        assert sorted(Transfer.objects.values_list("state", flat=True)) == ["archive", "non_conforme"]
        assert route.steps.get().state == RouteStep.State.DONE


def test_two_archives_of_the_same_message_are_refused_by_the_database(archived):
    with pytest.raises(DatabaseError, match="archive_transfer_identifier"), transaction.atomic():
        Transfer.objects.create(
            organisation=archived.organisation,
            origin="depot",
            identifier=archived.identifier,
            transferring_agency=archived.transferring_agency,
            package=archived.package,
            deposited_at=archived.deposited_at,
        )


def test_no_reply_without_every_copy(juvignac, juvignac_route, run_jobs, monkeypatch):
    """A copy that cannot be read back: incident, no reply, no entry; put back to work, it ends well."""
    from parvis.core.journal.services import Actor
    from parvis.edemat.archives.services.deposit import restart_transfer

    real = Vault.verify
    monkeypatch.setattr(
        Vault,
        "verify",
        lambda self, root, identifier: (
            (_ for _ in ()).throw(StorageFault("spoilt")) if root.name == "ocfl-copie" else real(self, root, identifier)
        ),
    )
    run_jobs(may_fail=True)
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert transfer.state == State.ERREUR_TECHNIQUE
        assert transfer.incident
        assert transfer.reply is None
        assert not RegisterLine.objects.exists()
        monkeypatch.undo()
        restart_transfer(transfer, actor=Actor("system"))
    run_jobs()
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert (transfer.state, transfer.reply_code) == (State.ARCHIVE, "000")


def test_a_required_antivirus_makes_the_transfer_wait(juvignac, run_jobs, frozen_clock):
    from parvis.edemat.archives.services.parties import ensure_parties

    frozen_clock("2019-07-12T09:00:00+02:00")
    with acting_for(juvignac):
        accord = ensure_parties(juvignac)
        Accord.objects.filter(pk=accord.pk).update(antivirus_required=True)
    route_of(juvignac)
    run_jobs()
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert transfer.state == State.ERREUR_TECHNIQUE
        assert "antivirus" in transfer.incident
        assert not transfer.reply


def test_a_person_decides_when_the_agreement_says_so(juvignac, run_jobs, frozen_clock):
    from parvis.core.journal.services import Actor
    from parvis.edemat.archives.services.deposit import accept_transfer
    from parvis.edemat.archives.services.parties import ensure_parties

    frozen_clock("2019-07-12T09:00:00+02:00")
    with acting_for(juvignac):
        accord = ensure_parties(juvignac)
        Accord.objects.filter(pk=accord.pk).update(auto_accept=False)
    route_of(juvignac)
    run_jobs()
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert transfer.state == State.A_VALIDER
        assert Task.objects.get(state="open").verb == "Accepter le versement"
        accept_transfer(transfer, actor=Actor("system"))
        assert not Task.objects.filter(state="open").exists()
    run_jobs()
    with acting_for(juvignac):
        assert Transfer.objects.get().state == State.ARCHIVE


def test_the_package_is_a_zip_that_any_tool_opens(archived):
    with zipfile.ZipFile(io.BytesIO(read_bytes(archived.package))) as package:
        assert package.testzip() is None
        assert package.read("manifest.xml") == read_bytes(archived.message)
        assert len(package.namelist()) == 1 + len(CONTENTS)


def test_the_object_lies_where_the_layout_says(archived):
    assert archived.archive_object.path == object_path(archived.ocfl_id)
    assert archived.ocfl_id == f"urn:parvis:213401235:{archived.aip}"
