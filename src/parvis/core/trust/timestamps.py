"""Time-stamps of RFC 3161 (EN 319 422): asked of several authorities in turn, verified, kept as they came."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, tsp, x509
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from parvis.core.errors import DomainError
from parvis.core.trust import policy as policies
from parvis.core.trust.outgoing import ServiceUnreachable, exchange
from parvis.core.trust.policy import TrustPolicy
from parvis.core.trust.waiting import wait_for

logger = logging.getLogger(__name__)

MAX_TOKEN = 64 * 1024
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class TimestampUnavailable(DomainError):
    """No configured authority gave a token that verifies."""


class TimestampInvalid(DomainError):
    """A token does not prove what it should."""


@dataclass(frozen=True)
class Token:
    """A verified token: `der` is the TimeStampToken, `response` the TimeStampResp as files `.tsr` hold it."""

    der: bytes
    gen_time: datetime
    serial: int
    authority: str
    url: str = ""

    @property
    def response(self) -> bytes:
        """The token in a granted response, the form that `openssl ts -verify -in` reads."""
        reply = {"status": {"status": "granted"}, "time_stamp_token": cms.ContentInfo.load(self.der)}
        return bytes(tsp.TimeStampResp(reply).dump())


@dataclass(frozen=True)
class TokenReport:
    """Result of a verification; `problems` are French sentences, empty when the token is valid."""

    valid: bool
    gen_time: datetime | None
    serial: int | None
    authority: str
    sandbox: bool
    problems: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if not self.valid:
            return "Horodatage non valide : " + " ".join(self.problems)
        value = " (bac à sable, sans valeur légale)" if self.sandbox else ""
        return f"Horodatage valide, délivré par {self.authority}{value}."

    def to_dict(self) -> dict[str, Any]:
        return {
            "valid": self.valid,
            "gen_time": self.gen_time.isoformat() if self.gen_time else None,
            "serial": str(self.serial) if self.serial is not None else None,
            "authority": self.authority,
            "sandbox": self.sandbox,
            "sentence": self.sentence,
            "problems": list(self.problems),
        }


def request_token(data: bytes, *, policy: TrustPolicy | None = None) -> Token:
    """Time-stamp `data` (its SHA-256 leaves, nothing else). Raises TimestampUnavailable."""
    return request_token_for_digest(hashlib.sha256(data).digest(), policy=policy)


def request_token_for_digest(sha256: bytes, *, policy: TrustPolicy | None = None) -> Token:
    """Time-stamp a SHA-256 digest: each authority in turn until one gives a token that verifies."""
    policy = policy or policies.from_settings()
    if len(sha256) != 32:
        raise ValueError("a SHA-256 digest has 32 bytes")
    query = _query(sha256)
    for url, reply in _replies(query, policy):
        try:
            return _accept(reply, query, sha256, url, policy)
        except TimestampInvalid as error:
            logger.warning("time-stamp of %s refused: %s", url, error.sentence)
    raise _unavailable(policy)


def verify_token(
    der: bytes, data: bytes | None = None, *, sha256: bytes | None = None, policy: TrustPolicy | None = None
) -> TokenReport:
    """Verify a token (or a whole response) over `data` or a digest: imprint, signature, usage, chain then.

    Never raises on the token's content. The authority's revocation is not asked again: the token was accepted
    at its date, and archives renew their time-stamps before the authority's certificate ends.
    """
    policy = policy or policies.from_settings()
    digests = _digests(data, sha256)
    try:
        token = _parse(der)
        signed: cms.SignedData = token["content"]
        info: tsp.TSTInfo = signed["encap_content_info"]["content"].parsed
        gen_time, serial = info["gen_time"].native, info["serial_number"].native
        unit, others = _certificates(signed)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        logger.info("unreadable time-stamp token: %s", error)
        return TokenReport(False, None, None, "", False, ("Le jeton est illisible.",))
    authority = _label(unit) if unit is not None else ""
    if unit is None:
        return TokenReport(False, gen_time, serial, "", False, ("Le certificat de l’autorité manque dans le jeton.",))
    problems = [*_imprint_problems(info, digests), *_usage_problems(unit)]
    path, failure = _signature(signed, digests, gen_time, others, policy)
    problems += failure
    return TokenReport(not problems, gen_time, serial, authority, policies.without_legal_value(path), tuple(problems))


# -- asking ------------------------------------------------------------------------------------------------


def _query(sha256: bytes) -> tsp.TimeStampReq:
    return tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": sha256},
            "nonce": secrets.randbits(63) | 1,
            "cert_req": True,
        }
    )


def _replies(query: tsp.TimeStampReq, policy: TrustPolicy) -> Iterable[tuple[str, tsp.TimeStampResp]]:
    """Granted replies of the configured authorities, in order; failures are logged and skipped."""
    for url in policy.tsa_urls:
        try:
            answer = exchange(
                url,
                allowed_hosts=policy.reachable_hosts,
                body=query.dump(),
                content_type=QUERY,
                accept=REPLY,
                limit=MAX_TOKEN,
            )
            reply = tsp.TimeStampResp.load(answer.content, strict=True)
            status = reply["status"]["status"].native
        except ServiceUnreachable as error:
            logger.warning("time-stamping authority %s: %s", url, error.data)
            continue
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("time-stamping authority %s answered out of format: %s", url, error)
            continue
        if status not in ("granted", "granted_with_mods"):
            logger.warning("time-stamping authority %s refused: %s", url, reply["status"].native)
            continue
        yield url, reply


def _accept(reply: tsp.TimeStampResp, query: tsp.TimeStampReq, sha256: bytes, url: str, policy: TrustPolicy) -> Token:
    token: cms.ContentInfo = reply["time_stamp_token"]
    der = token.dump()
    report = verify_token(der, sha256=sha256, policy=policy)
    if not report.valid or report.gen_time is None or report.serial is None:
        raise TimestampInvalid(report.sentence, url=url)
    info = token["content"]["encap_content_info"]["content"].parsed
    if info["nonce"].native != query["nonce"].native:
        raise TimestampInvalid("Le jeton ne répond pas à notre demande (nonce différent).", url=url)
    return Token(der, report.gen_time, report.serial, report.authority, url)


def _unavailable(policy: TrustPolicy) -> TimestampUnavailable:
    if not policy.tsa_urls:
        return TimestampUnavailable(
            "Aucun service d’horodatage n’est configuré. L’administration de la plateforme en indique un."
        )
    return TimestampUnavailable(
        "Aucun service d’horodatage n’a donné de jeton valable. Réessayez dans quelques minutes.",
        urls=list(policy.tsa_urls),
    )


class FailoverTimeStamper(TimeStamper):
    """pyHanko time-stamper over the policy's authorities, with our bounds and checks."""

    def __init__(self, policy: TrustPolicy) -> None:
        super().__init__(include_nonce=True)  # type: ignore[no-untyped-call]
        self.policy = policy

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        imprint = req["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise ValueError("time-stamps here are over SHA-256")
        sha256 = imprint["hashed_message"].native

        def task() -> tsp.TimeStampResp:
            for url, reply in _replies(req, self.policy):
                try:
                    # verify_token runs its own event loop, hence this thread
                    _accept(reply, req, sha256, url, self.policy)
                except TimestampInvalid as error:
                    logger.warning("time-stamp of %s refused: %s", url, error.sentence)
                    continue
                return reply
            raise _unavailable(self.policy)

        return await asyncio.to_thread(task)


# -- verifying ---------------------------------------------------------------------------------------------


def _digests(data: bytes | None, sha256: bytes | None) -> dict[str, bytes]:
    if data is not None:
        return {name: hashlib.new(name, data).digest() for name in ("sha256", "sha384", "sha512")}
    if sha256 is not None:
        return {"sha256": sha256}
    raise ValueError("data or a digest is required")


def _parse(der: bytes) -> cms.ContentInfo:
    """The token of a bare TimeStampToken or of a TimeStampResp."""
    try:
        token = cms.ContentInfo.load(der, strict=True)
        if token["content_type"].native == "signed_data":
            return token
    except (ValueError, TypeError):
        pass
    return tsp.TimeStampResp.load(der, strict=True)["time_stamp_token"]


def _certificates(signed: cms.SignedData) -> tuple[x509.Certificate | None, list[x509.Certificate]]:
    """The signer's certificate and the others that the token carries."""
    carried: list[x509.Certificate] = [
        choice.chosen for choice in signed["certificates"] if choice.name == "certificate"
    ]
    sid = signed["signer_infos"][0]["sid"]

    def is_signer(one: x509.Certificate) -> bool:
        if sid.name == "issuer_and_serial_number":
            chosen = sid.chosen
            return bool(one.issuer == chosen["issuer"] and one.serial_number == chosen["serial_number"].native)
        return bool(one.key_identifier == sid.chosen.native)

    unit = next((one for one in carried if is_signer(one)), None)
    return unit, [one for one in carried if one is not unit]


def _imprint_problems(info: tsp.TSTInfo, digests: dict[str, bytes]) -> list[str]:
    imprint = info["message_imprint"]
    algorithm = imprint["hash_algorithm"]["algorithm"].native
    if algorithm not in digests:
        return [f"L’empreinte est calculée avec un algorithme non admis ({algorithm})."]
    if imprint["hashed_message"].native != digests[algorithm]:
        return ["L’empreinte du jeton n’est pas celle du contenu."]
    return []


def _usage_problems(unit: x509.Certificate) -> list[str]:
    """RFC 3161 §2.3: extended key usage timeStamping alone, and critical."""
    usage = unit.extended_key_usage_value
    critical = "extended_key_usage" in unit.critical_extensions
    if usage is None or usage.native != ["time_stamping"] or not critical:
        return ["Le certificat de l’autorité n’est pas réservé à l’horodatage."]
    return []


def _signature(
    signed: cms.SignedData,
    digests: dict[str, bytes],
    gen_time: datetime,
    others: list[x509.Certificate],
    policy: TrustPolicy,
) -> tuple[list[x509.Certificate], list[str]]:
    """Path of the authority and the problems of signature and chain, judged at the token's own time."""
    context = ValidationContext(
        trust_roots=list(policy.roots),
        other_certs=[*policy.intermediates, *others],
        moment=gen_time,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )
    try:
        status = TimestampSignatureStatus(
            **wait_for(validate_tst_signed_data(signed, context, lambda name: digests.get(name, b"")))
        )
    except Exception as error:  # hostile material raises anything
        logger.info("time-stamp token not verifiable: %s", error)
        return [], ["La signature du jeton n’est pas vérifiable."]
    path: list[x509.Certificate] = list(status.validation_path) if status.validation_path else []
    if not status.valid:
        return path, ["La signature du jeton est fausse."]
    if status.trust_problem_indic is not None or not path:
        return path, ["L’autorité d’horodatage n’est pas reconnue par cette plateforme."]
    return path, []


def _label(certificate: x509.Certificate) -> str:
    return str(certificate.subject.native.get("common_name") or certificate.subject.human_friendly)
