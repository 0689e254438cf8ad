"""Hosts: a commune's own host shows its public pages, everything personal stays on the platform's, others are refused.

First of all middlewares, so that no other one ever sees a host that nobody vouched for.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import redirect

from parvis.core.portal.hosts import Site, known, platform_address

# What the platform shows alike on every host.
COMMON = (
    "/static/",
    "/theme/",
    "/accessibilite/",
    "/mentions-legales/",
    "/aide/",
    "/annonces/",
    "/connecte/",
    "/robots.txt",
    "/health",
)


def site_of(request: HttpRequest) -> Site | None:
    """The organisation's host that the request names, if it is one; the platform's own names come first."""
    domain, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
    if not domain or domain in settings.ALLOWED_HOSTS:
        return None
    return known().get(domain)


class HostMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.own_host = site = site_of(request)  # type: ignore[attr-defined]
        if site is None:
            request.get_host()  # refuses (400) what is neither the platform's host nor an organisation's
            return self.get_response(request)
        # The host is one of the table, with the port of the platform: what was sent is not repeated.
        request.get_host = lambda: site.netloc  # type: ignore[method-assign]
        if request.path == "/":
            request.path_info = site.home
        elif request.path == site.home:
            return redirect("/")
        elif not request.path.startswith((site.home, *COMMON)):
            if request.method not in ("GET", "HEAD"):
                raise Http404
            return redirect(platform_address(request.get_full_path()))
        return self.get_response(request)
