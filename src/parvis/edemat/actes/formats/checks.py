"""Pre-flight checks of an act: every rule of the ACTES chain that can be known before sending, each with
its sentence.

The schema alone does not see a wrong département, a wrong count of annexes, a gap in the matières, a
number out of rule, a nature contradicted by the names, a file missing from the archive: ``audit_archive``
sees them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

from lxml import etree

from parvis.core.errors import DomainError
from parvis.core.referentials.latin1 import to_latin1
from parvis.core.referentials.legality import EXTENSIONS, MAX_ANNEXES, MAX_ARCHIVE, MAX_OBJECT
from parvis.edemat.actes.formats.archives import megabytes
from parvis.edemat.actes.formats.emitters import Emitter
from parvis.edemat.actes.formats.inbound import InvalidMessage, parse_safely
from parvis.edemat.actes.formats.matieres import InvalidMatiere, Matiere
from parvis.edemat.actes.formats.names import DEPARTEMENT, PIECE_CODE, EnvelopeName, InvalidName, PieceName
from parvis.edemat.actes.formats.natures import NATURES
from parvis.edemat.actes.formats.numbers import SHAPE, ActeNumber, InvalidActeNumber
from parvis.edemat.actes.formats.outbound import ACTES, INSEE

BLOCKING, WARNING = "bloquant", "avertissement"


@dataclass(frozen=True)
class Finding:
    """Result of one check; ``sentence`` says in French what was found and, when it fails, the way out."""

    code: str
    ok: bool
    sentence: str
    severity: str = BLOCKING

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class PieceFile:
    """A file to send: rank 1 for the act. ``media_type`` comes from the content; ``problems`` from its
    examination."""

    rank: int
    code: str
    filename: str
    media_type: str
    size: int
    problems: tuple[str, ...] = ()
    infected: bool = False

    @property
    def is_act(self) -> bool:
        return self.rank == 1


@dataclass(frozen=True)
class ClassificationInForce:
    """Nomenclature of the authority: codes of its matières, piece codes by nature code (empty: not given)."""

    date: date
    matieres: frozenset[str]
    pieces: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Candidate:
    """What is known of an act when it is about to be sent.

    ``number_holder`` names the active act that already has the number. ``emitter`` builds the authority's
    identification, so that its own errors become findings.
    """

    numero: str
    nature: str
    objet: str
    decision_date: date
    matiere: str
    files: tuple[PieceFile, ...]
    classification: ClassificationInForce | None
    today: date
    emitter: Callable[[], Emitter]
    number_holder: str = ""
    suspended: bool = False


def _finding(code: str, ok: bool, good: str, bad: str, severity: str = BLOCKING) -> Finding:
    return Finding(code, ok, good if ok else bad, severity)


def _check_number(c: Candidate) -> list[Finding]:
    try:
        ActeNumber(c.numero)
    except InvalidActeNumber as error:
        return [Finding("numero", False, error.sentence)]
    return [
        Finding("numero", True, f"Le numéro transmis sera {c.numero}."),
        _finding(
            "numero_libre",
            not c.number_holder,
            "Aucun autre acte en cours ne porte ce numéro.",
            f"Le numéro {c.numero} est déjà celui d’un acte transmis ou en préparation ({c.number_holder}) : "
            "donnez un autre numéro à cet acte.",
        ),
    ]


def objet_problem(objet: str) -> str:
    """Why an object cannot be sent, with the way out; "" when it can."""
    if not objet.strip():
        return "L’objet de l’acte est vide : indiquez-le en une phrase."
    if re.search(r"[\r\n\t]", objet):
        return f"L’objet contient un retour à la ligne. Objet proposé : « {' '.join(objet.split())} »."
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in objet):
        return "L’objet contient des caractères invisibles : saisissez-le de nouveau sans le coller."
    length = len(to_latin1(objet))
    if length > MAX_OBJECT:
        return f"L’objet compte {length} caractères une fois écrit pour le ministère ; la limite est de {MAX_OBJECT}."
    return ""


def _check_content(c: Candidate) -> list[Finding]:
    problem = objet_problem(c.objet)
    known = c.nature in NATURES
    return [
        _finding("objet", not problem, "L’objet peut être transmis.", problem),
        _finding(
            "nature",
            known,
            f"Nature : {NATURES[c.nature].label.lower()}." if known else "",
            f"La nature « {c.nature} » n’existe pas : choisissez-en une de 1 à 6.",
        ),
        _finding(
            "date",
            c.decision_date <= c.today,
            f"La décision du {c.decision_date:%d/%m/%Y} n’est pas à venir.",
            f"La date de la décision ({c.decision_date:%d/%m/%Y}) est à venir : corrigez-la ou attendez.",
        ),
    ]


def _check_matiere(c: Candidate) -> list[Finding]:
    try:
        code = str(Matiere.parse(c.matiere))
    except InvalidMatiere as error:
        return [Finding("matiere", False, error.sentence)]
    if c.classification is None:
        return [
            Finding(
                "classification",
                False,
                "La préfecture n’a pas encore donné sa classification à cette collectivité : demandez-la, "
                "elle arrive en général dans l’heure.",
            )
        ]
    day = f"{c.classification.date:%d/%m/%Y}"
    return [
        Finding("classification", True, f"Classification en vigueur : celle du {day}."),
        _finding(
            "matiere",
            code in c.classification.matieres,
            f"La matière {code} figure dans la classification.",
            f"La matière {code} n’existe pas dans la classification du {day} : choisissez-en une autre.",
        ),
    ]


def _check_type(c: Candidate, piece: PieceFile) -> str:
    """Why the type of this file is refused, "" when it is right."""
    if not piece.code:
        return f"Le fichier « {piece.filename} » n’a pas de type de pièce : choisissez-le dans la liste."
    if not PIECE_CODE.fullmatch(piece.code):
        return f"Le type « {piece.code} » du fichier « {piece.filename} » n’a pas cinq caractères."
    allowed = c.classification.pieces.get(c.nature, frozenset()) if c.classification else frozenset()
    if allowed and piece.code not in allowed:
        return (
            f"Le type « {piece.code} » du fichier « {piece.filename} » n’est pas admis pour la nature "
            f"« {NATURES[c.nature].label if c.nature in NATURES else c.nature} » : choisissez-en un de la "
            "liste."
        )
    return ""


def _check_format(c: Candidate, piece: PieceFile) -> str:
    """Why the content of this file is refused, "" when it can be sent."""
    name = f"Le fichier « {piece.filename} »"
    budget = c.nature == "5" and c.matiere.split(" ")[0] == "7.1"
    if piece.size == 0:
        return f"{name} est vide : déposez-le de nouveau."
    if piece.infected:
        return f"{name} contient un programme malveillant : il ne sera jamais transmis."
    if piece.media_type not in EXTENSIONS:
        return f"{name} n’est pas un document admis (contenu reconnu : {piece.media_type}) : fournissez un PDF."
    extension = EXTENSIONS[piece.media_type]
    if piece.is_act and extension != "pdf" and not (extension == "xml" and budget):
        return f"{name} doit être un PDF (un XML n’est admis que pour un document budgétaire, nature 5 et matière 7.1)."
    if not piece.is_act and budget and c.files[0].media_type in ("application/xml", "text/xml") and extension != "pdf":
        return f"{name} doit être un PDF : avec un budget en XML, toutes les annexes sont des PDF."
    if piece.problems:
        return f"{name} ne peut pas être transmis : {' ; '.join(p.rstrip('.') for p in piece.problems)}."
    return ""


def check_files(c: Candidate) -> list[Finding]:
    """Findings on the files of an act, or of an answer (ranks above 1 there may be images)."""
    findings = []
    for piece in c.files:
        kind = "acte" if piece.is_act else f"annexe n° {piece.rank - 1}"
        wrong_type, wrong_format = _check_type(c, piece), _check_format(c, piece)
        findings.append(
            _finding(
                f"type_piece_{piece.rank}",
                not wrong_type,
                f"Le type {piece.code} est admis pour « {piece.filename} » ({kind}).",
                wrong_type,
            )
        )
        findings.append(
            _finding(
                f"fichier_{piece.rank}",
                not wrong_format,
                f"« {piece.filename} » ({kind}) est lisible et sans restriction.",
                wrong_format,
            )
        )
    annexes = len(c.files) - 1
    total = sum(piece.size for piece in c.files)
    findings += [
        _finding(
            "nombre_annexes",
            annexes <= MAX_ANNEXES,
            f"{annexes} annexe{'s' if annexes > 1 else ''}, {MAX_ANNEXES} au plus.",
            f"{annexes} annexes sont jointes ; {MAX_ANNEXES} au plus peuvent partir : regroupez-les.",
        ),
        _finding(
            "taille",
            total <= MAX_ARCHIVE,
            f"Les fichiers pèsent {megabytes(total)} sur {megabytes(MAX_ARCHIVE)} permis.",
            f"Les fichiers pèsent {megabytes(total)}, plus que les {megabytes(MAX_ARCHIVE)} permis : "
            "allégez-les "
            "ou annoncez des pièces sur papier.",
        ),
    ]
    return findings


def _check_emitter(c: Candidate) -> list[Finding]:
    try:
        emitter = c.emitter()
    except DomainError as error:
        return [Finding("emetteur", False, error.sentence)]
    return [
        Finding("emetteur", True, f"La préfecture répondra à {', '.join(emitter.return_addresses)}."),
        _finding(
            "electronique",
            not c.suspended,
            "La télétransmission est ouverte pour cette collectivité.",
            "La télétransmission est suspendue pour cette collectivité (CGCT R2131-4) : envoyez l’acte sur papier.",
        ),
    ]


def check(candidate: Candidate) -> list[Finding]:
    """All findings on an act about to be sent, passed checks included; any blocking one forbids the
    sending."""
    return [
        *_check_number(candidate),
        *_check_content(candidate),
        *_check_matiere(candidate),
        *check_files(candidate),
        *_check_emitter(candidate),
    ]


def refusals(findings: list[Finding]) -> list[Finding]:
    """The findings that forbid the sending."""
    return [f for f in findings if not f.ok and f.severity == BLOCKING]


# --- the built archive ----------------------------------------------------------------------------


def _q(name: str) -> str:
    return f"{{{ACTES}}}{name}"


def _names(parent: etree._Element | None, path: str) -> list[str]:
    return [] if parent is None else [(e.text or "").strip() for e in parent.iterfind(path)]


def audit_acte(xml: bytes) -> list[Finding]:
    """The rules on a 1-1 that the schema does not catch. Returns only the breaches."""
    root, _ = parse_safely(xml)
    breaches = []

    def breach(code: str, sentence: str) -> None:
        breaches.append(Finding(code, False, sentence))

    levels = [root.find(_q(f"CodeMatiere{level}")) is not None for level in range(1, 6)]
    if levels != sorted(levels, reverse=True):
        breach("matieres_contigues", "Les niveaux de matière ne se suivent pas : un niveau intermédiaire manque.")
    annexes = root.find(_q("Annexes"))
    listed = _names(annexes, f"{_q('Annexe')}/{_q('NomFichier')}")
    announced = "" if annexes is None else annexes.get(_q("Nombre"), "")
    if announced != str(len(listed)):
        breach(
            "nombre_annexes",
            f"Le message annonce {announced or 'aucune'} annexe(s) et en liste {len(listed)}.",
        )
    numero = root.get(_q("NumeroInterne"), "")
    if not SHAPE.fullmatch(numero):
        breach("numero", InvalidActeNumber(numero).sentence)
    nature = root.get(_q("CodeNatureActe"), "")
    letters = NATURES[nature].abbreviation if nature in NATURES else ""
    day = root.get(_q("Date"), "")
    for name in [*_names(root, f"{_q('Document')}/{_q('NomFichier')}"), *listed]:
        try:
            piece = PieceName.parse(name)
        except InvalidName as error:
            breach("nom_piece", error.sentence)
            continue
        if piece.nature != letters:
            breach(
                "nature_des_noms",
                f"La nature {nature} (« {letters or 'inconnue'} ») contredit le nom « {name} » (« {piece.nature} »).",
            )
        if piece.numero != numero:
            breach("numero_des_noms", f"Le nom « {name} » ne porte pas le numéro {numero}.")
        if not DEPARTEMENT.fullmatch(piece.departement):
            breach("departement", f"Le département « {piece.departement} » du nom « {name} » n’existe pas.")
        if piece.date is None or piece.date.isoformat() != day:
            breach("date_des_noms", f"Le nom « {name} » ne porte pas la date de la décision ({day}).")
        if not piece.code:
            breach("type_piece", f"Le nom « {name} » ne porte pas de type de pièce.")
    return breaches


def audit_archive(files: Mapping[str, bytes | None], emitter: Emitter | None = None) -> list[Finding]:
    """Breaches found in a built archive, given its members by name (content needed for the XML files only).

    Checks that the envelope comes first, that it identifies the authority (``emitter`` when given), that
    every file listed is present and none is added, and the rules of ``audit_acte``.
    """
    names = list(files)
    breaches = []
    try:
        EnvelopeName.parse(names[0] if names else "")
    except DomainError as error:
        return [
            Finding(
                "enveloppe_en_tete",
                False,
                f"Le premier fichier de l’archive doit être l’enveloppe : {error.sentence}",
            )
        ]
    try:
        envelope, _ = parse_safely(files[names[0]] or b"")
        identity = envelope.find(f"{_q('Emetteur')}/{_q('IDCL')}")
        departement = "" if identity is None else identity.get(_q("Departement"), "")
        siren = "" if identity is None else identity.get(f"{{{INSEE}}}SIREN", "")
        if not DEPARTEMENT.fullmatch(departement):
            breaches.append(
                Finding("departement", False, f"Le département « {departement} » n’existe pas (« 034 » attendu).")
            )
        if emitter and (siren, departement) != (emitter.siren, emitter.departement):
            breaches.append(
                Finding("emetteur", False, f"L’enveloppe est celle du SIREN {siren}, pas de {emitter.siren}.")
            )
        expected = {names[0]}
        for form in _names(envelope, f"{_q('FormulairesEnvoyes')}/{_q('Formulaire')}/{_q('NomFichier')}"):
            expected.add(form)
            if files.get(form) is None:
                continue
            message, _ = parse_safely(files[form] or b"")
            if etree.QName(message).localname == "Acte":
                breaches += audit_acte(files[form] or b"")
            expected |= {name for name in ((e.text or "").strip() for e in message.iter(_q("NomFichier"))) if name}
    except InvalidMessage as error:
        return [*breaches, Finding("xml", False, error.sentence)]
    for missing in sorted(expected - set(names)):
        breaches.append(
            Finding("fichier_manquant", False, f"Le fichier « {missing} » est annoncé mais absent de l’archive.")
        )
    for added in sorted(set(names) - expected):
        breaches.append(
            Finding("fichier_ajoute", False, f"Le fichier « {added} » est dans l’archive sans être annoncé.")
        )
    return breaches
