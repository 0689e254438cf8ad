"""The second of two clicks: one page says in words what will happen, then it is done (design principle 6)."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
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
