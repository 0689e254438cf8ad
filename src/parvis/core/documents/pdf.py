"""Health of a PDF before it enters a legal file: locked, damaged, truncated, with scripts, or no PDF at all.

Scripts, XFA forms and trailing bytes are told but do not bar the way; a user password, damage, truncation and
another type do. Owner restrictions are told apart (``restricted``): a meeting's file may have them, the
transmission to the préfecture may not, which is for the service concerned to decide.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from parvis.core.documents.workshop import InspectionFailed, workshop

BLOCK = 1024 * 1024
_FORBIDDEN = {"print": "impression", "copy": "copie", "modify": "modification", "annotate": "annotation"}


@dataclass(frozen=True)
class PdfHealth:
    """What was found. ``problems`` bar acceptance, ``remarks`` do not; both are French sentences."""

    pages: int | None = None
    encrypted: bool = False
    user_password: bool = False
    restricted: bool = False
    restrictions: Sequence[str] = ()
    truncated: bool = False
    damaged: bool = False
    scripts: bool = False
    xfa: bool = False
    attachments: Sequence[str] = ()
    executables: Sequence[str] = ()
    trailing_bytes: bool = False
    signed: bool = False
    problems: Sequence[str] = field(default=())
    remarks: Sequence[str] = field(default=())

    @property
    def acceptable(self) -> bool:
        return not self.problems

    @property
    def sentence(self) -> str:
        """All that must be said, problems first; empty for a healthy file."""
        return " ".join([*self.problems, *self.remarks])

    def to_dict(self) -> dict[str, Any]:
        """As stored in ``Document.health``."""
        return {**asdict(self), "acceptable": self.acceptable}


def examine(content: BinaryIO | bytes, filename: str) -> PdfHealth:
    """Examine a PDF given as a stream or as bytes; ``filename`` is the name quoted in the sentences."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as copy:
        if isinstance(content, bytes):
            copy.write(content)
        else:
            while block := content.read(BLOCK):
                copy.write(block)
        copy.flush()
        return examine_path(Path(copy.name), filename)


def examine_path(path: Path, filename: str) -> PdfHealth:
    """Examine the PDF at ``path``."""
    if path.stat().st_size == 0:
        return PdfHealth(problems=[f"« {filename} » est vide (0 octet). Exportez de nouveau le document."])
    try:
        facts = workshop.order(do="examine", path=str(path))
    except InspectionFailed:
        facts = {"error": "no answer"}
    return judge(facts, filename)


def judge(facts: dict[str, Any], filename: str) -> PdfHealth:
    """Verdict on the facts that the inspection gathered."""
    if "error" in facts:
        return PdfHealth(
            damaged=True,
            problems=[
                f"« {filename} » n’a pas pu être lu dans le temps et la mémoire accordés. "
                "Réenregistrez-le avec « Imprimer en PDF », puis déposez la nouvelle version."
            ],
        )
    if not facts["is_pdf"]:
        return PdfHealth(
            problems=[
                f"« {filename} » n’est pas un PDF malgré son nom. "
                "Exportez le document en PDF depuis le logiciel qui l’a produit ; le renommer ne suffit pas."
            ]
        )
    if facts.get("user_password"):
        return PdfHealth(
            encrypted=True,
            user_password=True,
            problems=[
                f"« {filename} » est protégé par un mot de passe à l’ouverture. "
                "Enregistrez-en une copie sans mot de passe, puis déposez cette copie."
            ],
        )
    damaged, truncated = bool(facts.get("damage")), not facts["complete"]
    restrictions = [_FORBIDDEN[name] for name in facts.get("forbidden", ())]
    return PdfHealth(
        pages=facts.get("pages"),
        encrypted=facts.get("encrypted", False),
        restricted=bool(restrictions),
        restrictions=restrictions,
        truncated=truncated,
        damaged=damaged,
        scripts=facts.get("scripts", False) or facts.get("launches", False),
        xfa=facts.get("xfa", False),
        attachments=facts.get("attachments", ()),
        executables=facts.get("executables", ()),
        trailing_bytes=facts.get("trailing_bytes", False),
        signed=facts.get("signed", False),
        problems=_problems(facts, filename, truncated, damaged),
        remarks=_remarks(facts, filename, restrictions),
    )


def _problems(facts: dict[str, Any], filename: str, truncated: bool, damaged: bool) -> list[str]:
    problems = []
    if truncated:
        problems.append(
            f"« {filename} » est tronqué : la fin du fichier manque, sans doute après un envoi interrompu. "
            "Reprenez le fichier d’origine et déposez-le de nouveau."
        )
    elif damaged:
        problems.append(
            f"« {filename} » est endommagé : sa structure ne se lit pas sans réparation. "
            "Réenregistrez-le avec « Imprimer en PDF », puis déposez la nouvelle version."
        )
    elif facts.get("pages") == 0:
        problems.append(f"« {filename} » ne contient aucune page. Exportez de nouveau le document.")
    if facts.get("executables"):
        names = ", ".join(facts["executables"])
        problems.append(
            f"« {filename} » contient un programme joint ({names}). "
            "Retirez cette pièce jointe du PDF, puis déposez-le de nouveau."
        )
    return problems


def _remarks(facts: dict[str, Any], filename: str, restrictions: list[str]) -> list[str]:
    remarks = []
    if restrictions:
        remarks.append(
            f"« {filename} » porte une protection du propriétaire ({', '.join(restrictions)}) : "
            "le fichier est gardé tel quel."
        )
    if facts.get("scripts") or facts.get("launches"):
        remarks.append(f"« {filename} » contient un script ou une action : rien n’en est exécuté ici.")
    if facts.get("xfa"):
        remarks.append(
            f"« {filename} » contient un formulaire dynamique XFA, que peu de lecteurs affichent. "
            "Préférez une version aplatie."
        )
    return remarks
