"""Where the page of the act that follows a route is, for the search across services."""

from uuid import UUID

from django.urls import reverse

from parvis.core.routing.models import Route
from parvis.edemat.actes.models import Acte


def pages_of_routes(routes: list[Route]) -> dict[UUID, str]:
    """Address of the act of each route, by route; a route that has not reached the acts yet is left out."""
    slugs = {route.pk: route.organisation.slug for route in routes}
    acts = Acte.objects.filter(route__in=slugs).values_list("route_id", "pk")
    return {route: reverse("actes:detail", kwargs={"organisation_slug": slugs[route], "pk": pk}) for route, pk in acts}
