"""The search sources of the core: people for those who administer them, organisations; help pages are in ``help``."""

from django.http import HttpRequest
from django.urls import reverse

from parvis.core.identity.access import permissions_in, request_mandates
from parvis.core.identity.models import Account
from parvis.core.organisations.authority import authority_of
from parvis.core.organisations.people import Choice, accounts_for
from parvis.core.portal.home import partners
from parvis.core.web.searching import Found

READING_PEOPLE = frozenset({"habilitations.lire", "administration.personnes"})


def find_people(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """People who act today for the organisations whose people the person administers, or whose rights they read."""
    assert isinstance(request.user, Account)
    mandates = request_mandates(request)
    found: list[Found] = []
    for organisation in {m.organisation_id: m.organisation for m in mandates}.values():
        held = permissions_in(mandates, organisation)
        if not held & READING_PEOPLE or len(found) >= most:
            continue
        people = accounts_for(authority_of(organisation, request.user, held), Choice(words=terms))
        found += [
            Found(
                account.full_name,
                reverse("organisations:person", kwargs={"organisation_slug": organisation.slug, "pk": account.pk}),
                f"{account.email} · {organisation.short_name}",
            )
            for account in people.order_by("family_name", "given_name", "pk")[: most - len(found)]
        ]
    return found


def find_organisations(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """The partners by name or postal code, which everybody may know."""
    return [
        Found(
            partner.organisation.name,
            reverse("web:public_home", kwargs={"organisation_slug": partner.organisation.slug}),
            partner.organisation.postal_code,
        )
        for partner in partners(request, terms)[:most]
    ]
