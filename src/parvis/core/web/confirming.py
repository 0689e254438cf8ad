"""Pages made of one form: something to fill in, or the second of two clicks, which says what will happen first."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.datastructures import MultiValueDict

from parvis.core.errors import DomainError


@dataclass(frozen=True)
class Intention:
    """What a page is about to do, in the words of its button: for who comes back to it after proving who they are."""

    title: str
    text: str
    verb: str
    back: str
    crumbs: tuple[dict[str, str], ...] = ()


def intends(request: HttpRequest, *, title: str, text: str, verb: str, back: str, crumbs: Any = ()) -> bool:
    """Say what the page of ``request`` does; True when only that was asked (``intention_at``), not the page itself.

    A view that neither confirms nor fills in says it before it draws its page.
    """
    if not getattr(request, "asks_intention", False):
        return False
    setattr(request, "intention", Intention(title, text, verb, back, tuple(crumbs)))  # noqa: B010
    return True


def gesture(request: HttpRequest) -> str:
    """The « geste » that the form of a confirmation carries: sent now, or waiting for a fresh proof; "" without any."""
    sent = request.POST if request.method == "POST" else getattr(request, "intended", {})
    return str(sent.get("geste", ""))


def intention_at(request: HttpRequest, address: str, sent: Mapping[str, str]) -> Intention | None:
    """What the page at ``address`` would do with what was ``sent``: its own words, None without any.

    Its view is only asked to show itself (GET): nothing is done.
    """
    path, _, query = address.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if not hasattr(match.func, "access"):  # not a page of ours
        return None
    asked: Any = copy.copy(request)
    asked.method, asked.path, asked.path_info, asked.resolver_match = "GET", path, path, match
    asked.META = request.META | {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query}
    asked.GET, asked.POST, asked._files = QueryDict(query), QueryDict(), MultiValueDict()
    asked.asks_intention, asked.intended = True, sent
    try:
        match.func(asked, *match.args, **match.kwargs)
    except (Http404, PermissionDenied, DomainError):
        return None
    found: Intention | None = getattr(asked, "intention", None)
    return found


def confirm(
    request: HttpRequest,
    *,
    title: str,
    text: str,
    verb: str,
    back: str,
    action: Callable[[], Any],
    done: str,
    crumbs: list[dict[str, str]] | None = None,
    hidden: Mapping[str, str] | None = None,
    template: str = "web/confirm.html",
    context: Mapping[str, Any] | None = None,
    danger: bool = False,
) -> HttpResponse:
    """Show what ``action`` will do; once sent, do it, say ``done`` (when not empty) and go to ``back``.

    A refusal of the domain is said on the page gone back to. ``hidden`` fields come back with the form.
    """
    if intends(request, title=title, text=text, verb=verb, back=back, crumbs=crumbs or ()):
        return HttpResponse()
    if request.method != "POST":
        said = {"title": title, "text": text, "verb": verb, "cancel": back, "action": request.get_full_path()}
        given = {"crumbs": crumbs or [], "hidden": hidden or {}, "danger": danger}
        return render(request, template, {**said, **given, **(context or {})})
    return carry_out(request, action, done=done, back=back)


def carry_out(request: HttpRequest, action: Callable[[], Any], *, done: str, back: str) -> HttpResponse:
    """Do it, say ``done`` or the refusal of the domain, and go to ``back``."""
    try:
        action()
    except DomainError as refusal:
        messages.error(request, refusal.sentence)
    else:
        if done:
            messages.success(request, done)
    return redirect(back)


def fill_in(
    request: HttpRequest,
    form: forms.BaseForm,
    *,
    title: str,
    verb: str,
    back: str,
    action: Callable[[], str | None],
    done: str,
    crumbs: list[dict[str, str]] | None = None,
    refused_field: str | None = None,
    multipart: bool = False,
    notice: str = "",
    text: str = "",
) -> HttpResponse:
    """Show ``form``, under a ``notice`` to answer to or a ``text`` to read first; once it is valid, do ``action``, say
    ``done`` and go to the address it returns, else ``back``.

    A refusal of the domain undoes what was begun and is said above the form, or next to ``refused_field``.
    """
    if intends(request, title=title, text=text, verb=verb, back=back, crumbs=crumbs or ()):
        return HttpResponse()
    if form.is_valid():
        try:
            with transaction.atomic():
                address = action() or back
        except DomainError as refusal:
            form.add_error(refused_field, refusal.sentence)
        else:
            messages.success(request, done)
            return redirect(address)
    context = {"form": form, "title": title, "verb": verb, "cancel": back, "crumbs": crumbs or [], "text": text}
    status = 422 if form.errors else 200
    return render(request, "web/form.html", {**context, "multipart": multipart, "notice": notice}, status=status)
