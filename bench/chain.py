"""A thousand acts on their way to the State: built, checked, packed and recorded, then sent and acknowledged.

Targets: 20 acts per second and per core before the sending, signature not counted; then every act is
acknowledged by the sandbox's ministry, through HTTPS and mail, and none is sent twice. What a core does is measured
with all of them at work, one process and one commune each (a commune's journal takes one writer at a time), by the
clock on the wall: the database, the examination of the PDFs and the disk are in it.
"""

import io
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from bench.workbench import PROJECT, fresh_database, say

CORES = len(os.sched_getaffinity(0))
ACTS = int(os.environ.get("BENCH_ACTS", "1000")) // CORES * CORES
WARM = 10
WORKERS = 2
TARGET_PER_SECOND = 20
PATIENCE_SECONDS = 1800


def signed_pdf(number: int) -> bytes:
    """A two-page PDF of about 100 kB, different for each number: what a scanned or signed act weighs."""
    import pikepdf

    pdf = pikepdf.new()
    image = pikepdf.Stream(
        pdf, os.urandom(180 * 180 * 3), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image,
        Width=180, Height=180, ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8,
    )  # fmt: skip
    for _ in range(2):
        page = pdf.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=image))
        page.Contents = pikepdf.Stream(pdf, b"q 200 0 0 200 100 500 cm /I Do Q")
    pdf.docinfo["/Title"] = f"Acte de mesure {number}"
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


@contextmanager
def running(command: list[str]):
    """A child process for the time of a block."""
    with subprocess.Popen([sys.executable, "-m", *command], cwd=PROJECT) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def sandbox(state: Path):
    """The simulated ministry and its mails; Parvis's environment points at them."""
    from parvis_demo.stage import environment_of

    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    ports = state / "ports.json"
    with running(["parvis_sandbox", "--state", str(state), "--ports-file", str(ports)]) as process:
        until(ports.exists, 60, "the sandbox to start", process)
        facts = json.loads(ports.read_text())
        os.environ.update(environment_of(facts))
        yield facts


@contextmanager
def workers(count: int):
    """``count`` worker processes."""
    command = ["parvis", "procrastinate", "worker", "--concurrency", "1"]
    if count == 0:
        yield
        return
    with running(command), workers(count - 1):
        yield


def until(condition, seconds: float, what: str, process=None) -> None:
    """Wait for ``condition()``; SystemExit when it takes longer or when ``process`` dies."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise SystemExit(f"gave up waiting for {what}")
        time.sleep(0.2)


def siren_of(number: int) -> str:
    """A well-formed SIREN of a commune of the Hérault, its key included."""
    digits = f"2134{number:04d}"
    doubled = sum(sum(divmod(int(d) * (1 + rank % 2), 10)) for rank, d in enumerate(digits))
    return f"{digits}{-doubled % 10}"


def prepare(facts: dict) -> list:
    """One commune per core, that may transmit; their classification is asked of the ministry, as in life."""
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.models import Organisation
    from parvis.core.organisations.tenancy import acting_for
    from parvis.edemat.actes.models import Classification
    from parvis.edemat.actes.services.classification import request_classification
    from parvis.edemat.actes.services.preparation import settings_of

    organisations = [
        Organisation.objects.create(
            slug=f"mesure-{n}", name=f"Commune de mesure {n}", short_name=f"Mesure {n}", siren=siren_of(n),
            kind="commune", departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
        )
        for n in range(1, CORES + 1)
    ]  # fmt: skip
    for organisation in organisations:
        with acting_for(organisation):
            chosen = settings_of(organisation)
            chosen.return_address, chosen.referent_email = facts["mailbox"], "referent@mesure.test"
            chosen.referent_name, chosen.referent_phone = "Référent de mesure", "0400000000"
            chosen.save()
            request_classification(organisation, actor=Actor("system", "bench"))

    def answered() -> bool:
        with acting_for(*organisations):
            return Classification.objects.filter(current=True).count() == len(organisations)

    with workers(1):
        until(answered, 120, "the classifications")
    return organisations


def pack_everywhere(organisations: list) -> dict[str, float]:
    """Let one process per core pack its share of the acts, begun together; acts per second and core."""
    afresh = multiprocessing.get_context("spawn")  # the library that knows formats does not survive a fork
    gate = afresh.Barrier(len(organisations) + 1, timeout=PATIENCE_SECONDS)
    packers = [afresh.Process(target=pack_alone, args=(organisation.pk, gate)) for organisation in organisations]
    for packer in packers:
        packer.start()
    gate.wait()
    start = time.perf_counter()
    for packer in packers:
        packer.join()
    seconds = time.perf_counter() - start
    if any(packer.exitcode for packer in packers):
        raise SystemExit("a packer failed")
    return {"seconds": seconds, "cores": len(packers), "per_second_and_core": ACTS / seconds / len(packers)}


def pack_alone(organisation_id: int, gate) -> None:
    """The share of one core, in a process of its own."""
    import django

    django.setup()
    from parvis.core.organisations.models import Organisation

    try:
        organisation = Organisation.objects.get(pk=organisation_id)
        contents = [signed_pdf(number) for number in range(ACTS // CORES + WARM)]
        pack(organisation, contents[:WARM], "W")
        gate.wait()
        pack(organisation, contents[WARM:], "B")
    except BaseException:
        gate.abort()
        raise


def pack(organisation, contents: list[bytes], prefix: str) -> None:
    """Store, prepare, check, ask for transmission, build and record each act, as three transactions each."""
    from parvis.core import clock
    from parvis.core.documents.services import store
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.tenancy import acting_for
    from parvis.edemat.actes.enums import Delivery
    from parvis.edemat.actes.models import Transaction
    from parvis.edemat.actes.services.preparation import prepare_acte
    from parvis.edemat.actes.services.transmission import build_archive, transmettre

    actor, today = Actor("system", "bench"), clock.today().isoformat()
    for number, content in enumerate(contents):
        facts = {
            "numero": f"{prefix}{number}", "nature": "1", "objet": f"Acte de mesure numéro {number}", "date": today,
            "matiere": "5.7", "matiere_label": "Institutions et vie politique/Intercommunalité",
        }  # fmt: skip
        with acting_for(organisation):
            acte = prepare_acte(organisation, facts, store(organisation, content, f"{number}.pdf"), actor=actor)
        with acting_for(organisation):
            sending = transmettre(acte, actor=actor)
        with acting_for(organisation):
            build_archive(sending.pk)
    with acting_for(organisation):
        ready = Transaction.objects.filter(
            kind="1-1", delivery=Delivery.PRETE, acte__numero__startswith=prefix
        ).count()  # fmt: skip
    if ready != len(contents):
        raise SystemExit(f"{ready} archives are ready instead of {len(contents)}")


def transmit(organisations: list, facts: dict) -> dict[str, float]:
    """Let the workers send everything and read the returns; what the ministry and the database then say."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.edemat.actes.models import Acte, InboundMessage

    def acknowledged() -> int:
        with acting_for(*organisations):
            return Acte.objects.acknowledged().count()

    expected = ACTS + WARM * CORES
    start = time.perf_counter()
    with workers(WORKERS):
        until(lambda: acknowledged() >= expected, PATIENCE_SECONDS, f"{expected} acknowledgements")
    seconds = time.perf_counter() - start
    with urllib.request.urlopen(facts["control_url"] + "/__state") as answer:
        register = [line["id_acte"] for line in json.load(answer)["received"] if line["id_acte"]]
    with acting_for(*organisations):
        basket = InboundMessage.objects.filter(state="banette").count()
    return {
        "seconds": round(seconds, 1),
        "expected": expected,
        "acknowledged": acknowledged(),
        "received": len(register),
        "distinct": len(set(register)),
        "basket": basket,
    }


def main() -> None:
    state = PROJECT / "var" / "bench" / "chain"
    with sandbox(state / "sandbox") as facts:
        fresh_database("chain")
        organisations = prepare(facts)
        packing = pack_everywhere(organisations)
        say(bench="chain", step="packed", acts=ACTS, **{k: round(v, 2) for k, v in packing.items()})
        sending = transmit(organisations, facts)
        once = sending["received"] == sending["distinct"] == sending["acknowledged"] == sending["expected"]
        say(bench="chain", step="acknowledged", once_each=once, workers=WORKERS, **sending)
        reached = packing["per_second_and_core"]
        say(
            bench="chain",
            per_second_and_core=round(reached, 1),
            target=TARGET_PER_SECOND,
            acknowledged_once=once,
            ratio=round(reached / TARGET_PER_SECOND, 2) if once else 0.0,
        )


if __name__ == "__main__":
    main()
