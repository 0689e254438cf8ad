"""Behind a reverse proxy, the address of a request is that of the caller, which the proxy alone may tell."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PEER = "PARVIS_PEER_ADDRESS"


def peer_of(request: HttpRequest) -> str:
    """Address of whoever opened the connection: the proxy, where there is one."""
    return str(request.META.get(PEER, request.META.get("REMOTE_ADDR", "")))


def comes_from_proxy(request: HttpRequest) -> bool:
    """True when the headers that a proxy writes may be believed."""
    return bool(settings.PARVIS_BEHIND_PROXY) and peer_of(request) in settings.PARVIS_PROXY_ADDRESSES


class ProxyMiddleware:
    """Puts the caller's address in ``REMOTE_ADDR``: the last of X-Forwarded-For, the only one the proxy wrote."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META[PEER] = request.META.get("REMOTE_ADDR", "")
        if comes_from_proxy(request):
            told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            with suppress(ValueError):  # the proxy told nothing usable: its own address stays
                request.META["REMOTE_ADDR"] = str(ip_address(told))
        return self.get_response(request)
