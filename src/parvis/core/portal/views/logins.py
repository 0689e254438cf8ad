"""The way between a commune's own host and the platform's, where people log in.

A commune's host knows nobody: after the login it only keeps that somebody came back, to word its header.
"""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parvis.core.identity.access import AccountRequest, account_view, open_view
from parvis.core.organisations.models import Organisation
from parvis.core.portal.hosts import KNOWN_COOKIE, own_address


@never_cache
@require_safe
@account_view
def back(request: AccountRequest) -> HttpResponse:
    """Take the person back to the organisation's host that they came from; any other address is left out.

    A page rather than a redirection: the content policy lets no form end on another host.
    """
    wanted = request.GET.get("vers", "")
    site = own_address(wanted)
    if site is None:
        return redirect("web:home")
    parts = urlsplit(wanted)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    context = {
        "organisation": Organisation.objects.get(slug=site.slug),
        "address": f"{site.base}{reverse('portal:arrived')}?{urlencode({'vers': path})}",
    }
    return render(request, "portal/back.html", context)


@never_cache
@require_safe
@open_view
def arrived(request: HttpRequest) -> HttpResponse:
    """On the organisation's host: remember, for its header only, that this browser logged in on the platform."""
    wanted = request.GET.get("vers", "")
    local = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    response = redirect(wanted if local else "/")
    response.set_cookie(
        KNOWN_COOKIE,
        "1",
        max_age=settings.SESSION_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
