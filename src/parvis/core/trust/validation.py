"""Validation of PDF signatures after EN 319 102-1, with a verdict in French for each signature.

Two questions are always answered apart: is the signature cryptographically intact and trusted, and what
changed in the file since. Whatever a hostile file provokes becomes INDETERMINATE / FORMAT_FAILURE: the file is
read in a process of its own (``judging``), bounded in memory and killed when it lasts too long.
"""

from __future__ import annotations

import hashlib
import io
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed, AdESStatus, AdESSubIndic
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    KeyUsageConstraints,
    SignatureCoverageLevel,
)
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    AdESWithTimeValidationResult,
    ades_basic_validation,
    ades_lta_validation,
    ades_timestamp_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import SignatureStatus
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from parvis.core import clock
from parvis.core.documents.workshop import InspectionFailed, InspectionOverdue
from parvis.core.trust import policy as policies
from parvis.core.trust.examiner import examiner
from parvis.core.trust.identities import common_name
from parvis.core.trust.modifications import DIFF_POLICY, Change, change_of
from parvis.core.trust.outgoing import BoundedFetchers
from parvis.core.trust.pades import MAX_PDF, Level
from parvis.core.trust.policy import TrustPolicy
from parvis.core.trust.waiting import wait_for

logger = logging.getLogger(__name__)

SECONDS = 60.0
"""How long one file may be examined, revocation requests included."""

MAX_SIGNATURES = 50
PADES, TIMESTAMP = "/ETSI.CAdES.detached", "/ETSI.RFC3161"
READABLE = frozenset({PADES, "/adbe.pkcs7.detached"})
WITHOUT_VALUE = " Certificat de bac à sable, sans valeur légale."


class Unreadable(Exception):
    """The file cannot be examined; the message is the French reason."""


class Verdict(StrEnum):
    """Overall indication of EN 319 102-1 §5.1.3. `MODIFIED_AFTER_SIGNATURE` is our own sub-indication."""

    PASSED = "TOTAL_PASSED"
    FAILED = "TOTAL_FAILED"
    INDETERMINATE = "INDETERMINATE"


REASONS = {
    "FORMAT_FAILURE": "La signature est illisible ou n’est pas dans un format reconnu.",
    "HASH_FAILURE": "Le contenu signé a été altéré : son empreinte ne correspond plus.",
    "SIG_CRYPTO_FAILURE": "La valeur de la signature est fausse.",
    "REVOKED": "Le certificat était révoqué au moment de la signature.",
    "EXPIRED": "Le certificat avait expiré au moment de la signature.",
    "NOT_YET_VALID": "Le certificat n’était pas encore valable au moment de la signature.",
    "SIG_CONSTRAINTS_FAILURE": "Un élément exigé de la signature manque ou ne convient pas.",
    "CHAIN_CONSTRAINTS_FAILURE": "Le certificat n’est pas destiné à la signature.",
    "CERTIFICATE_CHAIN_GENERAL_FAILURE": "L’autorité du certificat n’a pas permis d’en vérifier la validité.",
    "CRYPTO_CONSTRAINTS_FAILURE": "Un algorithme de la signature n’est plus considéré comme sûr.",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": "Un algorithme de la signature n’est plus considéré comme sûr.",
    "NO_SIGNING_CERTIFICATE_FOUND": "Le certificat du signataire manque dans la signature.",
    "NO_CERTIFICATE_CHAIN_FOUND": "Le certificat ne provient pas d’une autorité reconnue par la plateforme.",
    "REVOKED_NO_POE": "Le certificat est révoqué ; rien ne prouve une signature antérieure.",
    "REVOKED_CA_NO_POE": "L’autorité du certificat est révoquée ; rien ne prouve une signature antérieure.",
    "OUT_OF_BOUNDS_NO_POE": "Le certificat n’est plus valable ; rien ne prouve une signature antérieure.",
    "OUT_OF_BOUNDS_NOT_REVOKED": "Le certificat n’est plus valable ; il n’a pas été révoqué.",
    "REVOCATION_OUT_OF_BOUNDS_NO_POE": "Les données de révocation ne sont plus vérifiables à leur date.",
    "NO_POE": "Une preuve de date manque pour établir la validité dans le passé.",
    "TRY_LATER": "Les données de révocation ne sont pas encore assez récentes. Recommencez plus tard.",
    "SIGNED_DATA_NOT_FOUND": "Le contenu signé est introuvable.",
    "TIMESTAMP_ORDER_FAILURE": "Les horodatages se contredisent.",
    "MODIFIED_AFTER_SIGNATURE": "Le document a été modifié après la signature.",
    "NO_SIGNATURE": "Ce document ne porte pas de signature électronique.",
}
NOT_A_PDF = "Le fichier n’est pas un PDF lisible : ses signatures ne peuvent pas être vérifiées."
TOO_LONG = "Signatures non vérifiables : l’examen du fichier durait plus de {seconds} secondes, il a été arrêté."
TOO_HEAVY = "Signatures non vérifiables : leur examen demande plus de mémoire que la plateforme n’en accorde."
DEFAULT_REASON = "La signature n’a pas pu être vérifiée complètement."


TIMES = ("claimed_at", "best_signature_time")


@dataclass(frozen=True)
class SignatureReport:
    """What is known of one signature or document time-stamp. Times are aware UTC."""

    field: str
    kind: str  # "signature" | "horodatage"
    verdict: Verdict
    sub_indication: str
    sentence: str
    signer: str = ""
    organisation: str = ""
    organisation_identifier: str = ""
    issuer: str = ""
    serial: str = ""
    certificate_sha256: str = ""
    level: str = ""
    sub_filter: str = ""
    reason: str = ""
    location: str = ""
    claimed_at: datetime | None = None
    best_signature_time: datetime | None = None
    timestamp_authority: str = ""
    intact: bool = False
    trusted: bool = False
    covers_whole_file: bool = False
    change: Change = Change.NONE
    sandbox: bool = False

    @property
    def valid(self) -> bool:
        return self.verdict is Verdict.PASSED

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SignatureReport:
        """The report that `to_dict` wrote."""
        values = {one.name: data[one.name] for one in fields(cls)}
        times = {key: values[key] and datetime.fromisoformat(values[key]) for key in TIMES}
        return cls(**values | times | {"verdict": Verdict(values["verdict"]), "change": Change(values["change"])})

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        for key in TIMES:
            data[key] = data[key].isoformat() if data[key] else None
        return data | {"change_sentence": self.change.sentence}


@dataclass(frozen=True)
class Report:
    """Verdict on a file: that of its least good signature."""

    verdict: Verdict
    sub_indication: str
    sentence: str
    signatures: tuple[SignatureReport, ...]
    sha256: str
    size: int
    validated_at: datetime
    sandbox: bool = False

    @property
    def valid(self) -> bool:
        return self.verdict is Verdict.PASSED

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """The report that `to_dict` wrote."""
        return cls(
            verdict=Verdict(data["verdict"]),
            sub_indication=data["sub_indication"],
            sentence=data["sentence"],
            signatures=tuple(SignatureReport.from_dict(one) for one in data["signatures"]),
            sha256=data["sha256"],
            size=data["size"],
            validated_at=datetime.fromisoformat(data["validated_at"]),
            sandbox=data["sans_valeur_legale"],
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON values, in the order a reader wants them."""
        return {
            "verdict": self.verdict,
            "sub_indication": self.sub_indication,
            "sentence": self.sentence,
            "sans_valeur_legale": self.sandbox,
            "validated_at": self.validated_at.isoformat(),
            "sha256": self.sha256,
            "size": self.size,
            "standard": "ETSI EN 319 102-1",
            "signatures": [one.to_dict() for one in self.signatures],
        }

    def to_page(self) -> dict[str, Any]:
        """French labels and values, ready for a template or a typeset page."""
        return {
            "titre": "Rapport de validation des signatures",
            "conclusion": self.sentence,
            "mention": WITHOUT_VALUE.strip() if self.sandbox else "",
            "empreinte": self.sha256,
            "valide_le": self.validated_at,
            "signatures": [
                {
                    "titre": "Signature" if one.kind == "signature" else "Horodatage du document",
                    "conclusion": one.sentence,
                    "lignes": [(label, value) for label, value in _lines(one) if value],
                }
                for one in self.signatures
            ],
        }


def _lines(one: SignatureReport) -> list[tuple[str, Any]]:
    return [
        ("Signataire", one.signer),
        ("Pour", one.organisation),
        ("Certificat délivré par", one.issuer),
        ("Numéro de série", one.serial),
        ("Niveau", one.level),
        ("Qualité indiquée", one.reason),
        ("Lieu indiqué", one.location),
        ("Date indiquée par le signataire", one.claimed_at),
        ("Date prouvée", one.best_signature_time),
        ("Horodatage par", one.timestamp_authority),
        ("Intégrité", "contenu signé intact" if one.intact else "contenu altéré ou non vérifiable"),
        ("Depuis la signature", one.change.sentence),
        ("Verdict normalisé", f"{one.verdict} {one.sub_indication}".strip()),
    ]


def validate_pdf(pdf: bytes, *, policy: TrustPolicy | None = None, at: datetime | None = None) -> Report:
    """Validate every signature of a PDF as of `at` (default: now). Never raises on the file's content."""
    policy = policy or policies.from_settings()
    at = at or clock.now()
    with tempfile.NamedTemporaryFile(prefix="parvis-", suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        try:
            answer = examiner.order(
                do="validate", path=file.name, policy=policy.to_dict(), at=at.isoformat(), seconds=SECONDS
            )
        except InspectionFailed as error:
            logger.warning("validation stopped: %s", error)
            sentence = TOO_LONG.format(seconds=round(SECONDS)) if isinstance(error, InspectionOverdue) else TOO_HEAVY
            return _format_failure(pdf, sentence, at)
    report = answer.get("report")
    return Report.from_dict(report) if report else _format_failure(pdf, TOO_HEAVY, at)


def _format_failure(pdf: bytes, sentence: str, at: datetime) -> Report:
    sha256 = hashlib.sha256(pdf).hexdigest()
    return Report(Verdict.INDETERMINATE, "FORMAT_FAILURE", sentence, (), sha256, len(pdf), at)


def judge_pdf(pdf: bytes, policy: TrustPolicy, at: datetime) -> Report:
    """What `validate_pdf` answers, worked out in the present process: its time and memory are not bounded."""
    sha256, size = hashlib.sha256(pdf).hexdigest(), len(pdf)
    try:
        signatures = wait_for(_validate(pdf, policy, at))
    except MemoryError:
        raise
    except Exception as error:  # hostile or odd files raise anything
        logger.info("PDF not readable for validation: %r", error)
        sentence = str(error) if isinstance(error, Unreadable) else NOT_A_PDF
        return _format_failure(pdf, sentence, at)
    if not signatures:
        return Report(Verdict.INDETERMINATE, "NO_SIGNATURE", REASONS["NO_SIGNATURE"], (), sha256, size, at)
    return _conclude(signatures, sha256, size, at)


def _conclude(signatures: tuple[SignatureReport, ...], sha256: str, size: int, at: datetime) -> Report:
    rank = [Verdict.PASSED, Verdict.INDETERMINATE, Verdict.FAILED]
    # A document time-stamp supports the signatures; alone it concludes only when there is no signature.
    judged = [one for one in signatures if one.kind == "signature"] or list(signatures)
    worst = max(judged, key=lambda one: rank.index(one.verdict))
    count = len(judged)
    sentence = worst.sentence
    if count > 1:
        good = sum(one.valid for one in judged)
        plural = "s" if good > 1 else ""
        sentence = f"{good} signature{plural} valide{plural} sur {count}. {sentence}"
    sandbox = any(one.sandbox for one in signatures)
    return Report(worst.verdict, worst.sub_indication, sentence, signatures, sha256, size, at, sandbox)


# -- one file ------------------------------------------------------------------------------------------------


async def _validate(pdf: bytes, policy: TrustPolicy, at: datetime) -> tuple[SignatureReport, ...]:
    if len(pdf) > MAX_PDF:
        raise Unreadable("Le fichier dépasse 150 Mo : ses signatures ne sont pas vérifiées.")
    reader = PdfFileReader(io.BytesIO(pdf), strict=False)
    if reader.encrypted and reader.decrypt(b"").status is AuthStatus.FAILED:
        raise Unreadable("Le fichier est protégé par un mot de passe : ses signatures ne sont pas vérifiables.")
    try:
        found = list(reader.embedded_signatures)
    except Exception as error:
        raise Unreadable("Le fichier porte une signature dont le contenu est vide ou illisible.") from error
    if len(found) > MAX_SIGNATURES:
        raise Unreadable("Le fichier porte trop de signatures pour être vérifié ici.")
    store = _security_store(reader)
    stamped_until = max((one.signed_revision for one in found if one.sig_object_type == "/DocTimeStamp"), default=-1)
    return tuple([await _report(one, store, stamped_until, policy, at) for one in found])


async def _report(
    embedded: EmbeddedPdfSignature,
    store: LocalKnowledge,
    stamped_until: int,
    policy: TrustPolicy,
    at: datetime,
) -> SignatureReport:
    field = str(embedded.field_name)
    is_timestamp = embedded.sig_object_type == "/DocTimeStamp"
    kind = "horodatage" if is_timestamp else "signature"
    sub_filter = str(embedded.sig_object.get("/SubFilter", ""))
    try:
        certificate = embedded.signer_cert
    except Exception:  # the CMS is absent, unparseable, or carries no certificate of its signer
        return _unreadable(field, kind, sub_filter, embedded)
    try:
        if sub_filter not in (READABLE | {TIMESTAMP}):
            return _unreadable(field, kind, sub_filter, embedded)
        embedded.compute_integrity_info(DIFF_POLICY)
        level = "" if is_timestamp else _level(embedded, sub_filter, store, stamped_until)
        spec = _specification(policy, store, certificate)
        result = await _result(embedded, is_timestamp, level, spec, at)
    except SignatureValidationError as error:
        return _unreadable(field, kind, sub_filter, embedded, str(error.ades_subindication or ""))
    except Exception as error:
        logger.info("signature %s not verifiable: %r", field, error)
        return _unreadable(field, kind, sub_filter, embedded)
    return _describe(embedded, certificate, result, field, kind, level, sub_filter)


async def _result(
    embedded: EmbeddedPdfSignature,
    is_timestamp: bool,
    level: str,
    spec: SignatureValidationSpec,
    at: datetime,
) -> AdESBasicValidationResult[Any]:
    """Run the process of EN 319 102-1 that fits the level: §5.3 basic, §5.5 with time, §5.6 long-term."""
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    digest = embedded.compute_digest()
    if is_timestamp:
        return await ades_timestamp_validation(
            embedded.signed_data,
            spec,
            lambda _algorithm: digest,
            timing_info=timing,
        )
    if level == Level.LTA:
        pdf_spec = PdfSignatureValidationSpec(spec, diff_policy=DIFF_POLICY)
        return await ades_lta_validation(embedded, pdf_spec, timing_info=timing)
    process = ades_with_time_validation if level in (Level.T, Level.LT) else ades_basic_validation
    return await process(embedded.signed_data, spec, timing_info=timing, raw_digest=digest)


def _specification(
    policy: TrustPolicy, store: LocalKnowledge, certificate: x509.Certificate
) -> SignatureValidationSpec:
    online = RevinfoOnlineFetchingRule.ALWAYS_FETCH if policy.online else RevinfoOnlineFetchingRule.LOCAL_ONLY
    return SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(trust_roots=list(policy.roots)),
            revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("hard-fail")),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=online,
            fetcher_backend=BoundedFetchers(policy.reachable_hosts),
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
        local_knowledge=LocalKnowledge(
            known_ocsps=store.known_ocsps,
            known_crls=store.known_crls,
            known_certs=[*store.known_certs, *policy.intermediates],
        ),
        key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
    )


def _security_store(reader: PdfFileReader) -> LocalKnowledge:
    """Certificates and revocation data of the /DSS dictionary (EN 319 142-1 §5.4.2)."""
    try:
        dss = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return LocalKnowledge()
    ocsps = [OCSPResponse.load(one.get_object().data) for one in dss.ocsps]
    return LocalKnowledge(
        known_ocsps=[container for one in ocsps for container in OCSPContainer.load_multi(one)],
        known_crls=[CRLContainer(CertificateList.load(one.get_object().data)) for one in dss.crls],
        known_certs=list(dss.load_certs()),
    )


def _level(embedded: EmbeddedPdfSignature, sub_filter: str, store: LocalKnowledge, stamped_until: int) -> str:
    """Baseline level by what the file holds; "" outside PAdES."""
    if sub_filter != PADES:
        return ""
    if next(iter(extract_tst_data_iter(embedded.signer_info, signed=False)), None) is None:
        # A document time-stamp alone already gives a proof of time (EN 319 142-1 §5.3)
        return Level.LTA if stamped_until > embedded.signed_revision else Level.B
    if not (store.known_ocsps or store.known_crls):
        return Level.T
    return Level.LTA if stamped_until > embedded.signed_revision else Level.LT


# -- wording -------------------------------------------------------------------------------------------------


def _describe(
    embedded: EmbeddedPdfSignature,
    certificate: x509.Certificate,
    result: AdESBasicValidationResult[Any],
    field: str,
    kind: str,
    level: str,
    sub_filter: str,
) -> SignatureReport:
    status: SignatureStatus | None = result.api_status
    code = _code(result.ades_subindic)
    verdict = _verdict(result.ades_subindic)
    intact = bool(status and status.intact and status.valid)
    covers = embedded.coverage == SignatureCoverageLevel.ENTIRE_FILE
    change = Change.NONE if covers else change_of(embedded.diff_result)
    readable_revision = covers or embedded.coverage == SignatureCoverageLevel.ENTIRE_REVISION
    forbidden = not covers and embedded.summarise_integrity_info()["docmdp_ok"] is False
    if not readable_revision or forbidden:
        change = Change.OTHER
    if change is Change.OTHER and intact:
        verdict, code = Verdict.FAILED, "MODIFIED_AFTER_SIGNATURE"
    path = list(status.validation_path) if status is not None and status.validation_path else []
    sandbox = policies.without_legal_value(path)
    timestamp = getattr(status, "timestamp_validity", None)
    authority = common_name(timestamp.signing_cert) if timestamp is not None else ""
    subject = certificate.subject.native
    best = _best_time(embedded, result, kind)
    return SignatureReport(
        field=field,
        kind=kind,
        verdict=verdict,
        sub_indication=code,
        sentence=_sentence(verdict, code, change, kind, sandbox),
        signer=common_name(certificate),
        organisation=_text(subject.get("organization_name")),
        organisation_identifier=_text(subject.get("organization_identifier")),
        issuer=common_name_of(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        certificate_sha256=certificate.sha256.hex(),
        level=str(level),
        sub_filter=sub_filter.removeprefix("/"),
        reason=_text(embedded.sig_object.get("/Reason")),
        location=_text(embedded.sig_object.get("/Location")),
        claimed_at=_claimed(embedded),
        best_signature_time=best,
        timestamp_authority=authority,
        intact=intact,
        trusted=bool(path) and verdict is not Verdict.FAILED,
        covers_whole_file=covers,
        change=change,
        sandbox=sandbox,
    )


def _sentence(verdict: Verdict, code: str, change: Change, kind: str, sandbox: bool) -> str:
    what, valid = ("Signature", "valide") if kind == "signature" else ("Horodatage du document", "valide")
    mention = WITHOUT_VALUE if sandbox else ""
    match verdict:
        case Verdict.PASSED if change is Change.STAMP:
            return f"{what} {valid} ; tampon de télétransmission ajouté après la signature.{mention}"
        case Verdict.PASSED:
            return f"{what} {valid}.{mention}"
        case Verdict.FAILED:
            return f"{what} non {valid}. {REASONS.get(code, DEFAULT_REASON)}{mention}"
        case _:
            return f"{what} non vérifiable en l’état. {REASONS.get(code, DEFAULT_REASON)}{mention}"


def _unreadable(
    field: str, kind: str, sub_filter: str, embedded: EmbeddedPdfSignature, indication: str = ""
) -> SignatureReport:
    """A signature that cannot be processed: no certificate when the CMS reads, else format failure."""
    code = indication.rpartition(".")[2] or (
        "NO_SIGNING_CERTIFICATE_FOUND" if _has_signer(embedded) else "FORMAT_FAILURE"
    )
    if code not in REASONS:
        code = "FORMAT_FAILURE"
    verdict = Verdict.INDETERMINATE
    return SignatureReport(
        field=field,
        kind=kind,
        verdict=verdict,
        sub_indication=code,
        sentence=_sentence(verdict, code, Change.NONE, kind, sandbox=False),
        sub_filter=sub_filter.removeprefix("/"),
    )


def _has_signer(embedded: EmbeddedPdfSignature) -> bool:
    """True when the CMS is well formed but the signer's certificate is not in it."""
    try:
        embedded.signer_info["signature"].native  # noqa: B018
        embedded.signer_cert  # noqa: B018
    except (SignatureValidationError, AttributeError, KeyError):
        return bool(getattr(embedded, "signer_info", None))
    except Exception:
        return False
    return False


def _verdict(indication: AdESSubIndic) -> Verdict:
    match indication.status:
        case AdESStatus.PASSED:
            return Verdict.PASSED
        case AdESStatus.FAILED:
            return Verdict.FAILED
        case _:
            return Verdict.INDETERMINATE


def _code(indication: AdESSubIndic) -> str:
    if isinstance(indication, AdESPassed):
        return ""
    assert isinstance(indication, AdESFailure | AdESIndeterminate)
    return indication.name


def _best_time(embedded: EmbeddedPdfSignature, result: AdESBasicValidationResult[Any], kind: str) -> datetime | None:
    """Earliest proven time: a time-stamp's, never the signer's claim."""
    if kind == "horodatage":
        time: datetime | None = getattr(result.api_status, "timestamp", None)
        return time
    stamp = getattr(result.api_status, "timestamp_validity", None)
    if stamp is not None:
        proven: datetime = stamp.timestamp
        return proven
    if isinstance(result, AdESWithTimeValidationResult) and getattr(result, "oldest_evidence_record_timestamp", None):
        return result.best_signature_time
    return None


def _claimed(embedded: EmbeddedPdfSignature) -> datetime | None:
    try:
        return embedded.self_reported_timestamp
    except Exception:  # an unreadable date is no date
        return None


def common_name_of(name: x509.Name) -> str:
    """CN of a name, or the whole name."""
    return _text(name.native.get("common_name")) or str(name.human_friendly)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value) if value is not None else ""
