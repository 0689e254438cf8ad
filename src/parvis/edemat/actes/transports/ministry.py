"""Direct transport to the ministry: HTTPS POST of the archive as multipart, with a client certificate.

The server is trusted through the pinned authority only. HTTP 200 means accepted; the exact address and field
name are those given by the operator's contract, hence settings.
"""

import secrets
from collections.abc import Iterator
from typing import BinaryIO

import requests
from django.conf import settings
from requests.exceptions import ConnectionError as LineError
from requests.exceptions import RequestException, SSLError, Timeout

from parvis.edemat.actes.transports.base import Answer, Outcome

CONNECT_SECONDS, ANSWER_SECONDS = 60, 180
_BLOCK = 256 * 1024


class MultipartFile:
    """Body of a form with one file, read block by block; ``delivered`` once its last byte has been handed
    over."""

    def __init__(self, field: str, name: str, content: BinaryIO, size: int) -> None:
        self.boundary = secrets.token_hex(16)
        self._head = (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: application/gzip\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()
        self._content, self._size = content, size
        self.delivered = False

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        while block := self._content.read(_BLOCK):
            yield block
        self.delivered = True  # from here on the State may have it all, whatever happens to the connection
        yield self._tail


class MinistryTransport:
    """Sends to ``PARVIS_MINISTRY_URL``; its main certificate, key and authority come from the settings."""

    def send(self, name: str, archive: BinaryIO, size: int) -> Answer:
        """See ``Transport.send``."""
        if not settings.PARVIS_MINISTRY_URL:
            return Answer(Outcome.LINE_CLOSED, "L’adresse du ministère n’est pas réglée : l’envoi attend.")
        body = MultipartFile(getattr(settings, "PARVIS_MINISTRY_FIELD", "") or name, name, archive, size)
        with requests.Session() as session:
            session.trust_env = False  # no proxy nor authority that the settings do not name
            try:
                response = session.post(
                    settings.PARVIS_MINISTRY_URL,
                    data=body,
                    headers={"Content-Type": f"multipart/form-data; boundary={body.boundary}"},
                    cert=(
                        str(settings.PARVIS_MINISTRY_CLIENT_CERT),
                        str(settings.PARVIS_MINISTRY_CLIENT_KEY),
                    ),
                    verify=str(settings.PARVIS_MINISTRY_CA),
                    timeout=getattr(settings, "PARVIS_MINISTRY_TIMEOUTS", (CONNECT_SECONDS, ANSWER_SECONDS)),
                    allow_redirects=False,
                )
            except (RequestException, OSError) as error:
                return _failure(error, body.delivered)
        return _reading(response)


def _failure(error: Exception, delivered: bool) -> Answer:
    if delivered:
        return Answer(
            Outcome.UNCERTAIN,
            "L’archive est partie mais le ministère n’a pas répondu : l’envoi est incertain. "
            "Il ne sera pas répété sans décision ; l’accusé de réception le confirmera.",
        )
    if isinstance(error, SSLError):
        reason = "le certificat présenté par le serveur ou le nôtre est refusé"
    elif isinstance(error, Timeout):
        reason = "le serveur ne répond pas"
    elif isinstance(error, LineError):
        reason = "la connexion n’a pas pu être établie"
    else:
        reason = "l’envoi n’a pas pu commencer"
    return Answer(Outcome.LINE_CLOSED, f"Ministère injoignable ({reason}) : nouvel essai plus tard.")


def _reading(response: requests.Response) -> Answer:
    if response.status_code == 200:
        return Answer(Outcome.ACCEPTED, "Archive acceptée par le ministère.")
    if response.status_code == 404:
        return Answer(Outcome.LINE_CLOSED, "Ligne fermée par le ministère (réponse 404) : nouvel essai plus tard.")
    return Answer(
        Outcome.REFUSED,
        f"Le ministère n’a pas pris l’archive (réponse {response.status_code}) : nouvel essai plus tard.",
    )
