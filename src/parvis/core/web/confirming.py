"""Pages made of one form: something to fill in, or the second of two clicks, which says what will happen first."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from parvis.core.errors import DomainError


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
