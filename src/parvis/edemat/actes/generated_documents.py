"""Documents that Parvis produces about an act: stamped copies, bordereau, certificate of L2131-1.

Each is derived from the act as sent, never replaces it, and is produced once: the same stage asked twice
finds the same document. A copy that cannot be stamped is not served: the journal of the act says why.
"""

import io
from dataclasses import dataclass
from datetime import date
from typing import Any

import qrcode
import qrcode.image.svg
from django.conf import settings
from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.documents.services import publish as open_to_public
from parvis.core.documents.services import read_bytes, store
from parvis.core.documents.typesetting import organisation_facts, typeset
from parvis.core.errors import DomainError
from parvis.core.journal.services import Actor, record
from parvis.core.routing.models import RouteStep
from parvis.core.routing.services import announce, attach, complete_step
from parvis.core.web.templatetags.parvis import date_heure, date_longue, siren, taille
from parvis.edemat.actes.enums import Nature
from parvis.edemat.actes.legal_dates import last_appeal_day
from parvis.edemat.actes.models import Acte, ActeSettings, Notification, Publication
from parvis.edemat.actes.public_text import text_of
from parvis.edemat.actes.publication import known_by_notification, legally_received_on
from parvis.edemat.actes.stamping import Placement, Stamp, StampError, stamp_pdf

STEP = "actes.publication"
STAMP, STAMP_PUBLISHED, BORDEREAU, CERTIFICATE = (
    "tampon",
    "tampon_publie",
    "bordereau",
    "certificat_executoire",
)
PDF = "application/pdf"


class NotReady(DomainError):
    """The act has not reached the stage that the document attests."""


def produce_after_acknowledgement(acte: Acte, *, actor: Actor) -> None:
    """Stamp the act and its PDF annexes with the date of reception and typeset the bordereau."""
    stamped = stamp_files(acte, actor=actor)
    _attach(acte, "bordereau", bordereau(acte), "Bordereau d’acquittement")
    _trace(acte, actor, stamped)


def produce_after_publication(acte: Acte, *, actor: Actor) -> None:
    """Stamp again with the publication date, typeset the certificate, then let the route go on."""
    publication = acte.publications.online().first()
    if publication is None:
        return
    if legally_received_on(acte):
        stamped = stamp_files(acte, actor=actor)
        if own := stamped.get(acte.document_id):
            publication.stamped = own
            open_to_public(own, actor=actor)
        if acte.executoire_on and acte.nature != Nature.INDIVIDUEL:
            _certify(acte, published(publication))
        _trace(acte, actor, stamped)
    if not publication.text:
        publication.text = text_of(acte.document)
    # The acknowledgement may have come after the publication.
    publication.received_on, publication.executoire_on = legally_received_on(acte), acte.executoire_on
    publication.unique_id = "" if acte.trial else acte.unique_id
    publication.save(update_fields=["stamped", "text", "received_on", "executoire_on", "unique_id"])
    _go_on(acte, publication, actor)


def produce_after_notification(acte: Acte, *, actor: Actor) -> None:
    """Typeset the certificate of an act notified to the people it names, once it binds, then let the route go on."""
    noted = Notification.objects.filter(acte=acte).first()
    if noted is None or acte.received_on is None or not known_by_notification(acte):
        return
    if acte.executoire_on:
        _certify(acte, notified(noted))
        _trace(acte, actor, {})
    _go_on_notified(acte, noted, actor)


# --- stamped copies ---
def stamp_of(acte: Acte) -> Stamp:
    """What the stamp of ``acte`` says now. Raises NotReady before the acknowledgement."""
    if not (acte.sent_at and acte.received_on and acte.unique_id):
        raise NotReady("Le tampon suppose l’accusé de réception de la préfecture : il n’est pas encore arrivé.")
    return Stamp(acte.unique_id, clock.paris(acte.sent_at).date(), acte.received_on, acte.published_on, acte.trial)


def stamp_files(acte: Acte, *, actor: Actor) -> dict[Any, Document]:
    """Stamped copies of the act and its PDF annexes, by identifier of their original; the refused are out."""
    stamp, placement = stamp_of(acte), _placement(acte)
    files = [(acte.document, "tamponne", acte.posted_filename)]
    files += [(p.document, "annexe_tamponnee", p.posted_filename) for p in acte.pieces.select_related("document")]
    stamped = {}
    for original, role, name in files:
        if original.media_type != PDF:
            continue
        try:
            copy = _stamped_copy(original, stamp, placement, name)
        except StampError as refusal:
            record(
                acte.organisation,
                "actes.tampon_impossible",
                subject=("acte", acte.pk),
                actor=actor,
                sha256=original.sha256,
                details={"code": refusal.code},
            )
            continue
        stamped[original.pk] = copy
        _attach(acte, role, copy, copy.label)
    return stamped


def _stamped_copy(original: Document, stamp: Stamp, placement: Placement, name: str) -> Document:
    derivation = f"{STAMP_PUBLISHED}_{stamp.published:%Y%m%d}" if stamp.published else STAMP
    existing = original.derived.filter(derivation=derivation).first()
    if existing:
        return existing
    stem = name.rpartition(".")[0] or name
    return store(
        original.organisation,
        stamp_pdf(read_bytes(original), stamp, placement),
        f"{stem}-tampon.pdf",
        source=original,
        derivation=derivation,
        label=f"{name} tamponné" + (f", publié le {stamp.published:%d/%m/%Y}" if stamp.published else ""),
    )


def _placement(acte: Acte) -> Placement:
    chosen = ActeSettings.objects.filter(organisation=acte.organisation).first()
    if chosen is None:
        return Placement()
    return Placement(
        "first" if chosen.stamp_pages == "first" else "all", chosen.stamp_x_percent, chosen.stamp_y_percent
    )


# --- bordereau ---
def bordereau(acte: Acte) -> Document:
    """The bordereau d'acquittement of the act's transmission, typeset once."""
    existing = acte.document.derived.filter(derivation=BORDEREAU).first()
    if existing:
        return existing
    transaction = acte.transaction
    if transaction is None or not acte.received_on:
        raise NotReady("Le bordereau suppose l’accusé de réception de la préfecture : il n’est pas encore arrivé.")
    check = settings.BASE_URL + reverse(
        "actes_public:verification",
        kwargs={"organisation_slug": acte.organisation.slug, "unique_id": acte.unique_id},
    )
    content = typeset(
        "edemat/actes/bordereau",
        {
            "organisation": organisation_facts(acte.organisation),
            "reference": acte.unique_id,
            "warning": _warning(transaction.test),
            "parameters": [
                *_parameters(acte),
                ["Enveloppe", transaction.envelope_name],
                ["Transmis le", date_heure(acte.sent_at)],
                ["Reçu en préfecture le", date_longue(acte.received_on)],
            ],
            "files": _files(acte),
            "cycle": [
                [event.get_status_display(), date_heure(event.at), event.message] for event in transaction.events.all()
            ],
            "check": check,
        },
        files={"verification.svg": _qr_code(check)},
    )
    return store(
        acte.organisation,
        content,
        f"{acte.numero_actes}-bordereau-tdt.pdf",
        source=acte.document,
        derivation=BORDEREAU,
        label="Bordereau d’acquittement",
    )


def _files(acte: Acte) -> list[dict[str, str]]:
    def described(document: Document, code: str, posted: str, regulatory: str) -> dict[str, str]:
        return {
            "posted_name": posted,
            "regulatory_name": regulatory,
            "type": code,
            "media_type": document.media_type,
            "size": taille(document.size),
            "sha256": document.sha256,
        }

    files = [described(acte.document, acte.type_piece, acte.posted_filename, acte.regulatory_name)]
    return files + [
        described(piece.document, piece.code_pj, piece.posted_filename, piece.regulatory_name)
        for piece in acte.pieces.select_related("document")
    ]


def _parameters(acte: Acte) -> list[list[str]]:
    return [
        ["Autorité", f"{acte.organisation.name}, SIREN {siren(acte.organisation.siren)}"],
        [
            "Numéro de l’acte",
            acte.numero if acte.numero == acte.numero_actes else f"{acte.numero} ({acte.numero_actes})",
        ],
        ["Date de la décision", date_longue(acte.decision_date)],
        ["Nature", acte.get_nature_display()],
        ["Matière", f"{acte.matiere} {acte.matiere_label}".strip()],
        ["Objet", acte.objet],
        ["Identifiant unique", acte.unique_id],
    ]


def _qr_code(address: str) -> bytes:
    image = io.BytesIO()
    qrcode.make(address, image_factory=qrcode.image.svg.SvgPathImage, border=1).save(image)
    return image.getvalue()


# --- certificate ---
@dataclass(frozen=True)
class Publicity:
    """How the act came to the knowledge of those concerned, and who certifies it."""

    on: date
    formality: str
    author_name: str
    author_quality: str
    version: str
    """Eight signs that tell one certificate of an act from the next."""


def published(publication: Publication) -> Publicity:
    name, quality = publication.author_name, publication.author_quality
    on = publication.published_on
    return Publicity(on, "Publication sur le site internet", name, quality, f"{on:%Y%m%d}")


def notified(noted: Notification) -> Publicity:
    means = noted.get_means_display()
    formality = f"Notification aux intéressés ({means[:1].lower()}{means[1:]})"
    version = f"{int(noted.recorded_at.timestamp()):08x}"  # noted again, it is certified again
    return Publicity(noted.notified_on, formality, noted.author_name, noted.author_quality, version)


def _certify(acte: Acte, publicity: Publicity) -> None:
    made = certificate(acte, publicity)
    _attach(acte, "certificat_executoire", made, "Certificat du caractère exécutoire")


def certificate(acte: Acte, publicity: Publicity) -> Document:
    """The certificate of executory character, ready for the signature of the mayor. (L2131-1)"""
    derivation = f"{CERTIFICATE}_{publicity.version}"
    existing = acte.document.derived.filter(derivation=derivation).first()
    if existing:
        return existing
    if not (acte.executoire_on and acte.received_on and acte.sent_at):
        raise NotReady("L’acte n’est pas encore exécutoire : la préfecture doit l’avoir reçu, et chacun le connaître.")
    name, quality = publicity.author_name, publicity.author_quality
    content = typeset(
        "edemat/actes/certificat-executoire",
        {
            "organisation": organisation_facts(acte.organisation),
            "reference": acte.unique_id,
            "warning": _warning(acte.trial),
            "statement": (
                f"{name}, {quality}, certifie sous sa responsabilité que l’acte désigné ci-dessous, pris par "
                f"{acte.organisation.name}, a reçu la publicité requise et a été transmis au représentant de "
                "l’État."
            ),
            "parameters": _parameters(acte),
            "formalities": [
                ["Transmission au représentant de l’État", date_longue(clock.paris(acte.sent_at).date())],
                ["Réception par le représentant de l’État", date_longue(acte.received_on)],
                [publicity.formality, date_longue(publicity.on)],
            ],
            "executoire": date_longue(acte.executoire_on),
            "appeal": (
                "Il peut être contesté devant le tribunal administratif jusqu’au "
                f"{date_longue(last_appeal_day(publicity.on))} inclus (article R421-1 du code de "
                "justice administrative)."
            ),
            "signature": [f"Fait le {date_longue(clock.today())}", quality, name],
        },
    )
    return store(
        acte.organisation,
        content,
        f"{acte.numero_actes}-certificat-executoire.pdf",
        source=acte.document,
        derivation=derivation,
        label="Certificat du caractère exécutoire",
    )


def _warning(test: bool) -> str | None:
    if settings.DEMO:
        return "Document de démonstration, sans valeur légale."
    return "Transmission d’essai, sans valeur légale." if test else None


# --- the route ---
def _attach(acte: Acte, role: str, document: Document, label: str) -> None:
    if acte.route:
        attach(acte.route, role, document, label)


def _trace(acte: Acte, actor: Actor, stamped: dict[Any, Document]) -> None:
    own = stamped.get(acte.document_id)
    record(
        acte.organisation,
        "actes.documents_produits",
        subject=("acte", acte.pk),
        actor=actor,
        sha256=own.sha256 if own else "",
        details={"stamped": len(stamped), "published": acte.published_on is not None},
    )


def _step_reached(acte: Acte) -> RouteStep | None:
    """The step « À publier » of the act's route, once the route has come to it."""
    step = acte.route.steps.filter(code=STEP).first() if acte.route else None
    return step if step and step.state != RouteStep.State.WAITING else None


def _go_on_notified(acte: Acte, noted: Notification, actor: Actor) -> None:
    step, binding = _step_reached(acte), acte.executoire_on
    if not step or step.state != RouteStep.State.CURRENT:
        return
    told = {"date": noted.notified_on.isoformat(), "executoire": binding.isoformat() if binding else None}
    complete_step(
        step,
        summary=f"exécutoire le {binding:%d/%m/%Y}" if binding else "",
        actor=actor,
        facts={"notification": told},
    )


def _go_on(acte: Acte, publication: Publication, actor: Actor) -> None:
    """Complete the route's step; an act put online after it, notified before or withdrawn since, is announced."""
    step = _step_reached(acte)
    if not acte.route or not step:
        return
    told = acte.route.facts.get("publication", {})
    if step.state == RouteStep.State.DONE and told and "retiree_le" not in told:
        return
    address = reverse("actes_public:detail", kwargs={"organisation_slug": acte.organisation.slug, "pk": publication.pk})
    binding = acte.executoire_on.isoformat() if acte.executoire_on else None
    facts = {
        "publication": {
            "date": publication.published_on.isoformat(),
            "url": settings.BASE_URL + address,
            "executoire": binding,
        }
    }
    if step.state == RouteStep.State.DONE:
        announce(acte.route, "publication.retablie", facts=facts, actor=actor)
        return
    complete_step(
        step,
        summary=f"exécutoire le {acte.executoire_on:%d/%m/%Y}" if acte.executoire_on else "en ligne",
        actor=actor,
        facts=facts,
    )
