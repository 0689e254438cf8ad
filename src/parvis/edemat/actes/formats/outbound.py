"""Business XML that an authority sends (acts, cancellations, receipts of letters and answers, requests for the
classification) and the envelope EnveloppeCLMISILL, valid against actesv1_1.xsd, in ISO-8859-1."""

from dataclasses import dataclass
from datetime import date

from lxml import etree

from parvis.core.referentials.latin1 import to_latin1
from parvis.edemat.actes.formats.emitters import Emitter
from parvis.edemat.actes.formats.matieres import Matiere
from parvis.edemat.actes.formats.numbers import ActeNumber

ACTES = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
INSEE = "http://xml.insee.fr/schema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES = {"actes": ACTES, "insee": INSEE, "xsi": XSI}


def _q(name: str) -> str:
    return f"{{{ACTES}}}{name}"


def _element(name: str, **attributes: str) -> etree._Element:
    element = etree.Element(_q(name), nsmap=NAMESPACES)
    element.set(f"{{{XSI}}}schemaLocation", f"{ACTES} actesv1_1.xsd")
    for key, value in attributes.items():
        element.set(_q(key), value)
    return element


def _child(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, _q(name), {_q(key): value for key, value in attributes.items()})
    if text:
        element.text = to_latin1(text)
    return element


def _serialise(root: etree._Element) -> bytes:
    declaration = b'<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    body = etree.tostring(root, encoding="ISO-8859-1", xml_declaration=False, pretty_print=True)
    assert isinstance(body, bytes)  # an encoding was given
    return declaration + body


@dataclass(frozen=True)
class ActeMessage:
    """Content of a 1-1: ``objet`` in plain text, ``document`` and ``annexes`` as regulatory names, in
    order."""

    numero: ActeNumber
    nature: str
    objet: str
    decision_date: date
    matiere: Matiere
    classification_version: date
    document: str
    annexes: tuple[str, ...] = ()
    previous_id: str = ""
    paper: bool = False


def build_acte(message: ActeMessage) -> bytes:
    """The XML « Acte » (1-1)."""
    root = _element(
        "Acte",
        Date=message.decision_date.isoformat(),
        NumeroInterne=str(message.numero),
        CodeNatureActe=message.nature,
    )
    for level, code in enumerate(message.matiere.levels, start=1):
        _child(root, f"CodeMatiere{level}", CodeMatiere=str(code))
    _child(root, "Objet", message.objet)
    if message.previous_id:
        _child(root, "PrecedentIdentifiantActe", IDActe=message.previous_id)
    _child(root, "ClassificationDateVersion", message.classification_version.isoformat())
    _child(_child(root, "Document"), "NomFichier", message.document)
    annexes = _child(root, "Annexes", Nombre=str(len(message.annexes)))
    for annexe in message.annexes:
        _child(_child(annexes, "Annexe"), "NomFichier", annexe)
    _child(root, "DocumentPapier", "O" if message.paper else "N")
    return _serialise(root)


LETTER_ANSWERS = {
    "2-2": "ReponseCourrierSimple",
    "3-2": "ARDemandePieceComplementaire",
    "3-3": "RefusPieceComplementaire",
    "3-4": "PieceComplementaire",
    "4-2": "ARLettreObservations",
    "4-3": "RejetLettreObservations",
    "4-4": "ReponseLettreObservations",
}
"""Root element of each message about a letter."""
SEVERAL = "3-4"
WITHOUT_FILE = ("3-2", "4-2")


def build_letter_answer(code: str, id_acte: str, letter_date: date, files: tuple[str, ...]) -> bytes:
    """The XML that receipts or answers the letter dated ``letter_date`` about the act ``id_acte``.

    ``files`` are regulatory names: several for pieces (3-4), one for the other answers, none for a receipt.
    """
    if (len(files) == 0) != (code in WITHOUT_FILE) or (len(files) > 1 and code != SEVERAL):
        raise ValueError(f"{code} does not carry {len(files)} files")
    root = _element(LETTER_ANSWERS[code], IDActe=id_acte, DateCourrierPref=letter_date.isoformat())
    holder = _child(root, "Documents") if code == SEVERAL else root
    for file in files:
        _child(_child(holder, "Document"), "NomFichier", file)
    return _serialise(root)


def build_cancellation(id_acte: str) -> bytes:
    """The XML « Annulation » (6-1) of the transmission of ``id_acte``."""
    return _serialise(_element("Annulation", IDActe=id_acte))


def build_classification_request(current: date | None) -> bytes:
    """The XML « DemandeClassification » (7-1), with the date of the classification we hold, if any."""
    root = _element("DemandeClassification")
    if current:
        _child(root, "DateClassification", current.isoformat())
    return _serialise(root)


def build_envelope(emitter: Emitter, messages: tuple[str, ...]) -> bytes:
    """The XML « EnveloppeCLMISILL » that lists the business XML files of the archive."""
    root = _element("EnveloppeCLMISILL")
    sender = _child(root, "Emetteur")
    identity = _child(
        sender,
        "IDCL",
        Departement=emitter.departement,
        Arrondissement=emitter.arrondissement,
        Nature=emitter.nature,
    )
    identity.set(f"{{{INSEE}}}SIREN", emitter.siren)
    referent = emitter.referent
    if referent.name or referent.phone or referent.email:
        person = _child(sender, "Referent")
        for name, value in (("Nom", referent.name), ("Telephone", referent.phone), ("Email", referent.email)):
            if value:
                _child(person, name, value)
    addresses = _child(root, "AdressesRetour")
    for address in emitter.return_addresses:
        _child(addresses, "Email", address)
    forms = _child(root, "FormulairesEnvoyes")
    for message in messages:
        _child(_child(forms, "Formulaire"), "NomFichier", message)
    return _serialise(root)
