"""Views that leak, as somebody in a hurry might write them: what the tests of access have to report."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path

from parvis.config.urls import urlpatterns as served
from parvis.core.exports.download import download_table
from parvis.core.identity.access import account_view, agent_view, open_view
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.actes.models import Acte


@open_view
def directory(request: HttpRequest) -> HttpResponse:
    """Every address, to everybody."""
    return HttpResponse(" ".join(Account.objects.values_list("email", flat=True)))


@agent_view("actes.lire")
def any_act(request: HttpRequest, pk: str) -> HttpResponse:
    """Reads any act of any organisation, or empties it."""
    with acting_for(*Organisation.objects.values_list("pk", flat=True)):
        acte = get_object_or_404(Acte, pk=pk)
        if request.method == "POST":
            Acte.objects.filter(pk=pk).update(objet="effacé")
        return HttpResponse(acte.objet if request.method == "GET" else "")


@account_view
def chosen(request: HttpRequest, pk: int) -> HttpResponse:
    """Acts for the organisation that the address names."""
    with acting_for(pk):
        return HttpResponse(" ".join(Acte.objects.values_list("objet", flat=True)))


@agent_view("actes.lire", application="edemat")
def forged(request: HttpRequest) -> HttpResponse:
    """A form that offers one's own acts and takes any."""
    if request.method == "POST":
        with acting_for(*Organisation.objects.values_list("pk", flat=True)):
            return HttpResponse(Acte.objects.get(pk=request.POST["acte"]).objet)
    options = "".join(f"<option>{pk}</option>" for pk in Acte.objects.values_list("pk", flat=True))
    return HttpResponse(f'<form method="post"><select name="acte">{options}</select></form>')


def _as_table(rows: list[tuple[str]]) -> HttpResponseBase:
    return download_table(["Adresse"], rows, name="adresses", extension="csv", sheet="Adresses")


@agent_view("administration.personnes", recent=True)
def taken(request: HttpRequest) -> HttpResponseBase:
    """A table of addresses, whenever its holder proved who they are."""
    return _as_table([(address,) for address in Account.objects.values_list("email", flat=True)])


urlpatterns = [
    path("o/<slug:organisation_slug>/fuite/adresses/", taken),
    path("fuite/annuaire/", directory),
    path("o/<slug:organisation_slug>/actes/<uuid:pk>/fuite/", any_act),
    path("fuite/<int:pk>/", chosen),
    path("o/<slug:organisation_slug>/actes/fuite/", forged),
    *served,
]
