"""Requests to a provider: to its own origin only, without redirection, bounded in time and in size.

Addresses come from the discovery document; one that would leave the issuer's origin is refused, so that nothing a
provider answers makes Parvis call another server (OWASP SSRF prevention, case 1). One budget of time covers all
the requests of a login: the person waits less than five seconds for a page that says what happens.
"""

import json
import time
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests
from django.conf import settings

from parvis.core.errors import DomainError
from parvis.core.provider.outgoing import Unreachable, exchange

BUDGET: Final = 4.5
CONNECT: Final = 2.0
MAX_ANSWER: Final = 256 * 1024


class Silent(DomainError):
    """No usable answer; ``data`` say why."""

    def __init__(self, **data: object) -> None:
        super().__init__("Le fournisseur d’identité ne répond pas.", **data)


class Line:
    """Requests to one origin within one budget of time; with ``public``, never towards our own network.

    The operator wrote the addresses of FranceConnect and ProConnect, an organisation that of its directory.
    """

    def __init__(self, issuer: str, seconds: float = BUDGET, *, public: bool = False) -> None:
        self.origin = origin_of(issuer)
        self._public = public
        self._until = time.monotonic() + seconds

    def get_json(self, url: str) -> dict[str, Any]:
        """JSON object at ``url``. Raises Silent."""
        return _object(url, *self.call("GET", url, accept="application/json"))

    def post_form(self, url: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and JSON object that a form gets. Raises Silent."""
        status, media_type, content = self.call("POST", url, form=form, accept="application/json", any_status=True)
        return status, _object(url, status, media_type, content)

    def call(
        self,
        method: str,
        url: str,
        *,
        form: dict[str, str] | None = None,
        accept: str = "",
        token: str = "",
        any_status: bool = False,
    ) -> tuple[int, str, bytes]:
        """(status, media type, content) of one request; a status other than 200 raises Silent unless allowed."""
        if origin_of(url) != self.origin:
            raise Silent(url=url, cause="another origin")
        left = self._until - time.monotonic()
        if left <= 0:
            raise Silent(url=url, cause="budget spent")
        headers = {"Accept": accept, "User-Agent": "Parvis"} | ({"Authorization": f"Bearer {token}"} if token else {})
        if self._public:
            status, media_type, told = self._exchange(method, url, form, headers, left)
            if status != 200 and not any_status:
                raise Silent(url=url, cause=f"status {status}")
            return status, media_type, told
        content = bytearray()
        try:
            with requests.request(
                method, url, data=form, headers=headers, timeout=(min(CONNECT, left), left), allow_redirects=False,
                stream=True,
            ) as answer:  # fmt: skip
                for chunk in answer.iter_content(16 * 1024):
                    content += chunk
                    if len(content) > MAX_ANSWER or time.monotonic() > self._until:
                        raise Silent(url=url, cause="too long or too slow")
                if answer.status_code != 200 and not any_status:
                    raise Silent(url=url, cause=f"status {answer.status_code}")
                media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return answer.status_code, media_type, bytes(content)
        except requests.RequestException as error:
            raise Silent(url=url, cause=type(error).__name__) from error

    def _exchange(
        self, method: str, url: str, form: dict[str, str] | None, headers: dict[str, str], left: float
    ) -> tuple[int, str, bytes]:
        body = urlencode(form) if form is not None else None
        if body is not None:
            headers = headers | {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            status, media_type, content = exchange(method, url, body, headers, limit=MAX_ANSWER, seconds=left)
        except Unreachable as error:
            raise Silent(url=url, cause=error.sentence) from error
        if len(content) > MAX_ANSWER:
            raise Silent(url=url, cause="too long")
        return status, media_type, content


def origin_of(url: str) -> str:
    """Scheme and authority of ``url``; Silent unless https (or a demo's http on loopback), or with credentials."""
    parts = urlsplit(url)
    loopback = settings.DEMO and parts.hostname in ("127.0.0.1", "localhost")
    if (
        not parts.hostname
        or "@" in parts.netloc
        or not (parts.scheme == "https" or (parts.scheme == "http" and loopback))
    ):
        raise Silent(url=url, cause="address refused")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _object(url: str, status: int, media_type: str, content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError as error:
        raise Silent(url=url, cause=f"status {status}, not JSON") from error
    if not isinstance(told, dict):
        raise Silent(url=url, cause="not a JSON object")
    return told
