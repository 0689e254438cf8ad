"""Checks an exported journal without Parvis, its database or a network: Python and ``openssl`` only.

    python verifier.py FOLDER

Chain (each entry names the digest of the one before), tree (RFC 9162, every sealed root computed again from
the entries), seals (each names the one before) and tokens (RFC 3161, by ``openssl ts -verify``).
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    from parvis.core.journal import merkle
except ImportError:  # carried beside the export, without Parvis
    import merkle  # type: ignore[no-redef]

OK, KO, NOTE = "conforme", "NON CONFORME", "à noter"
FIRST_PREVIOUS = "0" * 64
MAX_LINE = 64 * 1024
MAX_FILE = 16 * 1024 * 1024
ANCHORS = "tsa/autorites.pem"


@dataclass(frozen=True)
class Check:
    """One control and its outcome, in French."""

    outcome: str
    sentence: str


@dataclass
class Report:
    """All the controls made; ``valid`` when none failed and at least one was made."""

    checks: list[Check] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        return bool(self.checks) and all(check.outcome != KO for check in self.checks)

    @property
    def problems(self) -> list[str]:
        return [check.sentence for check in self.checks if check.outcome == KO]

    @property
    def sentence(self) -> str:
        if self.valid:
            return "Le journal est intact : chaque écriture, chaque scellement et chaque jeton concordent."
        return f"Le journal n’est pas conforme : {len(self.problems)} contrôle(s) en échec."

    def ok(self, sentence: str) -> None:
        self.checks.append(Check(OK, sentence))

    def fail(self, sentence: str) -> None:
        self.checks.append(Check(KO, sentence))

    def note(self, sentence: str) -> None:
        self.checks.append(Check(NOTE, sentence))

    def to_dict(self) -> dict[str, Any]:
        return {
            "valid": self.valid,
            "sentence": self.sentence,
            "checks": [{"outcome": check.outcome, "sentence": check.sentence} for check in self.checks],
        }


def verify_export(directory: Path, *, anchors: Path | None = None) -> Report:
    """Verify the export in ``directory``.

    ``anchors`` is a PEM file of trusted authorities to use instead of the one carried by the export, which
    proves nothing by itself.
    """
    report = Report()
    try:
        seals = _read_seals(directory, report)
        _check_entries(directory / "entries.jsonl", seals, report)
        _check_proofs(directory, report)
        _check_tokens(directory, seals, anchors or directory / ANCHORS, report)
        if anchors is None:
            report.note(
                "Les autorités d’horodatage de confiance sont celles que l’export transporte ; "
                "comparez leur empreinte à celle que publie l’autorité, ou donnez-les par --autorites."
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        report.fail(f"L’export est illisible ou incomplet : {error}.")
    return report


# --- seals ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Seal:
    path: Path
    content: bytes
    facts: dict[str, Any]


def _read_seals(directory: Path, report: Report) -> list[_Seal]:
    seals: list[_Seal] = []
    previous, size = "", 0
    for path in sorted((directory / "checkpoints").glob("*.json")):
        content = _small_file(path)
        facts = json.loads(content)
        number = len(seals) + 1
        if facts["number"] != number or path.stem != f"{number:06d}":
            report.fail(f"Le scellement n° {number} manque : {path.name} porte le numéro {facts['number']}.")
            return seals
        if facts["previous_sha256"] != previous:
            report.fail(f"Le scellement n° {number} ne suit pas le précédent : l’un des deux a été modifié.")
        if facts["tree_size"] < size:
            report.fail(f"Le scellement n° {number} compte moins d’écritures que le précédent.")
        previous, size = hashlib.sha256(content).hexdigest(), facts["tree_size"]
        seals.append(_Seal(path, content, facts))
    if not seals:
        report.fail("L’export ne contient aucun scellement : rien n’y a de date certaine.")
    elif not report.problems:
        report.ok(f"{len(seals)} scellement(s) enchaîné(s), le dernier sur {size} écriture(s).")
    return seals


def _small_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise ValueError(f"{path.name} est trop volumineux")
    return path.read_bytes()


# --- entries --------------------------------------------------------------------------------------
def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise ValueError(f"une ligne de {path.name} est trop longue")
            yield line.rstrip(b"\n")


def _check_entries(path: Path, seals: Sequence[_Seal], report: Report) -> None:
    tree, previous, broken = merkle.Frontier(), FIRST_PREVIOUS, False
    owner = seals[0].facts["organisation"] if seals else None
    waiting = list(seals)
    before = len(report.problems)
    _check_roots(tree, waiting, report)
    for number, line in enumerate(_lines(path), start=1):
        if not broken and (fault := _fault(line, number, previous, owner)):
            report.fail(fault)
            broken = True
        previous = hashlib.sha256(line).hexdigest()
        tree.append(merkle.leaf_hash(line))
        _check_roots(tree, waiting, report)
    for seal in waiting:
        report.fail(
            f"Le scellement n° {seal.facts['number']} compte {seal.facts['tree_size']} écritures, "
            f"l’export n’en contient que {tree.size} : des écritures ont été retirées."
        )
    if len(report.problems) == before:
        report.ok(f"{tree.size} écriture(s) numérotées sans trou, chacune liée à la précédente.")
        report.ok("La racine de chaque scellement est retrouvée à partir des écritures.")
    sealed = seals[-1].facts["tree_size"] if seals else 0
    if tree.size > sealed:
        report.note(f"{tree.size - sealed} écriture(s) plus récente(s) que le dernier scellement.")


def _fault(line: bytes, number: int, previous: str, owner: str | None) -> str:
    """French sentence on what is wrong with an entry; empty when nothing is."""
    try:
        entry = json.loads(line)
        seq, prev, organisation = entry["seq"], entry["prev"], entry["organisation"]
    except (ValueError, KeyError, TypeError):
        return f"L’écriture n° {number} est illisible."
    if seq != number:
        return f"L’écriture n° {number} manque ou n’est pas à sa place (ligne {number}, numéro {seq})."
    if prev != previous:
        return (
            f"L’écriture n° {number} ne suit pas l’écriture n° {number - 1} : l’une des deux a été modifiée ou retirée."
        )
    if owner is not None and organisation != owner:
        return f"L’écriture n° {number} appartient à une autre organisation ({organisation})."
    return ""


def _check_roots(tree: merkle.Frontier, waiting: list[_Seal], report: Report) -> None:
    while waiting and waiting[0].facts["tree_size"] == tree.size:
        seal = waiting.pop(0)
        if tree.root().hex() != seal.facts["root"]:
            report.fail(
                f"La racine du scellement n° {seal.facts['number']} n’est pas celle des écritures : "
                f"une écriture a été modifiée, ajoutée ou retirée avant le n° {tree.size}."
            )


# --- proofs ---------------------------------------------------------------------------------------
def check_proof(proof: dict[str, Any]) -> None:
    """Check that the entry of a proof stands in its checkpoint; raises ``merkle.InvalidProof``.

    The token over the checkpoint is checked apart.
    """
    checkpoint = json.loads(proof["checkpoint"])
    entry = json.loads(proof["entry"])
    index = proof["leaf_index"]
    if entry["seq"] != index + 1 or entry["organisation"] != checkpoint["organisation"]:
        raise merkle.InvalidProof("the entry is not the one the proof is about")
    merkle.verify_inclusion(
        index,
        checkpoint["tree_size"],
        merkle.leaf_hash(proof["entry"].encode()),
        [bytes.fromhex(node) for node in proof["path"]],
        bytes.fromhex(checkpoint["root"]),
    )


def _check_proofs(directory: Path, report: Report) -> None:
    paths = sorted((directory / "proofs").glob("*.json"))
    failures = 0
    for path in paths:
        proof = json.loads(_small_file(path))
        seal = directory / "checkpoints" / f"{proof['seal_number']:06d}.json"
        try:
            if _small_file(seal) != proof["checkpoint"].encode():
                raise merkle.InvalidProof("another checkpoint")
            check_proof(proof)
        except (merkle.InvalidProof, ValueError, KeyError, TypeError, OSError):
            failures += 1
            report.fail(f"La preuve {path.name} ne mène pas au scellement qu’elle annonce.")
    if paths and not failures:
        report.ok(f"{len(paths)} preuve(s) d’inclusion vérifiée(s).")


# --- tokens ---------------------------------------------------------------------------------------
def _check_tokens(directory: Path, seals: Sequence[_Seal], anchors: Path, report: Report) -> None:
    if not seals:
        return
    if shutil.which("openssl") is None:
        report.fail("La commande openssl est introuvable : les jetons d’horodatage n’ont pas été vérifiés.")
        return
    if not anchors.is_file():
        report.fail("Aucun certificat d’autorité d’horodatage : les jetons n’ont pas été vérifiés.")
        return
    with ThreadPoolExecutor(max_workers=4) as pool:
        outcomes = list(pool.map(lambda seal: _token_fault(seal, anchors), seals))
    for seal, fault in zip(seals, outcomes, strict=True):
        if fault:
            report.fail(f"Le jeton du scellement n° {seal.facts['number']} n’est pas valide : {fault}")
    if not any(outcomes):
        report.ok(f"{len(seals)} jeton(s) d’horodatage vérifié(s) par openssl.")


def _token_fault(seal: _Seal, anchors: Path) -> str:
    token = seal.path.with_suffix(".tsr")
    if not token.is_file():
        return f"{token.name} manque."
    return token_fault(seal.path, token, anchors)


def token_fault(data: Path, token: Path, anchors: Path) -> str:
    """What ``openssl ts -verify`` holds against the response ``token`` over ``data``; empty when valid."""
    intermediates = anchors.with_name("intermediaires.pem")
    command = ["openssl", "ts", "-verify", "-data", str(data), "-in", str(token), "-CAfile", str(anchors)]
    if intermediates.is_file():
        command += ["-untrusted", str(intermediates)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    if run.returncode == 0 and "Verification: OK" in run.stdout + run.stderr:
        return ""
    reasons = [line for line in run.stderr.splitlines() if "error" in line.lower()]
    return (reasons[0].rsplit(":", 3)[0] if reasons else "openssl le refuse").strip() + "."


def verify_proof(proof: dict[str, Any], anchors: Path) -> Report:
    """Verify one downloaded proof, its token included."""
    report = Report()
    try:
        check_proof(proof)
        report.ok(f"L’écriture n° {proof['leaf_index'] + 1} est dans le scellement n° {proof['seal_number']}.")
    except (merkle.InvalidProof, ValueError, KeyError, TypeError):
        report.fail("La preuve ne mène pas au scellement qu’elle annonce.")
    with tempfile.TemporaryDirectory() as folder:
        data, token = Path(folder, "checkpoint.json"), Path(folder, "checkpoint.tsr")
        data.write_text(proof["checkpoint"], encoding="utf-8")
        token.write_bytes(bytes.fromhex(proof["token"]))
        fault = token_fault(data, token, anchors)
    if fault:
        report.fail(f"Le jeton du scellement n’est pas valide : {fault}")
    else:
        report.ok("Le jeton d’horodatage du scellement est valide.")
    return report


def printed(report: Report) -> str:
    """The report as lines for a terminal."""
    width = max((len(check.outcome) for check in report.checks), default=0)
    lines = [f"[{check.outcome:^{width}}] {check.sentence}" for check in report.checks]
    return "\n".join([*lines, "", report.sentence])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Vérifie un export du journal de Parvis.")
    parser.add_argument("dossier", type=Path, help="dossier de l’export")
    parser.add_argument("--autorites", type=Path, help="certificats des autorités d’horodatage (PEM)")
    options = parser.parse_args(arguments)
    report = verify_export(options.dossier, anchors=options.autorites)
    sys.stdout.write(printed(report) + "\n")
    return 0 if report.valid else 1


if __name__ == "__main__":
    sys.exit(main())
