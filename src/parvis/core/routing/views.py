"""The desk « Mon bureau » of a person, across all the organisations it acts for, and the steps that stopped."""

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.access import (
    AccountRequest,
    AgentRequest,
    account_view,
    agent_view,
    open_to,
    request_mandates,
)
from parvis.core.identity.models import Account
from parvis.core.identity.roles import name_of
from parvis.core.journal.queries import entries_about
from parvis.core.routing import queries
from parvis.core.routing.desk import LATE, TODAY, following, grouped, key_of
from parvis.core.routing.models import Route, RouteStep
from parvis.core.routing.registry import obstacle_of, pages_of, remedy_of, service_of
from parvis.core.routing.searching import readable, standing, where_it_failed
from parvis.core.routing.services import may_take_up, retry_step
from parvis.core.web.keyset import page_of
from parvis.core.web.navigation import application_of, label_of

SHOWN = 50
AGENDA_DAYS = 45


@require_safe
@account_view
def inbox_page(request: AccountRequest) -> HttpResponse:
    """What the person must do, by deadline, with the verb on the button.

    ``?verbe=`` keeps one verb, ``?apres=`` begins after a task.
    """
    mandates = request_mandates(request)
    if request.user.population == Account.Population.USAGER:  # who acts for nobody has a space of their own
        return redirect("portal:space")
    everything, now = queries.inbox(request.user, mandates), clock.now()
    load = queries.request_load(request)
    chosen, after = request.GET.get("verbe", ""), request.GET.get("apres", "")
    wanted = everything.filter(verb=chosen) if chosen else everything
    found = list(following(wanted, after, now)[: SHOWN + 1])
    mine = {mandate.organisation_id: mandate.organisation for mandate in mandates}
    for task in found:
        task.organisation = mine[task.organisation_id]
        task.service_label = label_of(task.service)  # type: ignore[attr-defined]
    awaited = everything.filter(deadline__range=(now, now + timedelta(days=AGENDA_DAYS))).exclude(deadline_rule="")
    dossiers = Route.objects.filter(seen) if (seen := readable(request)) else Route.objects.none()
    states = dict(dossiers.order_by().values_list("state").annotate(number=Count("pk")))
    context = {
        "groups": grouped(found[:SHOWN], now),
        "next": key_of(found[SHOWN - 1]) if len(found) > SHOWN else "",
        "after": after,
        "verb": chosen,
        "total": load.total,
        "waiting": waiting_sentence(load.total, load.groups[LATE]),
        "late": load.groups[LATE],
        "due_today": load.groups[TODAY],
        "tabs": [
            {"label": "Tout", "url": "?", "active": not chosen, "count": load.total},
            *(
                {
                    "label": f"À {verb.lower()}",
                    "url": "?" + urlencode({"verbe": verb}),
                    "active": verb == chosen,
                    "count": number,
                }
                for verb, number in load.verbs.most_common()
            ),
        ],
        "agenda": awaited[:6],
        "several": len({m.organisation_id for m in mandates}) > 1,
        "running": states.get(Route.State.RUNNING, 0),
        "failed": states.get(Route.State.FAILED, 0),
    }
    return render(request, "routing/inbox.html", context)


@require_safe
@account_view
def routes_page(request: AccountRequest) -> HttpResponse:
    """The dossiers on their way, or stopped (``?etat=echec``), newest first, each leading to the page of its object."""
    wanted, stopped = readable(request), request.GET.get("etat") == "echec"
    state = Route.State.FAILED if stopped else Route.State.RUNNING
    rows = Route.objects.filter(wanted, state=state) if wanted else Route.objects.none()
    page = page_of(rows.select_related("organisation").prefetch_related("steps"), "created_at", request.GET)
    addresses = pages_of(page.rows)
    query = "etat=echec&" if stopped else ""
    context = {
        "tabs": [
            {"label": "En chemin", "url": "?", "active": not stopped},
            {"label": "En échec", "url": "?etat=echec", "active": stopped},
        ],
        "lines": [(route, addresses.get(route.pk) or where_it_failed(route), standing(route)) for route in page.rows],
        "columns": [{"label": name} for name in ("Dossier", "Organisation", "Étape", "Ouvert le")],
        "previous": page.previous and f"?{query}avant={page.previous}",
        "next": page.next and f"?{query}apres={page.next}",
        "stopped": stopped,
    }
    return render(request, "routing/routes.html", context)


def waiting_sentence(total: int, late: int) -> str:
    """« 7 choses vous attendent, dont 1 en retard »."""
    if not total:
        return "rien ne vous attend"
    sentence = f"{total} choses vous attendent" if total > 1 else "une chose vous attend"
    return f"{sentence}, dont {late} en retard" if late and total > 1 else sentence


@require_http_methods(["GET", "POST"])
@agent_view("documents.lire")
def failed_step(request: AgentRequest, pk: str) -> HttpResponse:
    """Why a step stopped, and « Relancer l’étape » for who holds the permission of its service."""
    found = RouteStep.objects.select_related("route", "organisation")
    step = get_object_or_404(found, pk=pk, organisation=request.organisation)
    permission, service = may_take_up(step), service_of(step.code)
    may = permission in request.permissions
    if not may and f"{service}.lire" not in request.permissions:
        raise PermissionDenied("Votre rôle dans cette organisation ne permet pas de voir cette étape.")
    if request.method == "POST":
        return _take_up(request, step, permission)
    failed = step.state == RouteStep.State.FAILED
    context = {
        "step": step,
        "route": step.route,
        "steps": step.route.steps.select_related("organisation"),
        "failed": failed,
        "remedy": remedy_of(step),
        "obstacle": obstacle_of(step) if failed else None,
        "may": may,
        "permission": name_of(permission),
        "service": label_of(service),
        "page": pages_of([step.route]).get(step.route_id, ""),
        "entries": entries_about("route", step.route_id),
    }
    return render(request, "routing/failed_step.html", context)


def _take_up(request: AgentRequest, step: RouteStep, permission: str) -> HttpResponse:
    """Start the step again and say what came of it."""
    application = application_of(service_of(step.code))
    if permission not in request.permissions:
        raise PermissionDenied("Votre rôle dans cette organisation ne permet pas de relancer cette étape.")
    if application and not open_to(request.organisation, application, permission, "POST"):
        raise PermissionDenied("Votre organisation n’a pas adhéré à cette application de la convention.")
    page = redirect("route_steps:failed", organisation_slug=request.organisation.slug, pk=step.pk)
    remedy = remedy_of(step)
    if remedy:
        messages.error(request, "Cette étape se reprend sur la page de son objet.")
        return page
    try:
        with transaction.atomic():
            retry_step(step, actor=request.actor)
    except DomainError as error:
        messages.error(request, error.sentence)
        return page
    step.refresh_from_db()
    if step.state == RouteStep.State.FAILED:
        messages.error(request, f"L’étape est de nouveau en échec. {step.summary}")
    elif step.state == RouteStep.State.DONE:
        messages.success(request, f"L’étape est faite : {step.label.lower()}.")
    else:
        messages.success(request, "L’étape est relancée : son issue s’affichera sur le cheminement.")
    return page
