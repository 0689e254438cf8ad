"""One search across everything that the person may see, ``/bureau/recherche/``."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from parvis.core.identity.access import AccountRequest, account_view
from parvis.core.web import searching


@require_safe
@account_view
def search(request: AccountRequest) -> HttpResponse:
    """``?q=`` the words, ``?dans=`` one kind of thing; each source shows only what the person may read."""
    terms = searching.cleaned(request.GET.get("q", ""))
    only = request.GET.get("dans", "")
    known = {source.code for source in searching.sources()}
    context = {
        "search_terms": terms,
        "groups": searching.search(request, terms, only) if terms else [],
        "only": only if only in known else "",
    }
    return render(request, "portal/search.html", context)
