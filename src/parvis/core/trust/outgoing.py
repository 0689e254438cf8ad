"""Requests to certification services: only to allowed hosts, without redirection, bounded in time and size.

Addresses of OCSP responders and CRLs come from certificates, that is from whoever produced the document: an
allow-list is the only sound filter (signature.md lists it among the checks; OWASP SSRF prevention, case 1).
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from urllib.parse import urlsplit

import requests
from asn1crypto import crl, x509
from pyhanko_certvalidator.fetchers import FetcherBackend, Fetchers
from pyhanko_certvalidator.fetchers.api import CertificateFetcher, FetchLimits
from pyhanko_certvalidator.fetchers.common_utils import FetchBudget
from pyhanko_certvalidator.fetchers.requests_fetchers.crl_client import RequestsCRLFetcher
from pyhanko_certvalidator.fetchers.requests_fetchers.ocsp_client import RequestsOCSPFetcher

from parvis.core.errors import DomainError

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 8.0
TOTAL_TIME = 20.0
MAX_ANSWER = 8 * 1024 * 1024  # the largest national CRLs stay under this
MAX_REQUESTS_PER_OPERATION = 40
USER_AGENT = "Parvis"


class ServiceUnreachable(DomainError):
    """A certification service is not allowed, did not answer, or answered out of bounds."""


def exchange(
    url: str,
    *,
    allowed_hosts: frozenset[str],
    body: bytes | None = None,
    content_type: str = "",
    accept: str = "",
    limit: int = MAX_ANSWER,
) -> requests.Response:
    """GET `url`, or POST `body` to it, and return the fully read answer (status 200, at most `limit` bytes).

    Raises ServiceUnreachable, whose data say why.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not {parts.hostname, parts.netloc} & allowed_hosts:
        raise ServiceUnreachable(
            f"L’adresse « {parts.hostname} » ne figure pas parmi les services de certification autorisés. "
            "L’administrateur de la plateforme peut l’ajouter.",
            url=url,
        )
    headers = {"User-Agent": USER_AGENT, "Accept": accept} | ({"Content-Type": content_type} if body else {})
    outcome: Future[requests.Response] = Future()

    def work() -> None:
        try:
            outcome.set_result(_answer(url, body, headers, limit, time.monotonic() + TOTAL_TIME))
        except BaseException as error:
            outcome.set_exception(error)

    # Waits of the network restart at every byte: only a second thread can be left at the appointed time. It ends
    # by itself, since its own socket times out and its reading stops at the same time.
    threading.Thread(target=work, name="certification-service", daemon=True).start()
    try:
        return outcome.result(TOTAL_TIME)
    except TimeoutError as error:
        raise _silent(url, "too slow") from error
    except requests.RequestException as error:
        raise _silent(url, str(error)) from error


def _answer(url: str, body: bytes | None, headers: dict[str, str], limit: int, until: float) -> requests.Response:
    content = bytearray()
    with requests.request(
        "POST" if body is not None else "GET",
        url,
        data=body,
        headers=headers,
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
        allow_redirects=False,
        stream=True,
    ) as answer:
        if answer.status_code != 200:
            raise _silent(url, f"status {answer.status_code}")
        while chunk := answer.raw.read1(16 * 1024, decode_content=True):
            content += chunk
            if len(content) > limit:
                raise _silent(url, f"more than {limit} bytes")
            if time.monotonic() > until:
                raise _silent(url, "too slow")
        answer._content = bytes(content)  # the answer is read: let callers use .content
        return answer


def _silent(url: str, reason: str) -> ServiceUnreachable:
    host = urlsplit(url).hostname
    return ServiceUnreachable(
        f"Le service de certification « {host} » répond mal ou pas du tout. Réessayez dans quelques minutes.",
        url=url,
        reason=reason,
    )


class _Bounded:
    """Sends pyHanko's revocation requests through `exchange`."""

    allowed_hosts: frozenset[str] = frozenset()

    async def _get(self, url: str, *, acceptable_content_types: tuple[str, ...]) -> requests.Response:
        return await self._exchange(url, None, "", acceptable_content_types)

    async def _post(
        self, url: str, data: bytes, *, content_type: str, acceptable_content_types: tuple[str, ...]
    ) -> requests.Response:
        return await self._exchange(url, data, content_type, acceptable_content_types)

    async def _exchange(
        self, url: str, body: bytes | None, content_type: str, accept: tuple[str, ...]
    ) -> requests.Response:
        def task() -> requests.Response:
            try:
                return exchange(
                    url,
                    allowed_hosts=self.allowed_hosts,
                    body=body,
                    content_type=content_type,
                    accept=", ".join(accept),
                )
            except ServiceUnreachable as error:
                raise requests.RequestException(str(error.data)) from error

        return await asyncio.to_thread(task)


class _OcspFetcher(_Bounded, RequestsOCSPFetcher):
    pass


class _CrlFetcher(_Bounded, RequestsCRLFetcher):
    pass


class _NoCertificateFetcher(CertificateFetcher):
    """Certificates never come from addresses found in the material under examination."""

    async def _nothing(self) -> AsyncGenerator[x509.Certificate, None]:
        nothing: tuple[x509.Certificate, ...] = ()
        for certificate in nothing:
            yield certificate

    def fetch_cert_issuers(self, cert: object) -> AsyncGenerator[x509.Certificate, None]:
        return self._nothing()

    def fetch_crl_issuers(self, certificate_list: crl.CertificateList) -> AsyncGenerator[x509.Certificate, None]:
        return self._nothing()

    def fetched_certs(self) -> tuple[x509.Certificate, ...]:
        return ()


class BoundedFetchers(FetcherBackend):
    """pyHanko fetcher backend under our bounds. One per operation."""

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self.allowed_hosts = allowed_hosts

    def get_fetchers(self) -> Fetchers:
        budget = FetchBudget(FetchLimits(max_requests=MAX_REQUESTS_PER_OPERATION))
        ocsp, lists = _OcspFetcher(budget=budget), _CrlFetcher(budget=budget)  # type: ignore[no-untyped-call]
        ocsp.allowed_hosts = lists.allowed_hosts = self.allowed_hosts
        return Fetchers(ocsp_fetcher=ocsp, crl_fetcher=lists, cert_fetcher=_NoCertificateFetcher())
