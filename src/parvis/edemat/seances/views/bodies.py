"""Deliberating bodies and their tableau: read by those who read meetings, kept by those who administer them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.exports.download import download_table
from parvis.core.identity.access import AgentRequest, agent_view
from parvis.core.identity.audit import audit
from parvis.core.journal.queries import entries_about
from parvis.core.web.confirming import carry_out, fill_in
from parvis.core.web.uploads import accepts_files
from parvis.edemat.seances import queries, services, tableau_csv
from parvis.edemat.seances.formats.regimes import Regime
from parvis.edemat.seances.models import Elu, Organe
from parvis.edemat.seances.tableau_forms import (
    EluForm,
    EndForm,
    ExaminedForm,
    NewOrganeForm,
    OrganeForm,
    RegimeForm,
    TableauFileForm,
    carried,
    rule_of,
)
from parvis.edemat.seances.views.page import READ, address

ADMINISTER = agent_view("seances.administrer", application="edemat")
EXTENSIONS = ("csv", "ods")
KINDS = {"added": "ok", "changed": "info", "same": "", "refused": "danger"}
FORM = ["GET", "HEAD", "POST"]


def _may_administer(request: AgentRequest) -> bool:
    return "seances.administrer" in request.permissions


def _organe_or_404(pk: UUID) -> Organe:
    return get_object_or_404(Organe.objects.select_related("organisation"), pk=pk)


def _elu_or_404(pk: UUID) -> Elu:
    return get_object_or_404(Elu.objects.select_related("organe__organisation", "organisation", "account"), pk=pk)


def _crumbs(request: AgentRequest, organe: Organe | None = None, here: str = "") -> list[dict[str, str]]:
    trail = [
        {"label": "Séances", "url": address(request, "list")},
        {"label": "Assemblées et tableau", "url": address(request, "organes") if organe or here else ""},
    ]
    if organe:
        trail.append({"label": organe.name, "url": address(request, "organe", organe.pk) if here else ""})
    if here:
        trail.append({"label": here, "url": ""})
    return trail


def _regime(organe: Organe) -> Regime:
    """The regime in force, else the first to come."""
    try:
        return organe.regime_on(clock.today())
    except LookupError:
        return organe.regimes.earliest("since").regime


@require_safe
@READ
def organes(request: AgentRequest) -> HttpResponse:
    """The bodies with their regime, their size and the members in office."""
    today = clock.today()
    rows = [
        {"organe": one, "regime": _regime(one), "rule": rule_of(_regime(one)), "members": getattr(one, "members", 0)}
        for one in queries.bodies(today)
    ]
    context = {
        "rows": rows,
        "columns": [
            {"label": "Assemblée"},
            {"label": "Régime"},
            {"label": "Délai de convocation"},
            {"label": "Membres", "amount": True},
        ],
        "crumbs": _crumbs(request),
        "may_administer": _may_administer(request),
    }
    return render(request, "seances/organes.html", context)


@require_safe
@READ
def organe(request: AgentRequest, pk: UUID) -> HttpResponse:
    """One body: what the law asks of it, and its tableau."""
    found = _organe_or_404(pk)
    today = clock.today()
    members = list(found.elus.on_tableau().select_related("account", "replaces", "replaced_by").order_by("rank"))
    in_office = found.elus.in_office(today).count()
    may = _may_administer(request)
    context = {
        "organe": found,
        "members": members,
        "former": found.elus.filter(term_end__lt=today).select_related("replaced_by").order_by("-term_end"),
        "in_office": in_office,
        "vacant": max(found.seats - in_office, 0) if found.seats else 0,
        "regime": _regime(found),
        "rule": rule_of(_regime(found)),
        "regimes": found.regimes.order_by("-since"),
        "columns": [{"label": "Rang", "amount": True}, {"label": "Membre"}, {"label": "Groupe"}]
        + ([{"label": "Convocation"}, {"label": "Compte"}, {"label": "Actions", "hidden": True}] if may else []),
        "may_administer": may,
        "may_invite": "administration.personnes" in request.permissions,
        "linkable": services.linkable(found, members) if may else set(),
        "crumbs": _crumbs(request, found),
        "entries": entries_about("organe", str(found.pk)),
    }
    return render(request, "seances/organe.html", context)


@require_http_methods(FORM)
@ADMINISTER
def create_organe(request: AgentRequest) -> HttpResponse:
    """Create a body."""
    initial = {"population": request.organisation.population}
    form = NewOrganeForm(request.POST or None, initial=initial, instance=Organe(organisation=request.organisation))

    def create() -> str:
        made = services.create_organe(request.organisation, actor=request.actor, **form.cleaned_data)
        return address(request, "organe", made.pk)

    return fill_in(
        request,
        form,
        title="Créer une assemblée",
        verb="Créer l’assemblée",
        back=address(request, "organes"),
        crumbs=_crumbs(request, here="Créer une assemblée"),
        action=create,
        done="L’assemblée est créée. Composez maintenant son tableau.",
    )


def _form_of(request: AgentRequest, organe: Organe, form: Any, *, title: str, action: Any, **page: Any) -> HttpResponse:
    """A page of one form about a body, which goes back to it."""
    back = address(request, "organe", organe.pk)

    def act() -> None:
        action()

    trail = _crumbs(request, organe, title)
    return fill_in(request, form, title=title, back=back, crumbs=trail, action=act, **page)


@require_http_methods(FORM)
@ADMINISTER
def edit_organe(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Change what a body is called, its place, its size or its numbers."""
    found = _organe_or_404(pk)
    form = OrganeForm(request.POST or None, instance=_organe_or_404(pk))
    return _form_of(
        request,
        found,
        form,
        title="Modifier l’assemblée",
        verb="Enregistrer",
        action=lambda: services.change_organe(found, actor=request.actor, **form.cleaned_data),
        done="L’assemblée est modifiée.",
    )


@require_http_methods(FORM)
@ADMINISTER
def change_regime(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Put a body under another regime from a day on."""
    found = _organe_or_404(pk)
    form = RegimeForm(request.POST or None)
    return _form_of(
        request,
        found,
        form,
        title="Changer de régime",
        verb="Changer de régime",
        action=lambda: services.change_regime(found, actor=request.actor, **form.cleaned_data),
        done="Le nouveau régime est enregistré : les délais des séances à venir le suivent.",
    )


@require_http_methods(FORM)
@ADMINISTER
def new_elu(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Add a member to the tableau."""
    found = _organe_or_404(pk)
    form = EluForm(request.POST or None, organe=found, instance=Elu(organe=found, term_start=_usual_start(found)))
    return _form_of(
        request,
        found,
        form,
        title="Ajouter un membre",
        verb="Ajouter au tableau",
        action=lambda: services.add_elu(found, actor=request.actor, **form.cleaned_data),
        done="Le membre est au tableau.",
    )


def _usual_start(organe: Organe) -> Any:
    """The start of term to propose: that of the last member added, else the day of the regime."""
    last = organe.elus.order_by("-term_start").values_list("term_start", flat=True).first()
    return last or organe.regimes.earliest("since").since


@require_http_methods(FORM)
@ADMINISTER
def edit_elu(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Change what the tableau says of a member."""
    elu = _elu_or_404(pk)
    form = EluForm(request.POST or None, organe=elu.organe, instance=elu)

    def change() -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        services.change_elu(elu, actor=request.actor, **changes)

    return _form_of(
        request,
        elu.organe,
        form,
        title=elu.long_name,
        verb="Enregistrer",
        action=change,
        done=f"Le tableau est à jour pour {elu.long_name}.",
    )


@require_http_methods(FORM)
@ADMINISTER
def end_term(request: AgentRequest, pk: UUID) -> HttpResponse:
    """End a member's term, and seat whoever replaces them."""
    elu = _elu_or_404(pk)
    form = EndForm(request.POST or None, initial={"on": clock.today()})

    def end() -> None:
        on, successor = form.cleaned_data["on"], form.successor
        if successor:
            services.replace_elu(elu, on=on, actor=request.actor, **successor)
        else:
            services.end_term(elu, on=on, actor=request.actor)

    return _form_of(
        request,
        elu.organe,
        form,
        title=f"Fin du mandat de {elu.long_name}",
        verb="Mettre fin au mandat",
        action=end,
        done=f"Le mandat de {elu.long_name} prend fin ; le tableau est à jour.",
    )


@require_POST
@ADMINISTER
def link_accounts(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Link each member to the account under their address."""
    found = _organe_or_404(pk)

    def link() -> None:
        if not services.link_accounts(found, actor=request.actor):
            raise DomainError(
                "Aucun compte d’élu ne porte l’adresse d’un membre sans compte. Invitez-les avec le rôle « Élu »."
            )

    done = "Les comptes sont reliés : ces membres voient leurs convocations."
    return carry_out(request, link, done=done, back=address(request, "organe", pk))


@require_http_methods(FORM)
@ADMINISTER
@accepts_files(TableauFileForm)
def import_members(request: AgentRequest, pk: UUID) -> HttpResponse:
    """Examine a file line by line, then do what was read once it is confirmed."""
    found = _organe_or_404(pk)
    if request.method == "POST" and "content" in request.POST:
        return _apply(request, found)
    posted = request.method == "POST"
    form = TableauFileForm(
        request.POST if posted else None, request.FILES if posted else None, initial={"since": _usual_start(found)}
    )
    context: dict[str, Any] = {
        "organe": found,
        "form": form,
        "fields": list(tableau_csv.COLUMNS),
        "crumbs": _crumbs(request, found, "Importer"),
    }
    if form.is_valid():
        content, since = form.cleaned_data["file"], form.cleaned_data["since"]
        try:
            report = services.examine_tableau(found, content, since=since, actor=request.actor)
        except DomainError as refusal:
            form.add_error("file", refusal.sentence)
        else:
            context |= {"report": report, "hidden": carried(content, since), "columns": REPORT_COLUMNS}
            context["lines"] = [(line, KINDS[line.outcome]) for line in report.lines]
    return render(request, "seances/tableau_import.html", context, status=422 if form.errors else 200)


REPORT_COLUMNS = [
    {"label": "Ligne", "amount": True},
    {"label": "Membre"},
    {"label": "Résultat"},
    {"label": "Explication"},
]


def _apply(request: AgentRequest, organe: Organe) -> HttpResponse:
    form = ExaminedForm(request.POST)

    def apply() -> None:
        if not form.is_valid():
            raise DomainError("Le fichier examiné s’est perdu : déposez-le de nouveau.")
        report = services.import_tableau(
            organe, form.cleaned_data["content"], since=form.cleaned_data["since"], actor=request.actor
        )
        added, changed, refused = (report.counts[key] for key in ("added", "changed", "refused"))
        messages.success(
            request,
            f"Tableau importé. Membres ajoutés : {added} ; modifiés : {changed} ; lignes refusées : {refused}.",
        )

    return carry_out(request, apply, done="", back=address(request, "organe", organe.pk))


@require_safe
@ADMINISTER
def template(request: AgentRequest) -> HttpResponseBase:
    """A file with the right first line and two invented members."""
    return download_table(
        list(tableau_csv.COLUMNS), tableau_csv.TEMPLATE_ROWS, name="modele-tableau", extension="csv", sheet="Tableau"
    )


@require_safe
@agent_view("seances.administrer", application="edemat", recent="always")
def export(request: AgentRequest, pk: UUID, extension: str) -> HttpResponseBase:
    """The tableau as CSV or ODS, in the columns that the import reads; the audit log says who took it."""
    if extension not in EXTENSIONS:
        raise Http404
    found = _organe_or_404(pk)
    rows = [
        (
            elu.rank,
            elu.civility,
            elu.given_name,
            elu.family_name,
            elu.function,
            elu.group,
            elu.email,
            "papier" if elu.channel == "papier" else "courriel",
            elu.postal_address,
            elu.term_start,
        )
        for elu in found.elus.on_tableau().order_by("rank")
    ]
    details = {"kind": "tableau", "rows": len(rows), "format": extension}
    audit("manager.export", request=request, organisation=request.organisation, data=details)
    name = f"tableau-{request.organisation.slug}"
    return download_table(list(tableau_csv.COLUMNS), rows, name=name, extension=extension, sheet="Tableau")
