"""The editor of an organisation's look: draft, preview, publication, versions; and the pictures it shows."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core.branding import editing, services
from parvis.core.branding.errors import NothingToPublish
from parvis.core.branding.forms import BrandingForm, initial_from, initial_of
from parvis.core.branding.look import theme_of
from parvis.core.branding.models import BrandingVersion
from parvis.core.branding.serving import picture_response
from parvis.core.documents.models import Document
from parvis.core.identity.access import AgentRequest, OrganisationRequest, agent_view, public_view
from parvis.core.notifications import layout
from parvis.core.organisations.models import validate_colour
from parvis.core.organisations.tenancy import public_view_of
from parvis.core.portal.views import homes
from parvis.core.web.navigation import administration_tabs
from parvis.core.web.theming import Theme, measures
from parvis.core.web.uploads import accepts_files

PERMISSION = "administration.organisation"
SAMPLES: Final = {"accueil": "Accueil public", "bureau": "Bureau des agents", "message": "Message"}
State = BrandingVersion.State


def _to(request: AgentRequest, name: str, **kwargs: Any) -> HttpResponse:
    return redirect(f"branding:{name}", organisation_slug=request.organisation.slug, **kwargs)


def _crumbs(request: AgentRequest, last: str) -> list[dict[str, str]]:
    editor = reverse("branding:editor", kwargs={"organisation_slug": request.organisation.slug})
    return [{"label": "Charte graphique", "url": editor}, {"label": last}]


def _tabs(request: AgentRequest) -> list[dict[str, object]]:
    return administration_tabs(request.organisation, request.permissions, "branding")


# --- the editor -------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@agent_view(PERMISSION)
@accepts_files(BrandingForm, form_always_read=True)
def editor(request: AgentRequest) -> HttpResponse:
    """Write the draft; nothing that is saved here shows before it is published."""
    if request.method == "POST":
        services.lock(request.organisation)
        return _save(request)
    version = services.current(request.organisation)
    form = BrandingForm(initial={**initial_of(version), "base": editing.sealed(version.values())})
    return _drawn(request, form, version)


def _save(request: AgentRequest) -> HttpResponse:
    organisation = request.organisation
    sent = editing.read(request, organisation)
    form, stored = sent.form, services.current(organisation)
    if sent.left_out:
        names = ", ".join(sent.left_out)
        messages.info(request, f"Du logo ont été ôtés des éléments qui ne dessinent rien ou pas partout : {names}.")
    proposals = editing.refused_colours(form)
    if form.errors:
        return _drawn(request, form, stored, status=422, proposals=proposals)
    mine, theirs = editing.values_of(form), stored.values()
    found = editing.meanwhile(form, mine, theirs)
    if found.changes:
        again = BrandingForm(initial={**initial_from(found.merged), "base": editing.sealed(theirs)})
        return _drawn(request, again, stored, status=409, changes=found.changes)
    if mine == theirs:
        messages.info(request, "Rien n’a changé.")
        return _to(request, "editor")
    draft = services.save_draft(organisation, mine, account=request.user, actor=request.actor)
    messages.success(request, "Le brouillon est enregistré. Regardez l’aperçu, puis publiez-le.")
    return _to(request, "version", pk=draft.pk)


def _drawn(
    request: AgentRequest,
    form: BrandingForm,
    version: BrandingVersion,
    *,
    status: int = 200,
    proposals: dict[str, str] | None = None,
    changes: tuple[editing.Change, ...] = (),
) -> HttpResponse:
    kept = {
        field: services.kept_picture(request.organisation, field, str(form[f"{field}_kept"].value() or ""))
        for field in editing.PICTURES
    }
    context = {
        "tabs": _tabs(request),
        "form": form,
        "version": version,
        "is_draft": version.state == State.DRAFT,
        "proposals": proposals or {},
        "changes": changes,
        "pictures": {
            field: services.picture_url(document, public=False) if document else "" for field, document in kept.items()
        },
        "measures": measures(Theme(version.accent, version.accent_2)),
    }
    return render(request, "branding/editor.html", context, status=status)


@require_safe
@agent_view(PERMISSION)
def measured(request: AgentRequest) -> HttpResponse:
    """The contrasts of the two colours being chosen, and what saving them would refuse: a part of the editor."""
    online = services.current(request.organisation)
    accent, accent_2 = (request.GET.get(name, getattr(online, name)) for name in ("accent", "accent_2"))
    try:
        validate_colour(accent)
        validate_colour(accent_2)
    except ValidationError as wrong:
        return HttpResponseBadRequest(wrong.messages[0], content_type="text/plain; charset=utf-8")
    refusals = editing.refusals_of({"accent": accent, "accent_2": accent_2})
    return render(
        request, "branding/measured.html", {"measures": measures(Theme(accent, accent_2)), "refusals": refusals}
    )


# --- versions ---------------------------------------------------------------------------------------------
@require_safe
@agent_view(PERMISSION)
def listing(request: AgentRequest) -> HttpResponse:
    """Every version, with who made it and when it was online."""
    context = {
        "tabs": _tabs(request),
        "versions": services.versions(request.organisation),
        "crumbs": _crumbs(request, "Versions"),
    }
    return render(request, "branding/versions.html", context)


def _version(request: AgentRequest, pk: UUID) -> BrandingVersion:
    rows = BrandingVersion.objects.select_related("organisation", "logo", "header", "saved_by", "published_by")
    return get_object_or_404(rows, pk=pk, organisation=request.organisation)


@require_safe
@agent_view(PERMISSION)
def version(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One version as it looks on a public page, on the desk and in a message, with what can be done of it."""
    found = _version(request, pk)
    context = {
        "tabs": _tabs(request),
        "version": found,
        "samples": SAMPLES,
        "measures": measures(Theme(found.accent, found.accent_2)),
        "crumbs": _crumbs(request, str(found)),
    }
    return render(request, "branding/version.html", context)


@require_safe
@agent_view(PERMISSION)
def sample(request: AgentRequest, pk: UUID, sample: str) -> HttpResponse:
    """A page of the platform under the look of one version: « accueil », « bureau » or « message »."""
    if sample not in SAMPLES:
        raise Http404
    found = _version(request, pk)
    here = request.organisation = services.wearing(request.organisation, found)
    request.preview_of = found  # type: ignore[attr-defined]
    if sample == "message":
        return _message(request)
    if sample == "bureau":
        return render(request, "branding/sample_desk.html", {})
    with public_view_of(here):
        return homes.draw(request)


def _message(request: AgentRequest) -> HttpResponse:
    html = layout.html_of(
        request.organisation,
        "Votre demande est enregistrée",
        layout.signed(
            request.organisation,
            "Bonjour,\n\nVotre demande 2019-0142 est enregistrée. Vous pouvez suivre son avancement à tout moment :\n"
            f"{request.build_absolute_uri('/espace/')}\n\nVous recevrez un message dès qu’elle aura reçu une réponse.",
        ),
    )
    response = HttpResponse(html)
    # A message brings its own style, as mail software demands: it is shown as it leaves, and can do nothing else.
    response["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    )
    return response


@require_safe
@agent_view(PERMISSION)
def theme(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The style sheet of one version, for its preview."""
    dressed = services.wearing(request.organisation, _version(request, pk))
    response = HttpResponse(theme_of(dressed).stylesheet(), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@agent_view(PERMISSION)
def publish(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Put the draft online."""
    try:
        done = services.publish(
            request.organisation,
            pk,
            saved_at=request.POST.get("enregistre", ""),
            account=request.user,
            actor=request.actor,
            request=request,
        )
    except NothingToPublish as error:
        messages.error(request, error.sentence)
        still = BrandingVersion.objects.filter(pk=pk, organisation=request.organisation).exists()
        return _to(request, "version", pk=pk) if still else _to(request, "versions")
    messages.success(request, f"La version {done.number} est en ligne.")
    return _to(request, "versions")


@require_POST
@agent_view(PERMISSION)
def restore(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Put a former version online again."""
    _version(request, pk)
    try:
        done = services.restore(request.organisation, pk, account=request.user, actor=request.actor, request=request)
    except NothingToPublish as error:
        messages.error(request, error.sentence)
    else:
        messages.success(
            request, f"La version {done.restored_from} est de nouveau en ligne, sous le numéro {done.number}."
        )
    return _to(request, "versions")


@require_POST
@agent_view(PERMISSION)
def discard(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Give the draft up."""
    _version(request, pk)
    if services.discard(request.organisation, pk, actor=request.actor):
        messages.success(request, "Le brouillon est abandonné. Ce qui est en ligne n’a pas changé.")
    else:
        messages.error(request, "Seul un brouillon s’abandonne : cette version a été publiée.")
    return _to(request, "versions")


# --- pictures ---------------------------------------------------------------------------------------------
@require_safe
@agent_view(PERMISSION)
def draft_picture(request: AgentRequest, sha256: str, extension: str) -> HttpResponseBase:
    """A picture that was sent for a draft."""
    rows = Document.objects.filter(organisation=request.organisation, derivation__in=services.DERIVATIONS.values())
    return picture_response(rows.filter(sha256=sha256).select_related("organisation").first(), extension, "private")


@require_safe
@public_view
def picture(request: OrganisationRequest, sha256: str, extension: str) -> HttpResponseBase:
    """A picture of the published look; row security shows no other version."""
    online = BrandingVersion.objects.filter(organisation=request.organisation, state=State.PUBLISHED)
    rows = online.select_related("logo__organisation", "header__organisation")
    found: list[Any] = [p for v in rows for p in (v.logo, v.header) if p is not None and p.sha256 == sha256]
    return picture_response(found[0] if found else None, extension, "public")
