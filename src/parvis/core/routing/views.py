"""The desk « Mon bureau » of a person, across all the organisations it acts for."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from parvis.core import clock
from parvis.core.identity.access import AccountRequest, account_view, request_mandates
from parvis.core.identity.models import Account
from parvis.core.routing import queries
from parvis.core.routing.desk import LATE, TODAY, following, grouped, key_of
from parvis.core.routing.models import Route
from parvis.core.web.navigation import label_of

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
    found = list(following(wanted, after)[: SHOWN + 1])
    mine = {mandate.organisation_id: mandate.organisation for mandate in mandates}
    for task in found:
        task.organisation = mine[task.organisation_id]
        task.service_label = label_of(task.service)  # type: ignore[attr-defined]
    awaited = everything.filter(deadline__range=(now, now + timedelta(days=AGENDA_DAYS))).exclude(deadline_rule="")
    states = dict(Route.objects.order_by().values_list("state").annotate(number=Count("pk")))
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


def waiting_sentence(total: int, late: int) -> str:
    """« 7 choses vous attendent, dont 1 en retard »."""
    if not total:
        return "rien ne vous attend"
    sentence = f"{total} choses vous attendent" if total > 1 else "une chose vous attend"
    return f"{sentence}, dont {late} en retard" if late and total > 1 else sentence
