"""The messages that the simulated ministry sends back, and the e-mails that carry them."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import make_msgid
from zoneinfo import ZoneInfo

from lxml import etree

from parvis_sandbox.ministry import classification
from parvis_sandbox.ministry.reading import ACTES, INSEE, Received, q

NAMESPACES = (
    f'xmlns:actes="{ACTES}" xmlns:insee="{INSEE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{ACTES} actesv1_1.xsd"'
)
SENDER = "actes-bac-a-sable@interieur.test"


@dataclass(frozen=True)
class File:
    """An attachment: its name and its bytes."""

    name: str
    content: bytes


def _document(text: str, encoding: str = "iso-8859-1", declared: str = "ISO-8859-1") -> bytes:
    xml = f'<?xml version="1.0" encoding="{declared}"?>\n{text}'
    return xml.encode(encoding, "xmlcharrefreplace")


def _inside(element: etree._Element, name: str) -> str:
    """``element`` as text, under another name of the same namespace."""
    copy = deepcopy(element)
    copy.tag = q(name)
    for key in [k for k in copy.attrib if "XMLSchema-instance" in str(k)]:
        del copy.attrib[key]
    etree.cleanup_namespaces(copy, keep_ns_prefixes=["actes"])
    return etree.tostring(copy, encoding="unicode", with_tail=False)


def paris_day(now: datetime) -> str:
    return now.astimezone(ZoneInfo("Europe/Paris")).date().isoformat()


def ar_acte(
    identifier: str,
    acte: etree._Element,
    day: str,
    current: str,
    *,
    false_encoding: bool = False,
    old_schema: bool = False,
) -> bytes:
    """1-2: the act is received on ``day``; ``current`` is the date of the classification in force."""
    echo = deepcopy(acte)
    if old_schema:
        paper = echo.find(q("DocumentPapier"))
        if paper is not None:
            echo.remove(paper)
    text = (
        f'<actes:ARActe {NAMESPACES} actes:IDActe="{identifier}" actes:DateReception="{day}">'
        f"{_inside(echo, 'ActeRecu')}"
        f"<actes:ClassificationDateVersionEnCours>{current}</actes:ClassificationDateVersionEnCours></actes:ARActe>"
    )
    return _document(text, "utf-8" if false_encoding else "iso-8859-1")


def anomalie_acte(acte: etree._Element, day: str, nature: str, detail: str, current: str) -> bytes:
    """1-3: the act is refused, with the echo of what was sent and no identifier."""
    text = (
        "<actes:AnomalieActe "
        f"{NAMESPACES}><actes:Date>{day}</actes:Date><actes:Nature>{nature}</actes:Nature>"
        f"<actes:Detail>{detail}</actes:Detail>{_inside(acte, 'ActeRecu')}"
        f"<actes:ClassificationDateVersionEnCours>{current}</actes:ClassificationDateVersionEnCours></actes:AnomalieActe>"
    )
    return _document(text)


def anomalie_enveloppe(received: Received, day: str, nature: str, detail: str) -> File:
    """The whole envelope is refused; the name says which one."""
    text = (
        "<actes:AnomalieEnveloppe "
        f"{NAMESPACES}><actes:Date>{day}</actes:Date><actes:Nature>{nature}</actes:Nature>"
        f"<actes:Detail>{detail.replace('<', ' ').replace('&', ' ')}</actes:Detail>"
        f"{_inside(received.root, 'EnveloppeRecue')}</actes:AnomalieEnveloppe>"
    )
    return File(f"ANO_{received.envelope}", _document(text))


def retour_classification(date: str) -> bytes:
    return _document(
        f"<actes:RetourClassification {NAMESPACES}>{classification.content(date)}</actes:RetourClassification>"
    )


def classification_inchangee(date: str) -> bytes:
    return _document(
        f"<actes:ReponseClassificationSansChangement {NAMESPACES}><actes:DateClassification>{date}"
        "</actes:DateClassification></actes:ReponseClassificationSansChangement>"
    )


def courrier_simple(identifier: str, day: str, document: str) -> bytes:
    return _document(
        f'<actes:CourrierSimple {NAMESPACES} actes:DateCourrierPref="{day}" actes:IDActe="{identifier}">'
        f"<actes:Document><actes:NomFichier>{document}</actes:NomFichier></actes:Document></actes:CourrierSimple>"
    )


def question(root: str, holder: str, identifier: str, day: str, text: str, document: str) -> bytes:
    """3-1 or 4-1: a letter that awaits an answer; ``text`` goes in ``holder`` (DescriptionPieces, Motif)."""
    return _document(
        f'<actes:{root} {NAMESPACES} actes:DateCourrierPref="{day}" actes:IDActe="{identifier}">'
        f"<actes:{holder}>{text}</actes:{holder}>"
        f"<actes:Document><actes:NomFichier>{document}</actes:NomFichier></actes:Document></actes:{root}>"
    )


def defere(identifier: str, day: str, text: str, document: str) -> bytes:
    """5-1: the act is brought before the administrative court."""
    return _document(
        f'<actes:DefereTA {NAMESPACES} actes:IDActe="{identifier}"><actes:DateDepot>{day}</actes:DateDepot>'
        f"<actes:NatureIllegalite>{text}</actes:NatureIllegalite><actes:PiecesJointes><actes:PieceJointe>"
        f"<actes:NomFichier>{document}</actes:NomFichier></actes:PieceJointe></actes:PiecesJointes></actes:DefereTA>"
    )


def ar_reponse(root: str, answer: etree._Element, day: str) -> bytes:
    """3-5 or 4-5: the answer of the authority is received on ``day``."""
    identifier, written = answer.get(q("IDActe")), answer.get(q("DateCourrierPref"))
    return _document(
        f'<actes:{root} {NAMESPACES} actes:DateReception="{day}"><actes:InfosCourrierPref '
        f'actes:IDActe="{identifier}" actes:DateCourrierPref="{written}"/></actes:{root}>'
    )


def ar_annulation(identifier: str, day: str) -> bytes:
    """6-2: the transmission is cancelled."""
    return _document(f'<actes:ARAnnulation {NAMESPACES} actes:IDActe="{identifier}" actes:DateReception="{day}"/>')


def envelope(received: Received, serial: int, now: datetime, forms: Iterable[str], siren: str = "") -> File:
    """EnveloppeMISILLCL for this authority (or the one of ``siren``) listing ``forms``."""
    siren = siren or received.siren
    listed = "".join(f"<actes:Formulaire><actes:NomFichier>{f}</actes:NomFichier></actes:Formulaire>" for f in forms)
    text = (
        f"<actes:EnveloppeMISILLCL {NAMESPACES}><actes:Emetteur><actes:IDSousPref "
        f'actes:Departement="{received.departement}" actes:Arrondissement="{received.arrondissement}"/>'
        "</actes:Emetteur>"
        f"<actes:FormulairesEnvoyes>{listed}</actes:FormulairesEnvoyes>"
        f'<actes:Destinataire insee:SIREN="{siren}"/></actes:EnveloppeMISILLCL>'
    )
    letter = "T" if received.test else "E"
    pref = f"{received.departement}{received.arrondissement}"
    return File(f"{letter}ACT--SPREF{pref}-{siren}-{now:%Y%m%d}-{serial}.xml", _document(text))


def mail(addresses: Iterable[str], subject: str, files: Iterable[File], now: datetime) -> EmailMessage:
    """The e-mail with its attachments; an HTML body says that it is a simulation."""
    message = EmailMessage()
    message["From"] = f"ACTES (bac à sable) <{SENDER}>"
    message["To"] = ", ".join(addresses)
    message["Subject"] = f"[SIMULATION] {subject}"
    message["Date"] = now
    message["Message-ID"] = make_msgid(domain="interieur.test")
    message.set_content("Message de simulation, sans valeur légale.\n")
    message.add_alternative("<p>Message de simulation, sans valeur légale.</p>", subtype="html")
    for file in files:
        kind = "xml" if file.name.endswith(".xml") else "pdf"
        message.add_attachment(file.content, maintype="application", subtype=kind, filename=file.name)
    return message
