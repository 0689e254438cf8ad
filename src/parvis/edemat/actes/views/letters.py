"""Letters of the préfecture on the page of an act: read, closed, answered in two clicks."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.referentials.legality import MAX_ARCHIVE
from parvis.core.web.confirming import carry_out, confirm, fill_in, intends
from parvis.core.web.uploads import accepts_files
from parvis.edemat.actes.enums import LETTERS
from parvis.edemat.actes.forms import AnswerForm
from parvis.edemat.actes.models import Transaction
from parvis.edemat.actes.services import letters
from parvis.edemat.actes.services.preparation import Annexe, current_classification, keep_upload


def _letter(request: AgentRequest, pk: UUID) -> Transaction:
    kept = Transaction.objects.select_related("acte", "organisation").filter(kind__in=LETTERS)
    return get_object_or_404(kept, pk=pk, organisation=request.organisation)


def _page(request: AgentRequest, acte_id: UUID | None) -> str:
    return reverse("actes:detail", args=[request.organisation.slug, acte_id]) + "#courriers"


def _crumbs(request: AgentRequest, subject: Transaction) -> list[dict[str, str]]:
    assert subject.acte is not None
    here = reverse("actes:list", args=[request.organisation.slug])
    return [{"label": "Actes", "url": here}, {"label": subject.acte.numero, "url": _page(request, subject.acte_id)}]


@agent_view("actes.transmettre", application="edemat")
@require_POST
def mark_read(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The letter has been read."""
    letter = _letter(request, pk)
    back = _page(request, letter.acte_id)
    return carry_out(request, lambda: letters.mark_read(letter, actor=request.actor), done="Courrier lu.", back=back)


@agent_view("actes.transmettre", application="edemat", recent=True)
@require_POST
def give_receipt(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The receipt that did not leave by itself, or that was refused, leaves now."""
    letter = _letter(request, pk)
    done = "L’accusé de réception est en route vers la préfecture."
    back = _page(request, letter.acte_id)
    return carry_out(request, lambda: letters.give_receipt(letter, actor=request.actor), done=done, back=back)


@agent_view("actes.transmettre", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The letter was answered on paper: nothing more is asked here."""
    letter = _letter(request, pk)
    return confirm(
        request,
        title="Courrier répondu par une autre voie",
        text="La tâche « Répondre » se ferme. La fin du délai de déféré n’est pas recalculée : la date à laquelle la "
        "préfecture reçoit votre réponse n’est pas connue d’ici.",
        verb="Clore le courrier",
        back=_page(request, letter.acte_id),
        action=lambda: letters.close_letter(letter, actor=request.actor),
        done="Le courrier est clos.",
        crumbs=_crumbs(request, letter),
    )


@agent_view("actes.transmettre", application="edemat")
@require_http_methods(["GET", "HEAD", "POST"])
@accepts_files(AnswerForm, {"file_*": MAX_ARCHIVE}, together=MAX_ARCHIVE)
def answer(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Prepare the answer: what it is, its files and their types; it is looked at before it leaves."""
    letter = _letter(request, pk)
    assert letter.acte is not None
    known = current_classification(request.organisation)
    form = AnswerForm(letter, known, request.POST or None, request.FILES or None)

    def prepare() -> str:
        files = [Annexe(keep_upload(request.organisation, file), code_pj=code) for file, code in form.files_given]
        made = letters.prepare_answer(letter, form.cleaned_data["kind"], files, actor=request.actor)
        return reverse("actes:send_answer", args=[request.organisation.slug, made.pk])

    return fill_in(
        request,
        form,
        title=f"Répondre : {letter.get_kind_display().lower()}",
        verb="Préparer la réponse",
        back=_page(request, letter.acte_id),
        action=prepare,
        done="La réponse est prête : relisez-la, puis envoyez-la.",
        crumbs=_crumbs(request, letter),
        multipart=True,
    )


def _answer(request: AgentRequest, pk: UUID) -> Transaction:
    kept = Transaction.objects.select_related("acte", "organisation", "related")
    kinds = [kind for kinds in letters.ANSWERS.values() for kind in kinds]
    return get_object_or_404(kept, pk=pk, organisation=request.organisation, kind__in=kinds)


@agent_view("actes.transmettre", application="edemat", recent=True)
@require_http_methods(["GET", "HEAD", "POST"])
def send_answer(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The answer as it would leave; the button sends it, for good."""
    prepared = _answer(request, pk)
    back = _page(request, prepared.acte_id)
    text = (
        "La réponse part à la préfecture, sans retour possible. "
        "Ce courrier ne pourra plus recevoir d’autre réponse d’ici."
    )
    verb, crumbs = "Envoyer la réponse à la préfecture", _crumbs(request, prepared)
    assert prepared.acte is not None
    title = f"{verb} : acte {prepared.acte.numero} — {prepared.acte.objet}"
    if intends(request, title=title, text=text, verb=verb, back=back, crumbs=crumbs):
        return HttpResponse()
    if request.method == "POST":
        done = "La réponse est en route vers la préfecture."
        return carry_out(request, lambda: letters.send_answer(prepared, actor=request.actor), done=done, back=back)
    context = {
        "answer": prepared,
        "letter": prepared.related,
        "pieces": prepared.pieces.select_related("document__organisation").order_by("rank"),
        "back": back,
        "text": text,
        "verb": verb,
        "crumbs": crumbs,
    }
    return render(request, "actes/answer.html", context)


@agent_view("actes.transmettre", application="edemat")
@require_POST
def drop_answer(request: AgentRequest, pk: UUID) -> HttpResponse:
    """The answer is given up before it leaves."""
    prepared = _answer(request, pk)
    back = _page(request, prepared.acte_id)
    done = "La réponse est abandonnée ; vous pouvez en préparer une autre."
    return carry_out(request, lambda: letters.drop_answer(prepared, actor=request.actor), done=done, back=back)
