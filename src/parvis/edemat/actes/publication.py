"""Putting an act online: the publicity that makes it binding (CGCT L2131-1, R2131-1), and its end.

The public reads a full text that nobody can alter, the first name, name and quality of its author and the
date of publication, for two months at least. The date is that of the day: nothing is put online in the past.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import publish as open_to_public
from parvis.core.errors import DomainError
from parvis.core.identity.models import Mandate
from parvis.core.journal.actions import register_action, register_precision, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.routing.services import announce, close_tasks
from parvis.edemat.actes import document_tasks
from parvis.edemat.actes.enums import Nature, Status
from parvis.edemat.actes.legal_dates import executoire_on, online_until
from parvis.edemat.actes.locking import lock_acte
from parvis.edemat.actes.models import Acte, Publication

NOT_STAMPED = {
    "endommage": "fichier endommagé ou hors de la norme",
    "chiffre": "fichier chiffré",
    "certifie": "fichier certifié sans modification permise",
    "deja_tamponne": "fichier déjà tamponné",
}
"""Why a file is not stamped, by the code of ``StampError`` that the journal keeps."""
register_action("actes.publie", "Mise en ligne sur le site de la commune")
register_action("actes.publication_retiree", "Retirée du site de la commune")
register_action("actes.documents_produits", "Tampon et justificatifs produits")
register_action("actes.tampon_impossible", "Tampon impossible sur un fichier")
register_precision("actes.tampon_impossible", lambda details: NOT_STAMPED.get(str(details.get("code")), ""))
register_subject("acte", "Acte", "actes:detail")
register_subject("transaction_actes", "Transmission à la préfecture")
register_subject("message_actes", "Message de la préfecture", "actes:message")
register_subject("classification", "Classification de la préfecture")
register_subject("reglages_actes", "Réglages de la télétransmission")

TASK_VERB = "Publier"

PERSONAL_MATTERS = ("4", "8.2")
"""Matières whose acts name people: fonction publique, aide sociale."""


class PublicationRefused(DomainError):
    """The act cannot be put online, or taken down, as asked."""


@dataclass(frozen=True)
class Author:
    """Who takes the act, as R2131-1 wants it shown: first name and name, then quality."""

    name: str
    quality: str

    def __post_init__(self) -> None:
        if len(self.name.split()) < 2:
            raise PublicationRefused(
                "Indiquez le prénom et le nom de l’auteur de l’acte (article R2131-1 du code général des "
                "collectivités territoriales)."
            )
        if not self.quality.strip():
            raise PublicationRefused("Indiquez la qualité de l’auteur de l’acte, par exemple « Maire ».")


def proposed_author(organisation: Organisation) -> Author | None:
    """The mayor or president in office today, or None when no mandate says who it is."""
    mandate = (
        Mandate.objects.in_force(clock.today())
        .filter(organisation=organisation, role="maire")
        .select_related("account")
        .order_by("-start")
        .first()
    )
    return Author(mandate.account.full_name, mandate.title or "Maire") if mandate else None


def may_hold_personal_data(acte: Acte) -> bool:
    """True for individual acts and for the matières whose acts name people: not published by default.

    Individual decisions are notified rather than published (L2131-1), and people may not be exposed online.
    """
    return acte.nature == Nature.INDIVIDUEL or any(
        acte.matiere == matter or acte.matiere.startswith(f"{matter}.") for matter in PERSONAL_MATTERS
    )


def known_on(acte: Acte) -> date | None:
    """Day on which the act came to the knowledge of those concerned, None while it has not. (L2131-1)

    An individual decision is notified; the other acts are published, or notified when they name people.
    """
    if acte.nature == Nature.INDIVIDUEL:
        return acte.notified_on
    return acte.published_on or acte.notified_on


def legally_received_on(acte: Acte) -> date | None:
    """Day on which the State received the act; None before, and always for a trial transmission."""
    return None if acte.trial else acte.received_on


def known_by_notification(acte: Acte) -> bool:
    """True when its notification is what brings the act to the knowledge of those concerned. (L2131-1)"""
    return acte.notified_on is not None and (acte.nature == Nature.INDIVIDUEL or acte.published_on is None)


def binding_day(acte: Acte) -> date | None:
    """Day from which the act binds, by what is known of it now; None once its transmission is cancelled."""
    if acte.status == Status.ANNULE:
        return None
    return executoire_on(legally_received_on(acte), known_on(acte))


def remarks_before_publication(acte: Acte, on: date) -> list[dict[str, Any]]:
    """What the person must know before publishing, in the shape of checks (code, severity, ok, sentence)."""
    remarks = []

    def remark(code: str, sentence: str) -> None:
        remarks.append({"code": code, "severity": "avertissement", "ok": False, "sentence": sentence})

    if acte.trial:
        remark(
            "transmission_d_essai",
            "La transmission est un essai : l’acte sera en ligne sans être exécutoire, faute d’être transmis.",
        )
    elif acte.received_on is None:
        remark(
            "publication_avant_reception",
            "La préfecture n’a pas encore accusé réception : l’acte ne sera exécutoire qu’à cette date.",
        )
    if acte.sent_at and on < clock.paris(acte.sent_at).date():
        remark("publication_avant_transmission", "La publication précède la transmission à la préfecture.")
    if may_hold_personal_data(acte):
        remark(
            "donnees_personnelles",
            "Cet acte concerne des personnes : il se notifie en principe aux intéressés. Ne le publiez "
            "qu’après avoir retiré adresses, dates de naissance, coordonnées bancaires, aides sociales.",
        )
    if acte.route:
        remarks += [
            check
            for check in acte.route.facts.get("controles", [])
            if not check.get("ok") and check.get("code") in ("mention_publication_incomplete", "donnees_personnelles")
        ]
    return remarks


def publish(
    acte: Acte,
    *,
    author: Author,
    actor: Actor,
    on: date | None = None,
    personal_data_reviewed: bool = False,
    annexes: Collection[UUID] | None = None,
) -> Publication:
    """Put ``acte`` online from ``on`` (today) and compute from when it binds.

    ``annexes`` are the pieces published with it (all by default). The stamped copy, the certificate and the
    next step of the route follow in a job of the same transaction. Raises PublicationRefused.
    """
    today = clock.today()
    on = on or today
    acte = lock_acte(acte)
    _refuse_unpublishable(acte, on, today, personal_data_reviewed)
    pieces = [p for p in acte.pieces.select_related("document") if annexes is None or p.pk in annexes]
    acte.published_on = on
    binding = acte.executoire_on = binding_day(acte)
    publication = Publication.objects.create(
        organisation=acte.organisation,
        acte=acte,
        numero=acte.numero,
        nature=acte.nature,
        objet=acte.objet,
        decision_date=acte.decision_date,
        matiere=acte.matiere,
        matiere_label=acte.matiere_label,
        unique_id="" if acte.trial else acte.unique_id,
        received_on=legally_received_on(acte),
        document=acte.document,
        author_name=author.name,
        author_quality=author.quality,
        published_on=on,
        published_at=clock.now(),
        executoire_on=binding,
        vote=vote_sentence(acte.route.facts.get("vote", {})) if acte.route else "",
        annexes=[_annexe(piece.document, piece.posted_filename) for piece in pieces],
    )
    for document in (acte.document, *(piece.document for piece in pieces)):
        open_to_public(document, actor=actor)
    acte.save(update_fields=["published_on", "executoire_on"])
    record(
        acte.organisation,
        "actes.publie",
        subject=("acte", acte.pk),
        actor=actor,
        sha256=acte.document.sha256,
        details={
            "published_on": on.isoformat(),
            "executoire_on": binding.isoformat() if binding else None,
            "annexes": len(pieces),
            "personal_data_reviewed": personal_data_reviewed,
        },
    )
    close_tasks(acte.organisation, subject=("acte", acte.pk), verb=TASK_VERB)
    document_tasks.prepare_publication_documents.enqueue(acte.organisation, acte_id=str(acte.pk))
    return publication


def withdraw(publication: Publication, *, reason: str, actor: Actor, despite_duty: bool = False) -> None:
    """Take a publication down; before two months only for a stated necessity (``despite_duty``).

    Raises PublicationRefused. The act keeps its date of publication: it was brought to everybody's knowledge.
    """
    # The act first, as the jobs that produce its documents do: none of them publishes a copy meanwhile.
    acte = lock_acte(publication.acte_id)
    publication = Publication.objects.select_for_update(no_key=True).get(pk=publication.pk)
    if publication.withdrawn_on:
        raise PublicationRefused("Cette publication est déjà retirée.")
    if not reason.strip():
        raise PublicationRefused("Indiquez le motif du retrait : il est conservé avec la publication.")
    free = online_until(publication.published_on)
    if clock.today() < free and not despite_duty:
        raise PublicationRefused(
            f"L’acte doit rester en ligne deux mois, jusqu’au {free:%d/%m/%Y}. Un retrait plus tôt n’est "
            "possible que pour protéger des personnes ou exécuter une décision de justice : confirmez-le."
        )
    publication.withdrawn_on, publication.withdrawal_reason = clock.today(), reason.strip()
    publication.save(update_fields=["withdrawn_on", "withdrawal_reason"])
    shown = [publication.document_id, publication.stamped_id, *(a["document"] for a in publication.annexes)]
    Document.objects.filter(pk__in=[pk for pk in shown if pk]).update(public_since=None)
    record(
        publication.organisation,
        "actes.publication_retiree",
        subject=("acte", publication.acte_id),
        actor=actor,
        details={"before_two_months": clock.today() < free},
    )
    if acte.route and (told := acte.route.facts.get("publication")):
        told = told | {"retiree_le": clock.today().isoformat()}
        announce(acte.route, "publication.retiree", facts={"publication": told}, actor=actor)


def vote_sentence(vote: dict[str, Any]) -> str:
    """« adoptée à l’unanimité », « 24 pour, 3 contre, 2 abstentions », or nothing without a vote."""
    if not vote:
        return ""
    if vote.get("mention"):
        return f"adoptée {vote['mention']}"[:120]
    parts = [f"{vote.get('pour', 0)} pour"]
    if vote.get("contre"):
        parts.append(f"{vote['contre']} contre")
    if vote.get("abstention"):
        parts.append(f"{vote['abstention']} abstention{'s' if vote['abstention'] > 1 else ''}")
    return ", ".join(parts)


def refuse_unfit(acte: Acte) -> None:
    """Raise PublicationRefused for an act that may be brought to nobody's knowledge yet."""
    if acte.status in (Status.ERREUR, Status.ANNULE):
        raise PublicationRefused(
            "Cet acte est en erreur ou sa transmission est annulée : corrigez-le et transmettez-le d’abord."
        )
    if acte.status == Status.A_SIGNER:
        raise PublicationRefused("Cet acte n’est pas encore signé.")


def _refuse_unpublishable(acte: Acte, on: date, today: date, personal_data_reviewed: bool) -> None:
    refuse_unfit(acte)
    if acte.publications.online().exists():
        raise PublicationRefused("Cet acte est déjà en ligne.")
    if on > today:
        raise PublicationRefused(f"La date de publication ne peut pas être à venir : nous sommes le {today:%d/%m/%Y}.")
    if on < acte.decision_date:
        raise PublicationRefused(f"La publication ne peut pas précéder la décision du {acte.decision_date:%d/%m/%Y}.")
    if may_hold_personal_data(acte) and not personal_data_reviewed:
        raise PublicationRefused(
            "Cet acte concerne des personnes : confirmez que les données personnelles en ont été "
            "retirées, ou notifiez-le aux intéressés."
        )


def _annexe(document: Document, name: str) -> dict[str, Any]:
    return {"document": str(document.pk), "name": name, "size": document.size, "sha256": document.sha256}
