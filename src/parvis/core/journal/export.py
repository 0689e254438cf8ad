"""Export of a journal as plain files that anybody can verify without Parvis.

``entries.jsonl`` (canonical JSON, one entry a line), ``checkpoints/`` (one JSON and one RFC 3161 response per
seal), ``tsa/`` (certificates of the authorities), ``proofs/`` (inclusion proofs of the entries asked for),
``verifier/`` (a stand-alone verifier) and ``LISEZMOI.txt``.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from parvis.core import clock
from parvis.core.journal import merkle, verifier
from parvis.core.journal.canonical import canonical, milliseconds
from parvis.core.journal.models import Entry, Seal
from parvis.core.journal.sealing import inclusion_proof, seal_of
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for

README = """\
Journal de {name} (SIREN {siren}), exporté le {date}.

entries.jsonl   les écritures, une par ligne, en JSON canonique (RFC 8785) ; « prev » est l’empreinte
                SHA-256 de la ligne précédente
checkpoints/    les scellements : nombre d’écritures et racine de l’arbre de Merkle (RFC 9162), avec
                leur jeton d’horodatage (RFC 3161, fichiers .tsr)
proofs/         les preuves d’inclusion demandées
tsa/            les certificats des autorités d’horodatage
verifier/       le vérificateur, qui n’a besoin que de Python 3.11 et d’openssl

Vérifier tout :         python3 verifier/verifier.py .
Vérifier un jeton :     openssl ts -verify -data checkpoints/000001.json -in checkpoints/000001.tsr \\
                            -CAfile tsa/autorites.pem
"""


def export(organisation: Organisation, directory: Path, *, subjects: Iterable[tuple[str, object]] = ()) -> Path:
    """Write the whole journal of ``organisation`` in ``directory`` (created, or emptied of a former export).

    Proofs are written for the sealed entries about ``subjects`` (kind, identifier).
    """
    for name in ("checkpoints", "proofs", "tsa", "verifier"):
        shutil.rmtree(directory / name, ignore_errors=True)
        (directory / name).mkdir(parents=True)
    with acting_for(organisation):
        count = _write_entries(organisation, directory / "entries.jsonl")
        seals = _write_seals(organisation, directory / "checkpoints")
        for kind, identifier in subjects:
            _write_proofs(organisation, kind, identifier, directory / "proofs")
    _write_anchors(directory / "tsa")
    for module in (verifier, merkle):
        shutil.copyfile(str(module.__file__), directory / "verifier" / Path(str(module.__file__)).name)
    manifest = {
        "v": 1,
        "organisation": {"siren": organisation.siren, "name": organisation.name},
        "exported_at": milliseconds(clock.now()),
        "entries": count,
        "seals": seals,
    }
    (directory / "manifest.json").write_bytes(canonical(manifest) + b"\n")
    readme = README.format(name=organisation.name, siren=organisation.siren, date=clock.today().strftime("%d/%m/%Y"))
    (directory / "LISEZMOI.txt").write_text(readme, encoding="utf-8")
    return directory


def _write_entries(organisation: Organisation, path: Path) -> int:
    count = 0
    entries = Entry.objects.filter(organisation=organisation).select_related("organisation").order_by("seq")
    with path.open("wb") as target:
        for entry in entries.iterator(chunk_size=2000):
            target.write(entry.canonical() + b"\n")
            count += 1
    return count


def _write_seals(organisation: Organisation, folder: Path) -> int:
    count = 0
    for seal in Seal.objects.filter(organisation=organisation).order_by("number").iterator(chunk_size=500):
        name = f"{seal.number:06d}"
        (folder / f"{name}.json").write_bytes(bytes(seal.checkpoint))
        (folder / f"{name}.tsr").write_bytes(bytes(seal.token_response))
        count += 1
    return count


def _write_proofs(organisation: Organisation, kind: str, identifier: object, folder: Path) -> None:
    entries = Entry.objects.filter(organisation=organisation).select_related("organisation")
    for entry in entries.about(kind, str(identifier)):
        if seal_of(entry) is not None:
            content = json.dumps(inclusion_proof(entry), ensure_ascii=False, indent=1)
            (folder / f"{entry.seq:08d}.json").write_text(content + "\n", encoding="utf-8")


def _write_anchors(folder: Path) -> None:
    """Certificates of the authorities that this installation trusts, as PEM."""
    from asn1crypto import pem

    from parvis.core.trust import policy

    trusted = policy.from_settings()
    for name, certificates in (("autorites", trusted.roots), ("intermediaires", trusted.intermediates)):
        content = b"".join(pem.armor("CERTIFICATE", one.dump()) for one in certificates)
        if content:
            (folder / f"{name}.pem").write_bytes(content)
