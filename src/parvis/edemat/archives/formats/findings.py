"""What an intake control finds: its outcome, the SEDA reply code and a sentence for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Result of a control. ``NOT_MADE`` is said openly: what could not run never passes for good."""

    OK = "ok"
    WARNING = "avertissement"
    KO = "ko"
    NOT_MADE = "non_fait"


class Control(StrEnum):
    """The intake controls, in the order in which they are made."""

    CONTAINER = "CTRL_CONTENEUR"
    ANTIVIRUS = "CTRL_ANTIVIRUS"
    MANIFEST = "CTRL_BORDEREAU"
    SCHEMA = "CTRL_SCHEMA"
    DUPLICATE = "CTRL_DOUBLON"
    AGENCIES = "CTRL_ACTEURS"
    AGREEMENT = "CTRL_ACCORD"
    PROFILE = "CTRL_PROFIL"
    PRESENCE = "CTRL_PIECES"
    DIGEST = "CTRL_EMPREINTE"
    SIZE = "CTRL_TAILLE"
    FORMAT = "CTRL_FORMAT"
    SIGNATURE = "CTRL_SIGNATURE"
    STRUCTURE = "CTRL_STRUCTURE"
    DESCRIPTION = "CTRL_DESCRIPTION"
    RULES = "CTRL_REGLES"


CONTROL_LABELS = {
    Control.CONTAINER: "Conteneur lisible et sans danger",
    Control.ANTIVIRUS: "Recherche de virus",
    Control.MANIFEST: "Bordereau unique et bien formé",
    Control.SCHEMA: "Conformité au schéma officiel",
    Control.DUPLICATE: "Versement jamais reçu",
    Control.AGENCIES: "Services connus",
    Control.AGREEMENT: "Accord de versement respecté",
    Control.PROFILE: "Profil d’archivage admis",
    Control.PRESENCE: "Fichiers annoncés et fichiers reçus",
    Control.DIGEST: "Empreintes recalculées",
    Control.SIZE: "Tailles",
    Control.FORMAT: "Formats identifiés",
    Control.SIGNATURE: "Signatures des documents",
    Control.STRUCTURE: "Arborescence cohérente",
    Control.DESCRIPTION: "Descriptions complètes",
    Control.RULES: "Règles de gestion",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``where`` names the file, unit or place; ``code`` is a SEDA reply code."""

    control: Control
    outcome: Outcome
    sentence: str
    code: str = ""
    where: str = ""

    @property
    def ok(self) -> bool:
        """False when the transfer must be refused for this."""
        return self.outcome is not Outcome.KO


SHOWN_PER_CONTROL = 100
WAIT = "102"


def conclude(control: Control, found: Iterable[Finding], success: str) -> list[Finding]:
    """The findings of one control, or the sentence of success when there is none; very long lists are cut."""
    findings = list(found)
    if not findings:
        return [Finding(control, Outcome.OK, success)]
    if len(findings) > SHOWN_PER_CONTROL:
        findings.sort(key=lambda f: f.ok)
        more = len(findings) - SHOWN_PER_CONTROL
        last = Finding(control, findings[0].outcome, f"… et {more} autres constats de même nature.", findings[0].code)
        findings = [*findings[:SHOWN_PER_CONTROL], last]
    return findings


def reply_code(findings: Iterable[Finding]) -> str:
    """The single code of the reply: the first failure, else 001 when there is a remark, else 000.

    A failure that only asks to wait (102) gives way to any real one. A control that was not made does not
    change the code: the reply lists it among its events.
    """
    findings = list(findings)
    failures = sorted((f for f in findings if not f.ok), key=lambda f: f.code == WAIT)
    if failures:
        return failures[0].code or "101"
    return "001" if any(f.outcome is Outcome.WARNING for f in findings) else "000"
