"""Deliberations after the meeting: established, corrected, sent to signature, sent back after a refusal."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from parvis.core.identity.access import AgentRequest
from parvis.core.web.confirming import confirm, fill_in
from parvis.edemat.seances import services
from parvis.edemat.seances.documents import list_rows
from parvis.edemat.seances.formats.echeances import list_deadline
from parvis.edemat.seances.forms import CorrectionForm
from parvis.edemat.seances.models import Deliberation
from parvis.edemat.seances.views.page import MANAGE, address, crumbs, do, progress_of, seance_or_404


def _deliberation_or_404(pk: UUID) -> Deliberation:
    found = Deliberation.objects.select_related(
        "point__seance__organe", "point__seance__organisation", "point__scrutin", "document__organisation"
    )
    return get_object_or_404(found, pk=pk)


@require_POST
@MANAGE
def establish_all(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Have the deliberations that have not left for signature composed and checked."""
    seance = seance_or_404(pk)
    return do(
        request,
        seance,
        lambda: services.ask_establishment(seance, actor=request.actor),
        "L’établissement des délibérations est demandé : cette page en montre l’avancement.",
    )


@require_safe
@MANAGE
def progress(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The progress box alone, asked for again every two seconds until the jobs end."""
    box = progress_of(request, seance_or_404(pk))
    if box is None:
        return HttpResponseClientRefresh()
    return render(request, "seances/_progress.html", {"progress": box})


@require_http_methods(["GET", "POST"])
@MANAGE
def publish_list(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Show the list of the deliberations examined, then publish it."""
    seance = seance_or_404(pk)
    return confirm(
        request,
        title="Publier la liste des délibérations",
        text="La liste paraît sur la page publique de l’organisation, et son fichier est prêt à afficher. Une liste "
        "publiée ne change plus.",
        verb="Publier la liste",
        back=address(request, "detail", pk),
        crumbs=crumbs(request, seance, "Liste des délibérations"),
        action=lambda: services.publish_list(seance, actor=request.actor),
        done="La liste des délibérations est en ligne ; affichez-la aussi à la mairie ou au siège.",
        template="seances/publish_list.html",
        context={"seance": seance, "rows": list_rows(seance), "limit": list_deadline(seance.day)},
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def correct(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Correct the words of a deliberation, never its vote; the page that sends it to signature comes next."""
    deliberation = _deliberation_or_404(pk)
    seance, refused = deliberation.point.seance, services.refused_step(deliberation)
    form = CorrectionForm(request.POST or None, instance=deliberation.point, seance=seance)

    def change() -> str:
        services.correct(_deliberation_or_404(pk), actor=request.actor, **form.changes)
        return address(request, "to_signature", pk)

    return fill_in(
        request,
        form,
        title=f"Corriger la délibération n° {deliberation.number}",
        notice=refused.summary if refused else "",
        verb="Enregistrer et contrôler",
        back=address(request, "detail", seance.pk),
        crumbs=crumbs(request, seance, f"Corriger le n° {deliberation.number}"),
        action=change,
        done="La délibération est corrigée et contrôlée. Relisez-la avant de l’envoyer à la signature.",
    )


@require_http_methods(["GET", "POST"])
@MANAGE
def to_signature(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Say that the deliberation leaves for signature and will not change, then send it, or send it back."""
    deliberation = _deliberation_or_404(pk)
    seance, refused = deliberation.point.seance, services.refused_step(deliberation)
    send = services.send_back if refused else services.send_to_signature
    if request.method == "POST":
        return do(
            request,
            seance,
            lambda: send(deliberation, actor=request.actor),
            f"La délibération n° {deliberation.number} est au parapheur.",
        )
    context = {
        "deliberation": deliberation,
        "seance": seance,
        "refused": refused,
        "gone": bool(deliberation.route_id) and not refused,
        "crumbs": crumbs(request, seance, f"Signature du n° {deliberation.number}"),
        "action": address(request, "to_signature", pk),
        "cancel": address(request, "detail", seance.pk),
    }
    return render(request, "seances/to_signature.html", context)
