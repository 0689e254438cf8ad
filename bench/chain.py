"""A thousand acts on their way to the State: built, checked, packed and recorded, then sent and acknowledged.

Targets: 20 acts per second and per core before the sending, signature not counted; then every act is
acknowledged by the sandbox's ministry, through HTTPS and mail, and none is sent twice.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from bench.workbench import PROJECT, fresh_database, say

ACTS = int(os.environ.get("BENCH_ACTS", "1000"))
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


def prepare(facts: dict):
    """One commune that may transmit; its classification is asked of the ministry, as in life."""
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.models import Organisation
    from parvis.core.organisations.tenancy import acting_for
    from parvis.edemat.actes.models import Classification
    from parvis.edemat.actes.services.classification import request_classification
    from parvis.edemat.actes.services.preparation import settings_of

    organisation = Organisation.objects.create(
        slug="mesure", name="Commune de mesure", short_name="Mesure", siren="213401235", kind="commune",
        departement="034", arrondissement="3", nature_actes="31", pref_id="PREF034",
    )  # fmt: skip
    with acting_for(organisation):
        chosen = settings_of(organisation)
        chosen.return_address, chosen.referent_email = facts["mailbox"], "referent@mesure.test"
        chosen.referent_name, chosen.referent_phone = "Référent de mesure", "0400000000"
        chosen.save()
        request_classification(organisation, actor=Actor("system", "bench"))

    def answered() -> bool:
        with acting_for(organisation):
            return Classification.objects.filter(organisation=organisation, current=True).exists()

    with workers(1):
        until(answered, 120, "the classification")
    return organisation


def pack(organisation, contents: list[bytes]) -> dict[str, float]:
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
    wall, processor = time.perf_counter(), time.process_time()
    for number, content in enumerate(contents):
        facts = {
            "numero": f"B{number}", "nature": "1", "objet": f"Acte de mesure numéro {number}", "date": today,
            "matiere": "5.7", "matiere_label": "Institutions et vie politique/Intercommunalité",
        }  # fmt: skip
        with acting_for(organisation):
            acte = prepare_acte(organisation, facts, store(organisation, content, f"{number}.pdf"), actor=actor)
        with acting_for(organisation):
            sending = transmettre(acte, actor=actor)
        with acting_for(organisation):
            build_archive(sending.pk)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    with acting_for(organisation):
        ready = Transaction.objects.filter(kind="1-1", delivery=Delivery.PRETE).count()
    if ready != len(contents):
        raise SystemExit(f"{ready} archives are ready instead of {len(contents)}")
    return {"seconds": wall, "per_second": ready / wall, "per_processor_second": ready / processor}


def transmit(organisation, facts: dict) -> dict[str, float]:
    """Let the workers send everything and read the returns; what the ministry and the database then say."""
    from parvis.core.organisations.tenancy import acting_for
    from parvis.edemat.actes.models import Acte, InboundMessage

    def acknowledged() -> int:
        with acting_for(organisation):
            return Acte.objects.acknowledged().count()

    start = time.perf_counter()
    with workers(WORKERS):
        until(lambda: acknowledged() >= ACTS, PATIENCE_SECONDS, f"{ACTS} acknowledgements")
    seconds = time.perf_counter() - start
    with urllib.request.urlopen(facts["control_url"] + "/__state") as answer:
        register = [line["id_acte"] for line in json.load(answer)["received"] if line["id_acte"]]
    with acting_for(organisation):
        basket = InboundMessage.objects.filter(state="banette").count()
    return {
        "seconds": seconds,
        "acknowledged": acknowledged(),
        "received": len(register),
        "distinct": len(set(register)),
        "basket": basket,
    }


def main() -> None:
    state = PROJECT / "var" / "bench" / "chain"
    with sandbox(state / "sandbox") as facts:
        fresh_database("chain")
        organisation = prepare(facts)
        contents = [signed_pdf(number) for number in range(ACTS)]
        packing = pack(organisation, contents)
        say(bench="chain", step="packed", acts=ACTS, **{k: round(v, 2) for k, v in packing.items()})
        sending = transmit(organisation, facts)
        once = sending["received"] == sending["distinct"] == sending["acknowledged"] == ACTS
        say(bench="chain", step="acknowledged", once_each=once, workers=WORKERS, **sending)
        say(
            bench="chain",
            per_second=round(packing["per_second"], 1),
            target_per_second=TARGET_PER_SECOND,
            acknowledged_once=once,
            ratio=round(packing["per_second"] / TARGET_PER_SECOND, 2) if once else 0.0,
        )


if __name__ == "__main__":
    main()
