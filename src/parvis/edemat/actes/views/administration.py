"""Settings of the télétransmission, under the organisation's administration."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.web.confirming import carry_out
from parvis.core.web.navigation import administration_tabs
from parvis.edemat.actes.formats.emitters import InvalidEmitter
from parvis.edemat.actes.forms import SettingsForm
from parvis.edemat.actes.models import ActeSettings
from parvis.edemat.actes.services import classification
from parvis.edemat.actes.services.configuration import SettingRefused, configure
from parvis.edemat.actes.services.preparation import current_classification, emitter_of, settings_of

PERMISSION = "administration.organisation"
ASKED = "La classification est demandée. La réponse arrive en général dans l’heure, et s’installe d’elle-même."


@agent_view(PERMISSION, application="edemat", recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: AgentRequest) -> HttpResponse:
    """Who answers, who is warned, whether sending is open; the classification in force beside."""
    organisation = request.organisation
    form = SettingsForm(request.POST or None, instance=settings_of(organisation))
    if request.method == "POST" and form.is_valid():
        try:
            changed = configure(organisation, form.cleaned_data, actor=request.actor)
        except SettingRefused as refusal:
            form.add_error(refusal.field, refusal.sentence)
        else:
            messages.success(request, "Les réglages sont enregistrés." if changed else "Rien n’a changé.")
            return redirect("actes_administration:settings", organisation_slug=organisation.slug)
    kept = ActeSettings.objects.get(organisation=organisation)
    context = {
        "tabs": administration_tabs(organisation, request.permissions, "actes"),
        "form": form,
        "kept": kept,
        "missing": _missing(request, kept),
        "classification": current_classification(organisation),
        "asked": classification.last_request(organisation),
        "asked_today": classification.asked_today(organisation),
    }
    return render(request, "actes/settings.html", context, status=422 if form.errors else 200)


def _missing(request: AgentRequest, kept: ActeSettings) -> str:
    """What prevents the organisation from writing to the préfecture, "" when nothing does."""
    try:
        emitter_of(request.organisation, kept)
    except InvalidEmitter as error:
        return error.sentence
    return ""


@agent_view(PERMISSION, application="edemat", recent=True)
@require_POST
def request_classification(request: AgentRequest) -> HttpResponse:
    """Ask the préfecture for the nomenclature of the organisation."""
    organisation = request.organisation
    back = redirect("actes_administration:settings", organisation_slug=organisation.slug)
    return carry_out(
        request,
        lambda: classification.request_classification(organisation, actor=request.actor),
        done=ASKED,
        back=back["Location"],
    )
