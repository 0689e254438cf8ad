"""The caller's address behind a reverse proxy, and what a caller may not pretend."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from parvis.core.web.proxy import ProxyMiddleware, comes_from_proxy, peer_of

PROXY, CALLER, STRANGER = "127.0.0.1", "203.0.113.7", "198.51.100.9"


@pytest.fixture
def seen(settings):
    """``seen(peer, forwarded)`` -> the request as the views get it."""
    settings.PARVIS_BEHIND_PROXY, settings.PARVIS_PROXY_ADDRESSES = True, [PROXY]

    def pass_through(peer, forwarded=None):
        headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {}
        request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
        ProxyMiddleware(lambda r: HttpResponse())(request)
        return request

    return pass_through


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, CALLER, CALLER),
        (PROXY, f"{STRANGER}, {CALLER}", CALLER),  # the first one was written by the caller
        (PROXY, "2001:db8::1", "2001:db8::1"),
        (PROXY, None, PROXY),
        (PROXY, "n’importe quoi", PROXY),
        (PROXY, f"{CALLER},", PROXY),
        (STRANGER, CALLER, STRANGER),  # not the proxy: not believed
    ],
)
def test_the_address_of_the_caller(seen, peer, forwarded, address):
    request = seen(peer, forwarded)
    assert request.META["REMOTE_ADDR"] == address
    assert peer_of(request) == peer
    assert comes_from_proxy(request) == (peer == PROXY)


def test_without_a_proxy_nothing_is_believed(seen, settings):
    settings.PARVIS_BEHIND_PROXY = False
    request = seen(PROXY, CALLER)
    assert request.META["REMOTE_ADDR"] == PROXY
    assert not comes_from_proxy(request)
