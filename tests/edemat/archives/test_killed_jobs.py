"""A worker killed while it stores an archive: no reply before the end, and the next one ends the work."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.archives import tasks
from parvis.edemat.archives.enums import State
from parvis.edemat.archives.formats.inventory import object_path
from parvis.edemat.archives.models import ArchiveObject, RegisterLine, Transfer
from parvis.edemat.archives.services.controlling import control
from parvis.edemat.archives.services.tools import vault
from tests.edemat.archives.routes import route_of
from tests.edemat.archives.test_vault import validate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SRC = Path(__file__).resolve().parents[3] / "src"
WORKER = textwrap.dedent(
    """
    import os, signal, sys
    import django
    django.setup()
    from django.conf import settings
    from pathlib import Path
    folder = Path(sys.argv[1])
    settings.PARVIS_ARCHIVE_ROOTS = [folder / "ocfl", folder / "ocfl-copie"]
    settings.STORAGES["documents"]["OPTIONS"]["location"] = folder / "documents"
    from parvis.edemat.archives import storage, tasks
    from parvis.edemat.archives.services import storing

    def die(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    point = sys.argv[4]
    if point == "staged":
        storage.Vault._place_object = die
    elif point == "one copy":
        place, calls = storage.Vault._place_object, []
        def once(self, root, *rest):
            if calls:
                die()
            calls.append(root)
            return place(self, root, *rest)
        storage.Vault._place_object = once
    elif point == "copies placed":
        storage.Vault.verify = die
    elif point == "reply written":
        storing._go_on = die
    tasks.store_transfer(int(sys.argv[2]), transfer_id=sys.argv[3])
    """
)


def work_until(point: str, folder: Path, transfer: Transfer) -> int:
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(folder), str(transfer.organisation_id), str(transfer.pk), point],
        env={**os.environ, "PYTHONPATH": str(SRC), "DJANGO_SETTINGS_MODULE": "parvis.config.settings"},
        check=False,
    ).returncode


@pytest.mark.parametrize("point", ["staged", "one copy", "copies placed", "reply written"])
def test_killed_while_storing(point, juvignac, tmp_path):
    route_of(juvignac)
    with acting_for(juvignac):
        step_id = str(juvignac_step(juvignac).pk)
    tasks.build_transfer(juvignac.pk, step_id=step_id)
    with acting_for(juvignac):
        transfer = Transfer.objects.select_related("organisation").get()
    control(juvignac.pk, str(transfer.pk))

    assert work_until(point, tmp_path, transfer) == -signal.SIGKILL
    with acting_for(juvignac):
        transfer = Transfer.objects.select_related("organisation").get()
        assert transfer.state == State.EN_STOCKAGE
        assert transfer.reply is None
        assert not ArchiveObject.objects.exists()
    for root in vault().roots:
        folder = root / object_path(transfer.ocfl_id)
        if folder.exists():
            vault().verify(root, transfer.ocfl_id)

    for _ in range(2):
        tasks.store_transfer(juvignac.pk, transfer_id=str(transfer.pk))
        tasks.keep_reply(juvignac.pk, transfer_id=str(transfer.pk))
    with acting_for(juvignac):
        transfer = Transfer.objects.get()
        assert (transfer.state, transfer.reply_code) == (State.ARCHIVE, "000")
        assert RegisterLine.objects.count() == ArchiveObject.objects.count() == 1
    for root in vault().roots:
        validate(root)
        assert list((root.parent / f"{root.name}-depot").iterdir()) == []


def juvignac_step(organisation):
    from parvis.core.routing.models import RouteStep

    return RouteStep.objects.get(organisation=organisation)
