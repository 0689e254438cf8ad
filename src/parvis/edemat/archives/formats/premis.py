"""Writing of preservation metadata as PREMIS 3.0: what is kept, what happened to it and who did it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

PREMIS = "http://www.loc.gov/premis/v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LOCAL = "parvis"


@dataclass(frozen=True)
class PreservedFile:
    """A file of the package: place in the object, hexadecimal digests, size in bytes, PRONOM identifier."""

    identifier: str
    location: str
    sha256: str
    sha512: str
    size: int
    puid: str = ""
    format_name: str = ""
    original_name: str = ""


@dataclass(frozen=True)
class PreservationAct:
    """An event: ``kind`` is a term of the LC event-type vocabulary, ``outcome`` success, fail or warning."""

    identifier: str
    kind: str
    at: datetime
    outcome: str
    detail: str = ""
    note: str = ""


@dataclass(frozen=True)
class Software:
    """The agent that acts: name and version."""

    name: str
    version: str


def write_premis(
    representation: str, files: Sequence[PreservedFile], acts: Sequence[PreservationAct], agent: Software
) -> bytes:
    """The PREMIS document of one archive (``representation`` is its identifier), UTF-8 XML."""
    root = etree.Element(etree.QName(PREMIS, "premis"), nsmap={"premis": PREMIS, "xsi": XSI})
    root.set("version", "3.0")
    whole = _object(root, "representation", representation)
    for file in files:
        relation = _add(whole, "relationship")
        _add(relation, "relationshipType", "structural")
        _add(relation, "relationshipSubType", "has part")
        _identifier(relation, "relatedObjectIdentifier", file.identifier)
    for file in files:
        _file(root, file)
    for act in acts:
        _event(root, act, agent, representation)
    _agent(root, agent)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _object(root: etree._Element, kind: str, identifier: str) -> etree._Element:
    element = _add(root, "object")
    element.set(etree.QName(XSI, "type"), f"premis:{kind}")
    _identifier(element, "objectIdentifier", identifier)
    return element


def _file(root: etree._Element, file: PreservedFile) -> None:
    element = _object(root, "file", file.identifier)
    characteristics = _add(element, "objectCharacteristics")
    _add(characteristics, "compositionLevel", "0")
    for algorithm, value in (("SHA-256", file.sha256), ("SHA-512", file.sha512)):
        fixity = _add(characteristics, "fixity")
        _add(fixity, "messageDigestAlgorithm", algorithm)
        _add(fixity, "messageDigest", value)
    _add(characteristics, "size", str(file.size))
    known = file.puid not in ("", "UNKNOWN")
    described = _add(characteristics, "format")
    _add(_add(described, "formatDesignation"), "formatName", file.format_name or "unknown")
    if known:
        registry = _add(described, "formatRegistry")
        _add(registry, "formatRegistryName", "PRONOM")
        _add(registry, "formatRegistryKey", file.puid)
        _add(registry, "formatRegistryRole", "specification")
    if file.original_name:
        _add(element, "originalName", file.original_name)
    location = _add(_add(element, "storage"), "contentLocation")
    _add(location, "contentLocationType", "OCFL logical path")
    _add(location, "contentLocationValue", file.location)


def _event(root: etree._Element, act: PreservationAct, agent: Software, representation: str) -> None:
    element = _add(root, "event")
    _identifier(element, "eventIdentifier", act.identifier)
    _add(element, "eventType", act.kind)
    _add(element, "eventDateTime", act.at.astimezone(UTC).isoformat(timespec="milliseconds"))
    if act.detail:
        _add(_add(element, "eventDetailInformation"), "eventDetail", act.detail)
    outcome = _add(element, "eventOutcomeInformation")
    _add(outcome, "eventOutcome", act.outcome)
    if act.note:
        _add(_add(outcome, "eventOutcomeDetail"), "eventOutcomeDetailNote", act.note)
    _identifier(element, "linkingAgentIdentifier", f"{agent.name} {agent.version}")
    _identifier(element, "linkingObjectIdentifier", representation)


def _agent(root: etree._Element, agent: Software) -> None:
    element = _add(root, "agent")
    _identifier(element, "agentIdentifier", f"{agent.name} {agent.version}")
    _add(element, "agentName", agent.name)
    _add(element, "agentType", "software")
    _add(element, "agentVersion", agent.version)


def _identifier(parent: etree._Element, name: str, value: str) -> None:
    element = _add(parent, name)
    _add(element, f"{name}Type", LOCAL)
    _add(element, f"{name}Value", value)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, etree.QName(PREMIS, name))
    element.text = text
    return element
