"""Reading of SEDA 2.x transfers into plain records, with a hardened parser: no DTD, no entity, no network."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import IO, Any

from lxml import etree

from parvis.edemat.archives.formats.seda import NAMESPACE_STEM, READ_VERSIONS, Category, Party

MAX_FIELD = 32_000
MAX_NODES = 100_000

# Spellings of the digest algorithms met in the field, all meaning the same functions.
DIGEST_ALGORITHMS = {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
}
_DIGEST_BYTES = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
_DATE = re.compile(r"(-?\d{4,})(?:-(\d\d)(?:-(\d\d))?)?")


class ManifestUnreadable(Exception):
    """The bordereau cannot be read at all; ``sentence`` says why in French."""

    def __init__(self, sentence: str, where: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.where = where


@dataclass(frozen=True)
class DeclaredDigest:
    """A digest as the message states it: ``algorithm`` is our name of it, empty when unknown."""

    algorithm: str
    value: str
    declared_as: str


@dataclass(frozen=True)
class DeclaredObject:
    """A binary or physical object. ``group`` is the identifier of its group, its own when alone."""

    id: str
    physical: bool
    group: str
    usage: str
    line: int
    uri: str | None = None
    digest: DeclaredDigest | None = None
    size: int | None = None
    puid: str = ""
    mime_type: str = ""
    format_name: str = ""
    filename: str = ""
    physical_id: str | None = None
    embedded: bool = False


@dataclass(frozen=True)
class DeclaredRule:
    """One rule stated on a unit. ``start`` keeps the text when it is not a date we can count from."""

    identifier: str
    start: date | None = None
    start_text: str = ""
    hold_end: date | None = None


@dataclass(frozen=True)
class DeclaredRuleSet:
    category: Category
    rules: tuple[DeclaredRule, ...]
    final_action: str = ""
    prevent_inheritance: bool = False
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A pointer inside the message: ``kind`` is unit, object, group or any."""

    source: str
    kind: str
    target: str
    line: int


@dataclass(frozen=True)
class DeclaredUnit:
    """An archive unit. ``alias`` is set when the element only points to another unit."""

    id: str
    line: int
    alias: str = ""
    titles: tuple[str, ...] = ()
    level: str = ""
    description: str = ""
    profile: str = ""
    identifiers: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    rules: tuple[DeclaredRuleSet, ...] = ()
    children: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    too_long: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.titles[0] if self.titles else ""


@dataclass(frozen=True)
class Manifest:
    """What an ``ArchiveTransfer`` says, unresolved: broken references are for the controls to find."""

    version: str
    identifier: str
    date: str
    comment: str
    agreement: str
    archival_agency: Party
    transferring_agency: Party
    originating_agency: str
    submission_agency: str
    profile: str
    roots: tuple[str, ...]
    units: dict[str, DeclaredUnit]
    objects: tuple[DeclaredObject, ...]
    groups: frozenset[str]
    references: tuple[Reference, ...]
    rules: tuple[DeclaredRuleSet, ...] = ()
    other_ids: frozenset[str] = frozenset()
    duplicated_ids: tuple[str, ...] = ()
    tree: "etree._ElementTree | None" = field(default=None, repr=False, compare=False)

    def resolve(self, identifier: str) -> str:
        """The unit an identifier stands for: the target when it is a mere pointer."""
        unit = self.units.get(identifier)
        return unit.alias if unit and unit.alias else identifier

    def described_units(self) -> Iterator[DeclaredUnit]:
        """Units that describe something, pointers left out."""
        return (u for u in self.units.values() if not u.alias)


def parse_xml(stream: IO[bytes]) -> "etree._ElementTree":
    """Parse untrusted XML: no DTD is accepted, depth and text lengths keep libxml2's own limits.

    Raises ManifestUnreadable with the place of the fault.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        tree = etree.parse(stream, parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 0
        raise ManifestUnreadable(
            f"Le bordereau n’est pas du XML bien formé : l’analyse s’arrête à la ligne {line}. "
            "Corrigez le fichier dans l’outil qui l’a produit, puis déposez de nouveau le paquet.",
            f"ligne {line} : {error.msg}",
        ) from error
    info: Any = tree.docinfo
    if info.doctype or info.internalDTD is not None:
        raise ManifestUnreadable(
            "Le bordereau contient une déclaration DOCTYPE, refusée par sécurité. Retirez-la du fichier."
        )
    return tree


def read_manifest(stream: IO[bytes]) -> Manifest:
    """Read an ``ArchiveTransfer`` of SEDA 2.0 to 2.3. The caller bounds the size of ``stream``.

    Raises ManifestUnreadable when it is not such a message.
    """
    tree = parse_xml(stream)
    root = tree.getroot()
    name = etree.QName(root)
    version = (name.namespace or "").removeprefix(NAMESPACE_STEM)
    if not (name.namespace or "").startswith(NAMESPACE_STEM) or version not in READ_VERSIONS:
        raise ManifestUnreadable(
            "Le bordereau n’est pas un message SEDA reconnu "
            f"(espace de noms « {name.namespace or 'absent'} »). "
            f"Les versions {', '.join(READ_VERSIONS)} sont lues."
        )
    if name.localname != "ArchiveTransfer":
        raise ManifestUnreadable(
            f"Le bordereau est un message « {name.localname} » ; un versement attend « ArchiveTransfer »."
        )
    return _Reader(tree, version).manifest()


class _Reader:
    """Walks one message; identifiers and references are gathered on the way."""

    def __init__(self, tree: "etree._ElementTree", version: str) -> None:
        self.tree = tree
        self.ns = f"{{{NAMESPACE_STEM}{version}}}"
        self.version = version
        self.units: dict[str, DeclaredUnit] = {}
        self.objects: list[DeclaredObject] = []
        self.groups: set[str] = set()
        self.references: list[Reference] = []
        self.other_ids: set[str] = set()
        self.seen: set[str] = set()
        self.duplicated: list[str] = []

    def manifest(self) -> Manifest:
        root = self.tree.getroot()
        package = root.find(self.ns + "DataObjectPackage")
        if package is None:
            raise ManifestUnreadable(
                "Le bordereau ne contient aucun paquet d’archives (élément DataObjectPackage absent)."
            )
        roots: tuple[str, ...] = ()
        for child in package:
            match self._local(child):
                case "DataObjectGroup":
                    self._read_group(child)
                case "BinaryDataObject" | "PhysicalDataObject":
                    self._read_object(child, None)
                case "DescriptiveMetadata":
                    roots = tuple(self._read_unit(unit) for unit in child.findall(self.ns + "ArchiveUnit"))
        management = package.find(self.ns + "ManagementMetadata")
        return Manifest(
            version=self.version,
            identifier=self._text(root, "MessageIdentifier"),
            date=self._text(root, "Date"),
            comment=self._text(root, "Comment"),
            agreement=self._text(root, "ArchivalAgreement"),
            archival_agency=self._party(root, "ArchivalAgency"),
            transferring_agency=self._party(root, "TransferringAgency"),
            originating_agency=self._text(management, "OriginatingAgencyIdentifier"),
            submission_agency=self._text(management, "SubmissionAgencyIdentifier"),
            profile=self._text(management, "ArchivalProfile"),
            roots=roots,
            units=self.units,
            objects=tuple(self.objects),
            groups=frozenset(self.groups),
            references=tuple(self.references),
            rules=self._rules(management),
            other_ids=frozenset(self.other_ids),
            duplicated_ids=tuple(self.duplicated),
            tree=self.tree,
        )

    # -- objects --------------------

    def _read_group(self, element: "etree._Element") -> None:
        identifier = self._claim(element.get("id", ""))
        self.groups.add(identifier)
        for child in element:
            if self._local(child) in ("BinaryDataObject", "PhysicalDataObject"):
                self._read_object(child, identifier)
            else:
                self._collect_references(child, identifier)

    def _read_object(self, element: "etree._Element", group: str | None) -> None:
        identifier = self._claim(element.get("id", ""))
        declared = element.find(self.ns + "DataObjectGroupId")
        referenced = element.find(self.ns + "DataObjectGroupReferenceId")
        if group is None and declared is not None:
            group = (declared.text or "").strip()
            self.groups.add(group)
        elif group is None and referenced is not None:
            group = (referenced.text or "").strip()
            self.references.append(Reference(identifier, "group", group, _line(element)))
        for relation in element.findall(self.ns + "Relationship"):
            self.references.append(Reference(identifier, "any", relation.get("target", ""), _line(relation)))
        attachment = element.find(self.ns + "Attachment")
        uri = element.find(self.ns + "Uri")
        path = None
        if uri is not None:
            path = (uri.text or "").strip()
        elif attachment is not None:
            path = (attachment.get("filename") or attachment.get("uri") or "").strip()
        size = self._text(element, "Size")
        format_path = self.ns + "FormatIdentification/" + self.ns
        physical_id = element.find(self.ns + "PhysicalId")
        self.objects.append(
            DeclaredObject(
                id=identifier,
                physical=self._local(element) == "PhysicalDataObject",
                group=group or identifier,
                usage=self._text(element, "DataObjectVersion"),
                line=_line(element),
                uri=path,
                digest=_read_digest(element.find(self.ns + "MessageDigest")),
                size=int(size) if size.isdigit() and len(size) < 19 else None,
                puid=(element.findtext(format_path + "FormatId") or "").strip(),
                mime_type=(element.findtext(format_path + "MimeType") or "").strip(),
                format_name=(element.findtext(format_path + "FormatLitteral") or "").strip(),
                filename=(element.findtext(self.ns + "FileInfo/" + self.ns + "Filename") or "").strip(),
                physical_id=None if physical_id is None else (physical_id.text or "").strip(),
                embedded=attachment is not None and bool((attachment.text or "").strip()),
            )
        )
        self._check_count()

    # -- units --------------------

    def _read_unit(self, element: "etree._Element") -> str:
        # libxml2 bounds the depth of the document to 256, so recursion is bounded too.
        identifier = self._claim(element.get("id", ""))
        pointer = element.find(self.ns + "ArchiveUnitRefId")
        if pointer is not None:
            alias = (pointer.text or "").strip()
            self.references.append(Reference(identifier, "unit", alias, _line(pointer)))
            self.units[identifier] = DeclaredUnit(identifier, _line(element), alias=alias)
            return identifier
        content = element.find(self.ns + "Content")
        children: list[str] = []
        objects: list[str] = []
        for child in element:
            match self._local(child):
                case "ArchiveUnit":
                    children.append(self._read_unit(child))
                case "DataObjectReference":
                    objects.extend(self._object_reference(child, identifier))
        if content is not None:
            self._collect_references(content, identifier)
        titles = () if content is None else tuple((t.text or "").strip() for t in content.findall(self.ns + "Title"))
        self.units[identifier] = DeclaredUnit(
            id=identifier,
            line=_line(element),
            titles=titles,
            level=self._text(content, "DescriptionLevel"),
            description=self._text(content, "Description"),
            profile=self._text(element, "ArchiveUnitProfile"),
            identifiers=self._identifiers(content),
            start=self._text(content, "StartDate"),
            end=self._text(content, "EndDate"),
            rules=self._rules(element.find(self.ns + "Management")),
            children=tuple(children),
            objects=tuple(objects),
            too_long=_too_long(content),
        )
        self._check_count()
        return identifier

    def _object_reference(self, element: "etree._Element", source: str) -> Iterator[str]:
        if element.get("id"):
            self.other_ids.add(self._claim(element.get("id", "")))
        for child in element:
            kind = {"DataObjectReferenceId": "object", "DataObjectGroupReferenceId": "group"}.get(self._local(child))
            if kind:
                target = (child.text or "").strip()
                self.references.append(Reference(source, kind, target, _line(child)))
                yield target

    def _collect_references(self, element: "etree._Element", source: str) -> None:
        kinds = {
            self.ns + "ArchiveUnitRefId": "unit",
            self.ns + "DataObjectReferenceId": "object",
            self.ns + "DataObjectGroupReferenceId": "group",
            self.ns + "SignedObjectId": "object",
        }
        for descendant in element.iterdescendants():
            if descendant.get("id"):
                self.other_ids.add(self._claim(descendant.get("id", "")))
            kind = kinds.get(str(descendant.tag))
            if kind:
                target = (descendant.text or "").strip()
                self.references.append(Reference(source, kind, target, _line(descendant)))

    def _identifiers(self, content: "etree._Element | None") -> tuple[str, ...]:
        if content is None:
            return ()
        names = (
            "OriginatingAgencyArchiveUnitIdentifier",
            "TransferringAgencyArchiveUnitIdentifier",
            "ArchivalAgencyArchiveUnitIdentifier",
        )
        return tuple((e.text or "").strip() for name in names for e in content.findall(self.ns + name))

    def _rules(self, management: "etree._Element | None") -> tuple[DeclaredRuleSet, ...]:
        if management is None:
            return ()
        found = []
        for category in Category:
            element = management.find(self.ns + category)
            if element is not None:
                found.append(self._rule_set(category, element))
        return tuple(found)

    def _rule_set(self, category: Category, element: "etree._Element") -> DeclaredRuleSet:
        rules: list[DeclaredRule] = []
        for child in element:
            text = (child.text or "").strip()
            match self._local(child):
                case "Rule":
                    rules.append(DeclaredRule(text))
                case "StartDate" if rules:
                    rules[-1] = DeclaredRule(rules[-1].identifier, as_day(text), text, rules[-1].hold_end)
                case "HoldEndDate" if rules:
                    last = rules[-1]
                    rules[-1] = DeclaredRule(last.identifier, last.start, last.start_text, as_day(text))
        return DeclaredRuleSet(
            category=category,
            rules=tuple(rules),
            final_action=self._text(element, "FinalAction"),
            prevent_inheritance=self._text(element, "PreventInheritance") in ("true", "1"),
            excluded=tuple((e.text or "").strip() for e in element.findall(self.ns + "RefNonRuleId")),
        )

    # -- small things --------------------

    def _claim(self, identifier: str) -> str:
        if identifier in self.seen:
            self.duplicated.append(identifier)
        self.seen.add(identifier)
        return identifier

    def _check_count(self) -> None:
        if len(self.units) + len(self.objects) > MAX_NODES:
            raise ManifestUnreadable(
                f"Le versement dépasse {MAX_NODES} unités et objets. Répartissez-le en plusieurs versements."
            )

    def _local(self, element: "etree._Element") -> str:
        tag = element.tag
        return tag[len(self.ns) :] if isinstance(tag, str) and tag.startswith(self.ns) else ""

    def _text(self, element: "etree._Element | None", name: str) -> str:
        return "" if element is None else (element.findtext(self.ns + name) or "").strip()

    def _party(self, element: "etree._Element", name: str) -> Party:
        party = element.find(self.ns + name)
        if party is None:
            return Party("")
        described = party.find(self.ns + "OrganizationDescriptiveMetadata")
        label = "" if described is None else " ".join(str(t).strip() for t in described.itertext() if str(t).strip())
        return Party(self._text(party, "Identifier"), label)


def as_day(text: str) -> date | None:
    """The day an xsd date, dateTime, gYearMonth or gYear begins on; None when Python cannot hold it."""
    found = _DATE.match(text)
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None


def normalise_algorithm(declared: str) -> str:
    """Our name of a digest algorithm however spelt (``SHA-512``, ``…xmlenc#sha512``); empty if unknown."""
    tail = declared.rsplit("#", 1)[-1].rsplit("/", 1)[-1]
    return DIGEST_ALGORITHMS.get(re.sub(r"[^a-z0-9]", "", tail.lower()), "")


def _read_digest(element: "etree._Element | None") -> DeclaredDigest | None:
    if element is None:
        return None
    declared = element.get("algorithm", "")
    algorithm = normalise_algorithm(declared)
    text = "".join((element.text or "").split())
    if not text:
        return None
    length = _DIGEST_BYTES.get(algorithm)
    if length and len(text) != 2 * length:
        # The schema also allows base64.
        try:
            raw = base64.b64decode(text, validate=True)
            text = raw.hex() if len(raw) == length else text
        except (binascii.Error, ValueError):
            pass
    return DeclaredDigest(algorithm, text.lower(), declared)


def _too_long(content: "etree._Element | None") -> tuple[str, ...]:
    if content is None:
        return ()
    return tuple(str(etree.QName(e).localname) for e in content.iterdescendants() if len(str(e.text or "")) > MAX_FIELD)


def _line(element: "etree._Element") -> int:
    line: Any = element.sourceline
    return line or 0
