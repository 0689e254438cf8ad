"""What the chain leaves behind, as files that anybody can check with tools we did not write."""

import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from parvis.core.documents.services import local_file
from parvis.core.journal.export import export
from parvis.core.journal.sealing import seal_day
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route
from parvis_demo.stage import Stage

# Role on the route -> file name in the evidence folder; the archive of the act keeps its regulatory name.
FILES = {
    "convocation": "convocation.pdf",
    "convocation_ics": "convocation.ics",
    "convocation_preuve": "convocation-evidence.json",
    "convocation_jeton": "convocation-evidence.tsr",
    "signe": "deliberation.pdf",
    "rapport_validation": "validation.json",
    "enveloppe": "envelope.tar.gz",
    "acte_xml": "acte.xml",
    "ar": "ar.xml",
    "tamponne": "deliberation-tamponnee.pdf",
    "bordereau": "bordereau.pdf",
    "certificat_executoire": "certificat-executoire.pdf",
    "transfer": "transfer.xml",
    "sip": "sip.zip",
    "atr": "atr.xml",
}
KEEP_NAME = {"enveloppe"}


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Story:
    """Records each step for ``summary.json`` and copies its documents as soon as it is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[dict[str, Any]] = []

    def step(self, name: str, started: datetime, ended: datetime, files: list[Path], **identifiers: Any) -> None:
        self.steps.append(
            {
                "step": name,
                "started": started.isoformat(),
                "ended": ended.isoformat(),
                "identifiers": identifiers,
                "files": {path.name: sha256_of(path) for path in files},
            }
        )

    def collect(self, organisation: Organisation, route: Route, *roles: str) -> list[Path]:
        """Copy the latest document of each role into the evidence folder; a missing one is an error."""
        copied = []
        with acting_for(organisation):
            for role in roles:
                document = route.document(role)
                if document is None:
                    raise RuntimeError(f"the route has no document « {role} »")
                target = self.folder / (document.filename if role in KEEP_NAME else FILES[role])
                with local_file(document) as path:
                    shutil.copyfile(path, target)
                copied.append(target)
        return copied

    def write_summary(self, **facts: Any) -> Path:
        path = self.folder / "summary.json"
        path.write_text(json.dumps({**facts, "steps": self.steps}, ensure_ascii=False, indent=1))
        return path


def copy_pki(stage: Stage, folder: Path) -> None:
    """The public certificates needed to verify signatures and tokens."""
    target = folder / "pki"
    target.mkdir()
    for key in ("root_certificate", "issuing_certificate", "tsa_certificate", "ca_bundle"):
        source = Path(stage.facts[key])
        shutil.copyfile(source, target / source.name)


def copy_archive_storage(folder: Path) -> None:
    """The OCFL storage root, as it stands."""
    shutil.copytree(settings.PARVIS_ARCHIVE_ROOTS[0], folder / "ocfl")


def export_journal(organisation: Organisation, folder: Path, subjects: list[tuple[str, object]]) -> Path:
    """Seal the journal and export it with its tokens and the proofs of what happened to ``subjects``."""
    seal_day(organisation)
    return export(organisation, folder / "journal-export", subjects=subjects)
