"""Verification of one event on line: from its content to the date that the authority certified."""

from dataclasses import dataclass

from parvis.core.journal.canonical import NO_PREVIOUS, sha256_hex
from parvis.core.journal.merkle import InvalidProof, leaf_hash, verify_inclusion
from parvis.core.journal.models import Entry, Seal
from parvis.core.journal.sealing import inclusion_proof, seal_of


@dataclass(frozen=True)
class Verdict:
    """One control, as ``<c-checks>`` shows it."""

    ok: bool
    sentence: str
    severity: str = "bloquant"


def verify_entry(entry: Entry) -> list[Verdict]:
    """Every control that can be made on ``entry``; it is proven when all are ok."""
    verdicts = [_content(entry), _chain(entry)]
    seal = seal_of(entry)
    if seal is None:
        return [
            *verdicts,
            Verdict(False, "Pas encore scellée : la preuve viendra avec le prochain scellement.", ""),
        ]
    return [*verdicts, _inclusion(entry, seal), _checkpoint(seal), _token(seal)]


def _content(entry: Entry) -> Verdict:
    if leaf_hash(entry.canonical()) == bytes(entry.leaf):
        return Verdict(True, "Le contenu de l’écriture correspond à sa feuille dans l’arbre.")
    return Verdict(False, "Le contenu de l’écriture ne correspond plus à sa feuille : il a été modifié.")


def _chain(entry: Entry) -> Verdict:
    rows = Entry.objects.filter(organisation_id=entry.organisation_id).select_related("organisation")
    before = rows.filter(seq=entry.seq - 1).first()
    after = rows.filter(seq=entry.seq + 1).first()
    expected = sha256_hex(before.canonical()) if before else NO_PREVIOUS
    if (before is None) != (entry.seq == 1) or entry.prev != expected:
        return Verdict(False, "L’écriture ne suit pas la précédente : l’une des deux a été modifiée ou retirée.")
    if after is not None and after.prev != sha256_hex(entry.canonical()):
        return Verdict(False, "L’écriture suivante ne reconnaît pas celle-ci : l’une des deux a été modifiée.")
    return Verdict(True, "L’écriture est liée à la précédente et à la suivante.")


def _inclusion(entry: Entry, seal: Seal) -> Verdict:
    proof = inclusion_proof(entry)
    path = [bytes.fromhex(node) for node in proof["path"]]
    try:
        verify_inclusion(entry.seq - 1, seal.tree_size, leaf_hash(entry.canonical()), path, bytes.fromhex(seal.root))
    except InvalidProof:
        return Verdict(False, f"L’écriture n’est pas dans l’arbre du scellement n° {seal.number}.")
    return Verdict(True, f"L’écriture est dans l’arbre du scellement n° {seal.number} ({len(path)} empreintes).")


def _checkpoint(seal: Seal) -> Verdict:
    content = bytes(seal.checkpoint)
    previous = seal.previous.checkpoint_sha256 if seal.previous else ""
    faithful = f'"root":"{seal.root}"' in content.decode() and f'"previous_sha256":"{previous}"' in content.decode()
    if sha256_hex(content) == seal.checkpoint_sha256 and faithful:
        return Verdict(True, "Le point de contrôle porte cette racine et suit le scellement précédent.")
    return Verdict(False, "Le point de contrôle ne porte pas cette racine ou ne suit pas le précédent.")


def _token(seal: Seal) -> Verdict:
    from parvis.core.trust.timestamps import verify_token  # loads pyHanko, which most requests never need

    report = verify_token(bytes(seal.token), bytes(seal.checkpoint))
    return Verdict(report.valid, report.sentence)
