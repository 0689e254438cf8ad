"""Signed answers of the sandbox PKI: CRL (RFC 5280), OCSP (RFC 6960) and time-stamp tokens (RFC 3161)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from asn1crypto import algos, cms, core, ocsp, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute

from parvis_sandbox.pki.authority import Authority, Credential, PrivateKey

OCSP_LIFETIME = timedelta(days=1)
CRL_LIFETIME = timedelta(days=7)
TSA_POLICY = "2.999.3161.1"  # under the arc reserved to examples: this policy has no legal value
ACCEPTED_DIGESTS = {"sha256": 32, "sha384": 48, "sha512": 64}


def asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """The same certificate for asn1crypto."""
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _signature_algorithm(key: PrivateKey) -> algos.SignedDigestAlgorithm:
    algorithm = "sha256_rsa" if isinstance(key, rsa.RSAPrivateKey) else "sha256_ecdsa"
    return algos.SignedDigestAlgorithm({"algorithm": algorithm})


def _sign(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


# -- revocation ------------------------------------------------------------------------------------------


def revocation_list(issuer: Credential, revoked: dict[int, datetime], now: datetime) -> bytes:
    """DER of the issuer's CRL at `now`; its number grows with time."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + CRL_LIFETIME)
        .add_extension(x509.CRLNumber(int(now.timestamp())), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
    )
    for serial, at in revoked.items():
        if at <= now:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def ocsp_response(authority: Authority, request: bytes, now: datetime) -> bytes:
    """DER of the OCSP answer; producedAt and thisUpdate are `now`, the nonce is echoed (RFC 8954)."""
    try:
        tbs = ocsp.OCSPRequest.load(request, strict=True)["tbs_request"]
        wanted = [one["req_cert"] for one in tbs["request_list"]]
        nonce = _nonce(tbs["request_extensions"])
        responses = [_single_response(authority, cert_id, now) for cert_id in wanted]
    except (ValueError, TypeError, KeyError):
        return bytes(ocsp.OCSPResponse({"response_status": "malformed_request"}).dump())
    responder = asn1(authority.ocsp.certificate)
    data = ocsp.ResponseData(
        {
            "responder_id": ocsp.ResponderId("by_key", responder.public_key.sha1),
            "produced_at": now,
            "responses": responses,
            **({"response_extensions": [nonce]} if nonce is not None else {}),
        }
    )
    basic = ocsp.BasicOCSPResponse(
        {
            "tbs_response_data": data,
            "signature_algorithm": _signature_algorithm(authority.ocsp.key),
            "signature": _sign(authority.ocsp.key, data.dump()),
            "certs": [responder],
        }
    )
    wrapped = {"response_type": "basic_ocsp_response", "response": basic}
    return bytes(ocsp.OCSPResponse({"response_status": "successful", "response_bytes": wrapped}).dump())


def _nonce(extensions: ocsp.TBSRequestExtensions | core.Void) -> ocsp.ResponseDataExtension | None:
    for extension in extensions if isinstance(extensions, ocsp.TBSRequestExtensions) else ():
        if extension["extn_id"].native == "nonce":
            value = extension["extn_value"].parsed
            return ocsp.ResponseDataExtension({"extn_id": "nonce", "critical": False, "extn_value": value})
    return None


def _single_response(authority: Authority, cert_id: ocsp.CertId, now: datetime) -> ocsp.SingleResponse:
    issuer = asn1(authority.issuing.certificate)
    digest = cert_id["hash_algorithm"]["algorithm"].native
    ours = (
        cert_id["issuer_name_hash"].native == hashlib.new(digest, issuer.subject.dump()).digest()
        and cert_id["issuer_key_hash"].native == hashlib.new(digest, bytes(issuer.public_key["public_key"])).digest()
    )
    serial = cert_id["serial_number"].native
    revoked_at = authority.revocations().get(serial)
    if not ours or not authority.knows(serial):
        status = ocsp.CertStatus("unknown", core.Null())
    elif revoked_at is not None and revoked_at <= now:
        status = ocsp.CertStatus("revoked", ocsp.RevokedInfo({"revocation_time": revoked_at}))
    else:
        status = ocsp.CertStatus("good", core.Null())
    return ocsp.SingleResponse(
        {"cert_id": cert_id, "cert_status": status, "this_update": now, "next_update": now + OCSP_LIFETIME}
    )


# -- time-stamping ---------------------------------------------------------------------------------------


def time_stamp_response(authority: Authority, request: bytes, now: datetime) -> bytes:
    """DER of the TimeStampResp: a granted token, or a rejection with its failure bit (RFC 3161 §2.4.2)."""
    try:
        query = tsp.TimeStampReq.load(request, strict=True)
        imprint = query["message_imprint"]
        digest = imprint["hash_algorithm"]["algorithm"].native
        hashed = imprint["hashed_message"].native
        policy = query["req_policy"].native
    except (ValueError, TypeError, KeyError):
        return _rejection("bad_data_format", "demande illisible")
    if digest not in ACCEPTED_DIGESTS:
        return _rejection("bad_alg", "algorithme d'empreinte refusé")
    if len(hashed) != ACCEPTED_DIGESTS[digest]:
        return _rejection("bad_data_format", "longueur d'empreinte incorrecte")
    if policy is not None and policy != TSA_POLICY:
        return _rejection("unaccepted_policy", "politique inconnue")
    token = _token(authority, query, now)
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


def _token(authority: Authority, query: tsp.TimeStampReq, now: datetime) -> cms.ContentInfo:
    unit = asn1(authority.tsa.certificate)
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": TSA_POLICY,
            "message_imprint": query["message_imprint"],
            "serial_number": secrets.randbits(63) | 1,
            "gen_time": now,
            "accuracy": {"seconds": 1},
            "tsa": asn1_x509.GeneralName(name="directory_name", value=unit.subject),
            **({"nonce": query["nonce"]} if query["nonce"].native is not None else {}),
        }
    )
    content = info.dump()
    attributes = cms.CMSAttributes(
        [
            simple_cms_attribute("content_type", "tst_info"),
            simple_cms_attribute("message_digest", hashlib.sha256(content).digest()),
            simple_cms_attribute("signing_certificate_v2", as_signing_certificate_v2(unit, "sha256")),
        ]
    )
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber({"issuer": unit.issuer, "serial_number": unit.serial_number}),
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": _signature_algorithm(authority.tsa.key),
            "signature": _sign(authority.tsa.key, attributes.untag().dump()),
        }
    )
    certificates = [unit, asn1(authority.issuing.certificate)] if query["cert_req"].native else []
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(content)},
            **({"certificates": certificates} if certificates else {}),
            "signer_infos": [signer],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed})


def _rejection(failure: str, text: str) -> bytes:
    status = {"status": "rejection", "status_string": [text], "fail_info": {failure}}
    return bytes(_Rejection({"status": status}).dump())


class _Rejection(core.Sequence):
    """TimeStampResp without its optional token, which asn1crypto's own class demands."""

    _fields = [("status", tsp.PKIStatusInfo)]
