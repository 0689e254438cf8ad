"""After the convocation: correct, cancel or report a meeting, and convene again when the quorum is missed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_POST

from parvis.core import clock
from parvis.core.identity.access import AgentRequest
from parvis.core.web.confirming import fill_in
from parvis.edemat.seances import services
from parvis.edemat.seances.formats.delais import earliest_meeting_day
from parvis.edemat.seances.formats.lettres import date_longue
from parvis.edemat.seances.formats.regimes import REGIMES
from parvis.edemat.seances.forms import AgainForm, CallOffForm, PutOffForm, RectifyForm
from parvis.edemat.seances.models import Avis, Seance
from parvis.edemat.seances.views.page import MANAGE, address, crumbs, do, seance_or_404

FORM = ["GET", "POST"]


def _page(
    request: AgentRequest, seance: Seance, form: BaseForm, *, title: str, action: Callable[[], Any], **page: Any
) -> HttpResponse:
    back = address(request, "detail", seance.pk)

    def act() -> str:
        made = action()
        return address(request, "detail", made.pk)

    return fill_in(request, form, title=title, back=back, crumbs=crumbs(request, seance, title), action=act, **page)


@require_http_methods(FORM)
@MANAGE
def rectify(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Correct the place or the hour of a convened meeting."""
    seance = seance_or_404(pk)
    form = RectifyForm(request.POST or None, seance=seance)
    delay = services.delay_today(seance)
    late = "" if delay.regular else f" L’avis part après le dernier jour d’envoi régulier. {delay.sentence}"
    return _page(
        request,
        seance,
        form,
        title="Rectifier la convocation",
        notice="Chaque membre reçoit un avis qui dit ce qui change et une invitation d’agenda à jour ; la preuve "
        f"d’envoi est établie et horodatée.{late}",
        verb="Envoyer l’avis rectificatif",
        action=lambda: services.rectify(seance, actor=request.actor, **form.values),
        done="L’avis rectificatif part à chaque membre.",
    )


@require_http_methods(FORM)
@MANAGE
def call_off(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Cancel a convened meeting."""
    seance = seance_or_404(pk)
    form = CallOffForm(request.POST or None)
    return _page(
        request,
        seance,
        form,
        title="Annuler la séance",
        notice="Chaque membre reçoit un avis d’annulation, et la séance quitte son agenda. Une séance annulée ne se "
        "rétablit pas : il faut en prévoir une autre.",
        verb="Annuler la séance",
        action=lambda: services.call_off(seance, actor=request.actor, **form.cleaned_data),
        done="La séance est annulée ; l’avis part à chaque membre.",
    )


@require_http_methods(FORM)
@MANAGE
def put_off(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Report a convened meeting to another day."""
    seance = seance_or_404(pk)
    form = PutOffForm(request.POST or None, seance=seance)
    return _page(
        request,
        seance,
        form,
        title="Reporter la séance",
        notice="Chaque membre reçoit un avis de report. Une nouvelle séance est préparée avec le même ordre du jour : "
        "elle demande une nouvelle convocation, dans les délais.",
        verb="Reporter la séance",
        action=lambda: services.put_off(seance, actor=request.actor, **form.values),
        done="La séance est reportée ; voici la nouvelle, à convoquer.",
    )


@require_http_methods(FORM)
@MANAGE
def reconvene(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Take note that the quorum is missed and plan the second meeting."""
    seance = seance_or_404(pk)
    form = AgainForm(request.POST or None, seance=seance)
    earliest = earliest_meeting_day(REGIMES["seconde_convocation"], clock.today())
    return _page(
        request,
        seance,
        form,
        title="Convoquer à nouveau",
        notice="Les points qui n’ont pas été votés faute de quorum passent à une seconde séance, où aucun quorum n’est "
        f"exigé (CGCT L2121-17). Convoquée aujourd’hui, elle se tient au plus tôt le {date_longue(earliest)}.",
        verb="Constater l’absence de quorum",
        action=lambda: services.reconvene(seance, actor=request.actor, **form.values),
        done="La seconde séance est prévue ; convoquez-la.",
    )


@require_POST
@MANAGE
def notice_handed(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Record that a member was told on paper or in person."""
    rows = Avis.objects.select_related("convocation__seance__organe", "convocation__seance__organisation")
    avis = get_object_or_404(rows, pk=pk)
    return do(
        request,
        avis.convocation.seance,
        lambda: services.record_notice_handed(avis, actor=request.actor),
        f"La remise à {avis.convocation.name} est enregistrée.",
    )
