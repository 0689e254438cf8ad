"""Acts in the state a test needs, made without the télétransmission itself."""

from datetime import date, datetime
from io import BytesIO

import pikepdf

from parvis.core import clock
from parvis.core.documents.services import store
from parvis.core.organisations.models import Organisation
from parvis.edemat.actes.enums import Status, TransactionKind
from parvis.edemat.actes.models import Acte, ActePiece, StatusEvent, Transaction

SENT = datetime.fromisoformat("2019-07-03T10:04+02:00")


def pdf(pages: int = 1, words: str = "") -> bytes:
    """A small PDF whose first page says ``words``."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(595, 842))
    page = document.pages[0]
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    page.Contents = document.make_stream(f"BT /F1 12 Tf 72 700 Td ({words}) Tj ET".encode("latin-1"))
    out = BytesIO()
    document.save(out, deterministic_id=True)
    return out.getvalue()


def make_acte(
    organisation: Organisation,
    numero: str = "19.07.01.05",
    *,
    objet: str = "Convention de gestion de services numériques communs",
    status: Status = Status.ACQUITTE,
    nature: str = "1",
    matiere: str = "5.7",
    decision_date: date = date(2019, 7, 1),
    received_on: date | None = date(2019, 7, 3),
    content: bytes | None = None,
    annexes: tuple[str, ...] = (),
    words: str = "",
    **fields,
) -> Acte:
    """An act (acknowledged by default) with its document, its transmission and its history."""
    acknowledged = status == Status.ACQUITTE
    numero_actes = numero.replace(".", "_").replace("-", "_")
    document = store(organisation, content or pdf(words=words or numero), f"{numero}.pdf")
    identifier = f"034-{organisation.siren}-{decision_date:%Y%m%d}-{numero_actes}-DE"
    acte = Acte.objects.create(
        organisation=organisation,
        numero=numero,
        numero_actes=numero_actes,
        nature=nature,
        objet=objet,
        decision_date=decision_date,
        matiere=matiere,
        matiere_label=fields.pop("matiere_label", "Intercommunalité"),
        document=document,
        type_piece="99_DE",
        posted_filename=f"Délibération {numero}.pdf",
        regulatory_name=f"99_DE-{identifier}-1-1_1.pdf",
        status=status,
        unique_id=identifier if acknowledged else "",
        created_at=clock.now(),
        sent_at=SENT if acknowledged or status == Status.TRANSMIS else None,
        received_on=received_on if acknowledged else None,
        **fields,
    )
    for rank, name in enumerate(annexes, start=2):
        ActePiece.objects.create(
            organisation=organisation,
            acte=acte,
            rank=rank,
            code_pj="70_DE",
            document=store(organisation, pdf(words=name), name),
            posted_filename=name,
            regulatory_name=f"70_DE-{identifier}-1-1_{rank}.pdf",
        )
    if status not in (Status.A_POSTER, Status.A_SIGNER):
        _transmission(acte)
    return acte


def _transmission(acte: Acte) -> None:
    transaction = Transaction.objects.create(
        organisation=acte.organisation,
        acte=acte,
        kind=TransactionKind.ACTE,
        status=acte.status,
        envelope_name=f"EACT--{acte.organisation.siren}--20190703-{Transaction.objects.count() + 1}.xml",
        sent_at=acte.sent_at,
        received_on=acte.received_on,
        created_at=clock.now(),
    )
    for status, message in ((Status.POSTE, "Acte posté"), (acte.status, "Reçu par le ministère")):
        StatusEvent.objects.create(
            organisation=acte.organisation,
            transaction=transaction,
            acte=acte,
            status=status,
            at=SENT,
            message=message,
            actor_kind="system",
        )
