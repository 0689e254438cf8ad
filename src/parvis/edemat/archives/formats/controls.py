"""Intake controls of a transfer: functions over what the message says, what was received and the agreement.

The order and the reply codes follow the intake table of the archiving service; each function returns the
findings of one control, and at least one line saying that it passed.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from parvis.edemat.archives.formats.container import Container
from parvis.edemat.archives.formats.findings import WAIT, Control, Finding, Outcome, conclude
from parvis.edemat.archives.formats.rules import RuleBook
from parvis.edemat.archives.formats.seda import Category
from parvis.edemat.archives.formats.seda_reader import DeclaredObject, DeclaredRuleSet, Manifest, as_day
from parvis.edemat.archives.formats.structure import check_structure

LAST_YEAR = 9000
UNKNOWN_PUIDS = ("", "UNKNOWN")
UNKNOWN_TYPES = ("", "application/octet-stream")


@dataclass(frozen=True)
class KnownAgency:
    """An organisation of the referential; ``kinds`` among SA, SV, SP."""

    identifier: str
    kinds: frozenset[str]
    since: date | None = None
    until: date | None = None

    def active(self, on: date) -> bool:
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class KnownAgreement:
    """The terms of an « accord de versement ». Empty sets mean that everything known is allowed."""

    identifier: str
    active: bool = True
    since: date | None = None
    until: date | None = None
    archival_agencies: frozenset[str] = frozenset()
    transferring_agencies: frozenset[str] = frozenset()
    originating_agencies: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    unit_profiles: frozenset[str] = frozenset()
    algorithms: frozenset[str] = frozenset({"sha256", "sha384", "sha512"})
    max_bytes: int | None = None
    max_object_bytes: int | None = None
    formats: frozenset[str] = frozenset()
    refuse_unknown_formats: bool = False
    antivirus_required: bool = True


@dataclass(frozen=True)
class Terms:
    """What the service knows when a transfer arrives. Agreements and agencies by identifier."""

    today: date
    agencies: Mapping[str, KnownAgency]
    agreements: Mapping[str, KnownAgreement]
    rules: RuleBook = field(default_factory=RuleBook)
    already_received: bool = False

    def agreement_of(self, manifest: Manifest) -> KnownAgreement:
        """The agreement the message names, or one without latitude when it is unknown."""
        unknown = KnownAgreement(manifest.agreement, active=False, antivirus_required=False)
        return self.agreements.get(manifest.agreement) or unknown


@dataclass(frozen=True)
class ObservedFile:
    """What was found by reading a file: sizes in bytes, hexadecimal digests by algorithm, PRONOM identifier.

    ``virus`` is the name of a threat, empty when clean, None when no engine looked at it.
    """

    path: str
    size: int
    digests: Mapping[str, str]
    puid: str = ""
    format_name: str = ""
    media_type: str = ""
    virus: str | None = None
    damaged: bool = False


def bind(manifest: Manifest, container: Container, manifest_path: str) -> dict[str, str]:
    """The path in the container of each binary object that has one, by object identifier."""
    found = {}
    for declared in manifest.objects:
        if declared.uri and not declared.physical:
            path = container.find(declared.uri) or container.find(urllib.parse.unquote(declared.uri))
            if path and path != manifest_path:
                found[declared.id] = path
    return found


def check_duplicate(manifest: Manifest, terms: Terms) -> list[Finding]:
    """A message identifier is used once by an organisation."""
    found = []
    if not manifest.identifier:
        found.append(_ko(Control.DUPLICATE, "101", "Le bordereau ne porte pas d’identifiant de message."))
    elif terms.already_received:
        found.append(
            _ko(
                Control.DUPLICATE,
                "300",
                f"Un versement portant l’identifiant « {manifest.identifier} » a déjà été reçu. "
                "Changez l’identifiant si le contenu est différent.",
            )
        )
    return conclude(Control.DUPLICATE, found, "Aucun versement antérieur ne porte cet identifiant.")


def check_agencies(manifest: Manifest, terms: Terms) -> list[Finding]:
    """The archival, transferring and originating services are known, active and of the right kind."""
    return conclude(Control.AGENCIES, _agency_faults(manifest, terms), "Les services nommés sont connus et actifs.")


def _agency_faults(manifest: Manifest, terms: Terms) -> Iterator[Finding]:
    named = (
        ("service d’archives", "SA", "201", manifest.archival_agency.identifier),
        ("service versant", "SV", "202", manifest.transferring_agency.identifier),
        ("service producteur", "SP", "200", manifest.originating_agency),
    )
    for label, kind, code, identifier in named:
        agency = terms.agencies.get(identifier)
        if agency is None or kind not in agency.kinds:
            yield _ko(Control.AGENCIES, code, f"Le {label} « {identifier} » n’est pas au référentiel.", identifier)
        elif not agency.active(terms.today):
            yield _ko(Control.AGENCIES, code, f"Le {label} « {identifier} » n’est pas actif à ce jour.", identifier)
    submission = manifest.submission_agency
    if submission and submission not in terms.agencies:
        yield _ko(
            Control.AGENCIES,
            "202",
            f"L’opérateur de versement « {submission} » n’est pas au référentiel.",
            submission,
        )


def check_agreement(manifest: Manifest, terms: Terms, total_bytes: int, largest: int) -> list[Finding]:
    """The agreement exists, runs today, and covers these services and this volume (bytes)."""
    found = _agreement_faults(manifest, terms, total_bytes, largest)
    return conclude(Control.AGREEMENT, found, f"L’accord « {manifest.agreement} » couvre ce versement.")


def _agreement_faults(manifest: Manifest, terms: Terms, total_bytes: int, largest: int) -> Iterator[Finding]:
    agreement = terms.agreements.get(manifest.agreement)
    if agreement is None:
        named = f"« {manifest.agreement} » est inconnu" if manifest.agreement else "n’est pas nommé"
        yield _ko(Control.AGREEMENT, "300", f"L’accord de versement {named}. Vérifiez l’élément ArchivalAgreement.")
        return
    if not agreement.active:
        yield _ko(Control.AGREEMENT, "300", f"L’accord « {agreement.identifier} » est fermé.")
    if (agreement.since and terms.today < agreement.since) or (agreement.until and terms.today > agreement.until):
        yield _ko(Control.AGREEMENT, "312", f"L’accord « {agreement.identifier} » ne court pas à ce jour.")
    for label, code, allowed, identifier in (
        ("service producteur", "302", agreement.originating_agencies, manifest.originating_agency),
        ("service versant", "303", agreement.transferring_agencies, manifest.transferring_agency.identifier),
        ("service d’archives", "304", agreement.archival_agencies, manifest.archival_agency.identifier),
    ):
        if allowed and identifier not in allowed:
            yield _ko(Control.AGREEMENT, code, f"L’accord ne vise pas le {label} « {identifier} ».", identifier)
    if agreement.max_bytes is not None and total_bytes > agreement.max_bytes:
        yield _ko(
            Control.AGREEMENT,
            "306",
            f"Le versement pèse {total_bytes} octets ; l’accord en admet {agreement.max_bytes}.",
        )
    if agreement.max_object_bytes is not None and largest > agreement.max_object_bytes:
        yield _ko(
            Control.AGREEMENT,
            "306",
            f"Un fichier pèse {largest} octets ; l’accord en admet {agreement.max_object_bytes} par fichier.",
        )


def check_profile(manifest: Manifest, terms: Terms) -> list[Finding]:
    """The profiles claimed are those of the agreement; one is named when the agreement has any."""
    agreement = terms.agreement_of(manifest)
    found = []
    if agreement.profiles and not manifest.profile:
        allowed = ", ".join(sorted(agreement.profiles))
        found.append(_ko(Control.PROFILE, "203", f"L’accord exige un profil ({allowed}) ; aucun n’est nommé."))
    elif manifest.profile and manifest.profile not in agreement.profiles:
        found.append(_ko(Control.PROFILE, "203", f"Le profil « {manifest.profile} » n’est pas admis par l’accord."))
    found += [
        _ko(Control.PROFILE, "203", f"Le profil d’unité « {unit.profile} » n’est pas connu.", unit.id)
        for unit in manifest.described_units()
        if unit.profile and unit.profile not in agreement.unit_profiles
    ]
    named = f"Le profil « {manifest.profile} » est admis." if manifest.profile else "Aucun profil n’est invoqué."
    return conclude(Control.PROFILE, found, named)


def check_presence(
    manifest: Manifest, bindings: Mapping[str, str], paths: Sequence[str], manifest_path: str
) -> list[Finding]:
    """Every declared file was received, and no other."""
    return conclude(
        Control.PRESENCE,
        _presence_faults(manifest, bindings, paths, manifest_path),
        "Tous les fichiers annoncés ont été reçus, et aucun autre.",
    )


def _presence_faults(
    manifest: Manifest, bindings: Mapping[str, str], paths: Sequence[str], manifest_path: str
) -> Iterator[Finding]:
    for declared in manifest.objects:
        if declared.physical or not declared.uri:
            continue
        if declared.embedded:
            yield _ko(
                Control.PRESENCE,
                "101",
                "Le contenu est incorporé au bordereau : déposez-le comme un fichier du paquet.",
                declared.id,
            )
        elif declared.id not in bindings:
            yield _ko(Control.PRESENCE, "211", f"Le fichier annoncé « {declared.uri} » est absent.", declared.id)
    expected = set(bindings.values()) | {manifest_path}
    for path in paths:
        if path not in expected:
            yield _ko(Control.PRESENCE, "101", "Le paquet contient un fichier que le bordereau n’annonce pas.", path)


def check_antivirus(files: Mapping[str, ObservedFile], agreement: KnownAgreement) -> list[Finding]:
    """No threat in any file; without an engine the transfer waits if the agreement requires the search."""
    found = [
        _ko(Control.ANTIVIRUS, "101", f"Une menace a été trouvée : {f.virus}.", f.path)
        for f in files.values()
        if f.virus
    ]
    if not found and any(f.virus is None for f in files.values()):
        sentence = "Aucun antivirus n’est installé : la recherche de virus n’a pas été faite."
        if agreement.antivirus_required:
            found = [_ko(Control.ANTIVIRUS, WAIT, sentence + " L’accord l’exige.")]
        else:
            found = [Finding(Control.ANTIVIRUS, Outcome.NOT_MADE, sentence)]
    return conclude(Control.ANTIVIRUS, found, "Aucune menace trouvée.")


def check_digests(
    manifest: Manifest,
    bindings: Mapping[str, str],
    files: Mapping[str, ObservedFile],
    agreement: KnownAgreement,
) -> list[Finding]:
    """Every declared digest, recomputed, is the one of the file, by an algorithm the agreement accepts."""
    count = 0
    found = []
    for declared, observed in _received(manifest, bindings, files):
        count += 1
        fault = _digest_fault(declared, observed, agreement)
        if fault:
            found.append(_ko(Control.DIGEST, *fault, where=observed.path))
    return conclude(Control.DIGEST, found, f"Empreintes recalculées et égales : {count}.")


def _digest_fault(
    declared: DeclaredObject, observed: ObservedFile, agreement: KnownAgreement
) -> tuple[str, str] | None:
    if observed.damaged:
        return "207", "Le fichier est abîmé dans l’archive et ne peut pas être lu en entier."
    if declared.digest is None:
        return "308", "L’empreinte du fichier n’est pas transmise."
    if declared.digest.algorithm not in agreement.algorithms:
        return (
            "207",
            f"L’algorithme d’empreinte « {declared.digest.declared_as} » n’est pas admis par l’accord.",
        )
    if observed.digests[declared.digest.algorithm] != declared.digest.value:
        return "207", "L’empreinte recalculée diffère de celle du bordereau : le fichier a changé."
    return None


def check_sizes(manifest: Manifest, bindings: Mapping[str, str], files: Mapping[str, ObservedFile]) -> list[Finding]:
    """A wrong size with a right digest is a remark, not a refusal."""
    found = [
        Finding(
            Control.SIZE,
            Outcome.WARNING,
            f"Taille annoncée : {declared.size} octets ; taille reçue : {observed.size}.",
            "001",
            observed.path,
        )
        for declared, observed in _received(manifest, bindings, files)
        if declared.size is not None and declared.size != observed.size
    ]
    return conclude(Control.SIZE, found, "Les tailles annoncées sont exactes.")


def check_formats(
    manifest: Manifest,
    bindings: Mapping[str, str],
    files: Mapping[str, ObservedFile],
    agreement: KnownAgreement,
) -> list[Finding]:
    """Formats identified by content are compared with those declared and allowed (PRONOM)."""
    found = []
    for declared, observed in _received(manifest, bindings, files):
        if observed.puid in UNKNOWN_PUIDS:
            # PRONOM does not know every type: one recognised otherwise is no remark, unless excluded.
            if agreement.refuse_unknown_formats:
                found.append(_ko(Control.FORMAT, "204", "Format absent de PRONOM.", observed.path))
            elif observed.media_type in UNKNOWN_TYPES:
                found.append(Finding(Control.FORMAT, Outcome.WARNING, "Format non reconnu.", "001", observed.path))
        elif agreement.formats and observed.puid not in agreement.formats:
            found.append(_ko(Control.FORMAT, "307", f"L’accord n’admet pas le format {observed.puid}.", observed.path))
        elif declared.puid and declared.puid != observed.puid:
            found.append(
                Finding(
                    Control.FORMAT,
                    Outcome.WARNING,
                    f"Format annoncé : {declared.puid} ; format reconnu : {observed.puid} (tous notés).",
                    "001",
                    observed.path,
                )
            )
    return conclude(Control.FORMAT, found, "Les formats sont reconnus et conformes aux annonces.")


def check_signatures() -> list[Finding]:
    """No agreement of this service requires signatures in the package: their report is archived with them."""
    return conclude(Control.SIGNATURE, (), "L’accord n’exige pas la vérification des signatures à l’entrée.")


def check_graph(manifest: Manifest) -> list[Finding]:
    """References, cycles, orphans and usages."""
    return conclude(
        Control.STRUCTURE,
        check_structure(manifest),
        f"{_count(sum(1 for _ in manifest.described_units()), 'unité')} "
        f"et {_count(len(manifest.objects), 'objet')}, tous reliés.",
    )


def check_descriptions(manifest: Manifest) -> list[Finding]:
    """Every unit has a title and a level, and dates that follow each other."""
    return conclude(
        Control.DESCRIPTION,
        _description_faults(manifest),
        "Chaque unité a un intitulé, un niveau et des dates.",
    )


def _description_faults(manifest: Manifest) -> Iterator[Finding]:
    for unit in manifest.described_units():
        if not unit.titles or not all(unit.titles):
            yield _ko(Control.DESCRIPTION, "203", "L’intitulé (Title) de l’unité est vide ou absent.", unit.id)
        if not unit.level:
            yield _ko(Control.DESCRIPTION, "203", "Le niveau de description de l’unité est absent.", unit.id)
        if unit.start and unit.end and _before(unit.end, unit.start):
            yield _ko(
                Control.DESCRIPTION,
                "203",
                f"La date de fin ({unit.end}) précède la date de début ({unit.start}).",
                unit.id,
            )
        for name in unit.too_long:
            yield _ko(Control.DESCRIPTION, "203", f"L’élément {name} dépasse 32 000 caractères.", unit.id)


def check_rules(manifest: Manifest, book: RuleBook) -> list[Finding]:
    """Rules are known, of their own family, and start at a plausible date."""
    found = [fault for rule_set in manifest.rules for fault in _rule_faults(rule_set, book, "ManagementMetadata")]
    for unit in manifest.described_units():
        found += [fault for rule_set in unit.rules for fault in _rule_faults(rule_set, book, unit.id)]
    return conclude(Control.RULES, found, "Les règles de gestion sont connues et cohérentes.")


def _rule_faults(rule_set: DeclaredRuleSet, book: RuleBook, where: str) -> Iterator[Finding]:
    for identifier in (*(r.identifier for r in rule_set.rules), *rule_set.excluded):
        known = book.find(identifier, rule_set.category)
        if known is None:
            yield _ko(Control.RULES, "203", f"La règle « {identifier} » est inconnue.", where)
        elif known.category is not rule_set.category:
            yield _ko(
                Control.RULES,
                "203",
                f"La règle « {identifier} » est une {known.category}, citée comme {rule_set.category}.",
                where,
            )
    for rule in rule_set.rules:
        year = re.match(r"\d+", rule.start_text)
        if rule.start_text and (rule.start is None or (year and int(year[0]) >= LAST_YEAR)):
            yield _ko(Control.RULES, "203", f"La date de départ « {rule.start_text} » est invraisemblable.", where)
        if rule.hold_end and rule.start and rule.hold_end < rule.start:
            yield _ko(Control.RULES, "203", "La fin du gel précède son début.", where)
        known = book.find(rule.identifier, rule_set.category)
        if rule.hold_end and known and rule_set.category is Category.HOLD and known.duration is not None:
            yield _ko(Control.RULES, "203", "Le gel porte une fin alors que sa règle a déjà une durée.", where)


def _received(
    manifest: Manifest, bindings: Mapping[str, str], files: Mapping[str, ObservedFile]
) -> Iterator[tuple[DeclaredObject, ObservedFile]]:
    for declared in manifest.objects:
        path = bindings.get(declared.id, "")
        if path in files:
            yield declared, files[path]


def _before(left: str, right: str) -> bool:
    try:
        return _instant(left) < _instant(right)
    except (ValueError, TypeError):
        first, second = as_day(left), as_day(right)
        return bool(first and second and first < second)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def _ko(control: Control, code: str, sentence: str, where: str = "") -> Finding:
    return Finding(control, Outcome.KO, sentence, code, where)
