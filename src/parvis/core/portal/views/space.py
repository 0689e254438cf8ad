"""A citizen's own space, ``/espace/``."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core.entities import services as entities
from parvis.core.identity.access import AccountRequest, account_view, request_mandates
from parvis.core.identity.audit import audit
from parvis.core.organisations.models import Organisation
from parvis.core.portal import space as shown
from parvis.core.web.navigation import account_tabs


class CommuneForm(forms.Form):
    """The commune whose colours and services come first: a preference, which gives no right."""

    commune = forms.ModelChoiceField(
        Organisation.objects.communes().order_by("short_name"),
        label="Ma commune",
        required=False,
        empty_label="Aucune en particulier",
    )


@require_safe
@account_view
def space(request: AccountRequest) -> HttpResponse:
    """My requests, my documents, my communes, my account."""
    commune = request.user.commune
    requests, documents = shown.requests_of(request), shown.documents_of(request)
    dealt_with = {item.organisation.pk: item.organisation for item in (*requests, *documents)}
    if commune:
        request.organisation = commune  # type: ignore[attr-defined]  # its colours only
        dealt_with.pop(commune.pk, None)
    context = {
        "requests": requests,
        "documents": documents,
        "communes": [*([commune] if commune else []), *sorted(dealt_with.values(), key=lambda o: o.short_name)],
        "form": CommuneForm(initial={"commune": commune}),
        "account_pages": account_tabs("", request.user),
        "roles": entities.in_force(request.user),
        "acts": bool(request_mandates(request)),
    }
    return render(request, "portal/space.html", context)


@require_http_methods(["POST"])
@account_view
def choose_commune(request: AccountRequest) -> HttpResponse:
    form = CommuneForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Cette commune n’est pas dans la liste : rien n’a changé.")
    elif request.user.commune != form.cleaned_data["commune"]:
        request.user.commune = form.cleaned_data["commune"]
        request.user.save(update_fields=["commune"])
        audit("user.profile.edit", account=request.user, request=request, data={"fields": ["commune"]})
        messages.success(request, "Votre commune est enregistrée.")
    return redirect("portal:space")
