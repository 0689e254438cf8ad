"""Electronic signature of PDF files: PAdES baseline levels B-B to B-LTA (EN 319 142-1).

The file is never rewritten: each signature, and whatever follows it, is an incremental revision. Before the
key is used the certificate is checked for validity, usage, path and revocation, because the signing library
would sign with an expired or revoked one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from pyhanko.pdf_utils.font.opentype import GlyphAccumulatorFactory
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, InnerScaling, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.text import TextBoxStyle
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.stamp import TextStampStyle

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.trust import policy as policies
from parvis.core.trust.identities import SigningIdentity, check_may_sign, validation_context
from parvis.core.trust.policy import TrustPolicy
from parvis.core.trust.timestamps import FailoverTimeStamper
from parvis.core.trust.waiting import wait_for

MAX_PDF = 150 * 1024 * 1024
FONT = Path(__file__).resolve().parent / "fonts" / "AtkinsonHyperlegibleNext-Medium.ttf"


class Level(StrEnum):
    """Baseline levels: signature, with time-stamp, with revocation data, with archive time-stamp."""

    B = "B-B"
    T = "B-T"
    LT = "B-LT"
    LTA = "B-LTA"


class SigningRefused(DomainError):
    """The PDF cannot receive a signature as it is."""


@dataclass(frozen=True)
class VisibleBlock:
    """Lines of text in a box in points from the page's bottom left; page 0 is the first, -1 the last."""

    lines: tuple[str, ...]
    box: tuple[int, int, int, int]
    page: int = -1


@cache
def _drawable() -> frozenset[int]:
    with TTFont(FONT, lazy=True) as font:
        return frozenset(font.getBestCmap())


def can_draw(text: str) -> bool:
    """False when the font of the visible block lacks a letter of ``text``: it would be an empty box there."""
    return all(ord(letter) in _drawable() for letter in text)


def sign(
    pdf: bytes,
    identity: SigningIdentity,
    *,
    level: str = Level.LTA,
    field_name: str = "Signature1",
    reason: str = "",
    location: str = "",
    name: str = "",
    visible: VisibleBlock | None = None,
    policy: TrustPolicy | None = None,
    at: datetime | None = None,
) -> bytes:
    """`pdf` followed by its signature, as one or more incremental revisions.

    Raises CertificateRefused before the key is used, SigningRefused for a file that cannot be signed,
    TimestampUnavailable when a level above B-B cannot be reached. On any error nothing is half-signed.
    """
    wanted = Level(level)
    policy = policy or policies.from_settings()
    at = at or clock.now()
    writer = incremental_writer(pdf)
    if any(one.field_name == field_name for one in writer.prev.embedded_signatures):
        raise SigningRefused(f"Ce document porte déjà une signature nommée « {field_name} ».")
    context = validation_context(policy, at, others=identity.chain, hard_fail=wanted in (Level.LT, Level.LTA))
    check_may_sign(identity, context, at)
    metadata = PdfSignatureMetadata(
        field_name=field_name,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        reason=reason or None,
        location=location or None,
        name=name or identity.common_name,
        validation_context=context if wanted in (Level.LT, Level.LTA) else None,
        embed_validation_info=wanted in (Level.LT, Level.LTA),
        use_pades_lta=wanted is Level.LTA,
    )
    signer = PdfSigner(
        metadata,
        identity.signer,
        timestamper=None if wanted is Level.B else FailoverTimeStamper(policy),
        stamp_style=_style(visible) if visible else None,
        new_field_spec=SigFieldSpec(field_name, on_page=visible.page, box=visible.box)
        if visible
        else SigFieldSpec(field_name),
    )
    try:
        signed = wait_for(_sign(signer, writer, at))
    except DomainError:
        raise
    except Exception as error:
        raise SigningRefused(
            "La signature n’a pas pu être apposée sur ce PDF. Rien n’a été modifié.", cause=repr(error)
        ) from error
    if not signed.startswith(pdf):
        raise SigningRefused("La signature aurait réécrit le document. Rien n’a été modifié.")
    return signed


def incremental_writer(pdf: bytes) -> IncrementalPdfFileWriter:
    """Writer of revisions after `pdf`. Raises SigningRefused for encrypted, certified or unreadable files."""
    if len(pdf) > MAX_PDF:
        raise SigningRefused("Ce PDF dépasse 150 Mo : il ne peut pas être signé ici.")
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf), strict=False)
        encrypted = writer.prev.encrypted
        levels = [] if encrypted else [one.docmdp_level for one in writer.prev.embedded_signatures]
    except Exception as error:  # whatever a malformed file provokes, the answer is a refusal
        raise SigningRefused(
            "Ce fichier n’est pas un PDF lisible. Exportez à nouveau le document en PDF.", cause=repr(error)
        ) from error
    if encrypted:
        raise SigningRefused(
            "Ce PDF est protégé par un mot de passe ou par des restrictions. "
            "Exportez-le sans protection pour le signer."
        )
    if any(level is MDPPerm.NO_CHANGES for level in levels):
        raise SigningRefused("Ce PDF a été certifié sans modification permise : il ne peut plus être signé.")
    return writer


def upgrade(pdf: bytes, *, policy: TrustPolicy | None = None, at: datetime | None = None) -> bytes:
    """Renew a B-LTA file's archive time-stamp before its authority's certificate ends (EN 319 142-1 §5.5)."""
    policy = policy or policies.from_settings()
    at = at or clock.now()
    incremental_writer(pdf)
    context = validation_context(policy, at)
    file = io.BytesIO(pdf)
    try:
        stamper = PdfTimeStamper(FailoverTimeStamper(policy))
        wait_for(
            stamper.async_update_archival_timestamp_chain(PdfFileReader(file, strict=False), context, in_place=True)
        )
    except DomainError:
        raise
    except Exception as error:
        raise SigningRefused(
            "L’horodatage d’archivage n’a pas pu être renouvelé. Le document reste tel quel.",
            cause=repr(error),
        ) from error
    return file.getvalue()


async def _sign(signer: PdfSigner, writer: IncrementalPdfFileWriter, at: datetime) -> bytes:
    """pyHanko's own sequence, with our time in place of the machine's."""
    session = signer.init_signing_session(writer)
    session.system_time = at
    info = await session.perform_presign_validation(writer)
    reserved = await session.estimate_signature_container_size(info)
    document = session.prepare_tbs_document(validation_info=info, bytes_reserved=reserved)
    digest, output = document.digest_tbs_document(in_place=True)
    finished = await document.perform_signature(
        document_digest=digest.document_digest,
        pdf_cms_signed_attrs=PdfCMSSignedAttributes(signing_time=None),
    )
    await finished.post_signature_processing(output)
    output.seek(0)
    return bytes(output.read())


def _style(visible: VisibleBlock) -> TextStampStyle:
    """Framed text in an embedded font, as PDF/A requires."""
    return TextStampStyle(
        stamp_text="\n".join(visible.lines),
        text_box_style=TextBoxStyle(font=GlyphAccumulatorFactory(str(FONT)), font_size=9, leading=12),
        inner_content_layout=SimpleBoxLayoutRule(
            x_align=AxisAlignment.ALIGN_MIN,
            y_align=AxisAlignment.ALIGN_MID,
            margins=Margins(6, 6, 4, 4),
            inner_content_scaling=InnerScaling.SHRINK_TO_FIT,
        ),
        border_width=1,
        background=None,
    )
