"""Writing of SEDA 2.2 messages in the strict form of the official schema (NF Z44-022)."""

from datetime import UTC, date, datetime

from lxml import etree

from parvis.edemat.archives.formats.seda import (
    WRITTEN_VERSION,
    Acknowledgement,
    ArchiveTransfer,
    ArchiveTransferReply,
    Binary,
    Category,
    Event,
    ObjectGroup,
    Party,
    RuleSet,
    Unit,
    namespace,
)

SEDA = namespace(WRITTEN_VERSION)
_CATEGORY_ORDER = list(Category)


def write_archive_transfer(transfer: ArchiveTransfer) -> bytes:
    """The ``ArchiveTransfer`` message, UTF-8 XML."""
    root = _message("ArchiveTransfer", transfer.comment, transfer.date, transfer.identifier)
    _add(root, "ArchivalAgreement", transfer.agreement)
    _code_lists(root)
    package = _add(root, "DataObjectPackage")
    for group in transfer.groups():
        _group(package, group)
    described = _add(package, "DescriptiveMetadata")
    for unit in transfer.units:
        _unit(described, unit)
    management = _add(package, "ManagementMetadata")
    _optional(management, "ArchivalProfile", transfer.profile)
    _optional(management, "LegalStatus", transfer.legal_status)
    _add(management, "OriginatingAgencyIdentifier", transfer.originating_agency)
    _optional(management, "SubmissionAgencyIdentifier", transfer.submission_agency)
    _rules(management, transfer.rules)
    _party(root, "ArchivalAgency", transfer.archival_agency)
    _party(root, "TransferringAgency", transfer.transferring_agency)
    return _bytes(root)


def write_acknowledgement(message: Acknowledgement) -> bytes:
    """The ``Acknowledgement`` message, UTF-8 XML."""
    root = _message("Acknowledgement", message.comment, message.date, message.identifier)
    _add(root, "MessageReceivedIdentifier", message.received_identifier)
    _party(root, "Sender", message.sender)
    _party(root, "Receiver", message.receiver)
    return _bytes(root)


def write_archive_transfer_reply(reply: ArchiveTransferReply) -> bytes:
    """The ``ArchiveTransferReply`` (ATR), UTF-8 XML.

    ``MessageIdentifier`` is the reply's own and ``MessageRequestIdentifier`` that of the transfer: the strict
    reading of the standard.
    """
    root = _message("ArchiveTransferReply", reply.comment, reply.date, reply.identifier)
    _optional(root, "ArchivalAgreement", reply.agreement)
    _code_lists(root)
    if reply.units:
        package = _add(root, "DataObjectPackage")
        described = _add(package, "DescriptiveMetadata")
        for identity in reply.units:
            unit = _add(described, "ArchiveUnit")
            unit.set("id", identity.id)
            _add(_add(unit, "Content"), "SystemId", identity.system_id)
        _add(package, "ManagementMetadata")
    _add(root, "ReplyCode", reply.code)
    if reply.events:
        operation = _add(root, "Operation")
        for event in reply.events:
            _event(operation, event)
    _add(root, "MessageRequestIdentifier", reply.request_identifier)
    if reply.granted:
        _add(root, "GrantDate", _instant(reply.granted))
    _party(root, "ArchivalAgency", reply.archival_agency)
    _party(root, "TransferringAgency", reply.transferring_agency)
    return _bytes(root)


def _message(name: str, comment: str, at: datetime, identifier: str) -> etree._Element:
    root = etree.Element(etree.QName(SEDA, name), nsmap=_default(SEDA))
    _optional(root, "Comment", comment)
    _add(root, "Date", _instant(at))
    _add(root, "MessageIdentifier", identifier)
    return root


def _code_lists(root: etree._Element) -> None:
    # Children are optional but may never be empty: only what we use is named.
    lists = _add(root, "CodeListVersions")
    _add(lists, "ReplyCodeListVersion", "SEDA 0.2 (31 codes)")
    _add(lists, "MessageDigestAlgorithmCodeListVersion", "FIPS 180-4")
    _add(lists, "FileFormatCodeListVersion", "PRONOM")
    _add(lists, "AppraisalRuleCodeListVersion", "ISO 8601 (durées)")
    _add(lists, "AccessRuleCodeListVersion", "SIAF, codes AR038 à AR062")


def _group(parent: etree._Element, group: ObjectGroup) -> None:
    element = _add(parent, "DataObjectGroup")
    element.set("id", group.id)
    counts: dict[str, int] = {}
    for binary in group.binaries:
        counts[binary.usage] = counts.get(binary.usage, 0) + 1
        _binary(element, binary, counts[binary.usage])


def _binary(parent: etree._Element, binary: Binary, version: int) -> None:
    element = _add(parent, "BinaryDataObject")
    element.set("id", binary.id)
    _add(element, "DataObjectVersion", f"{binary.usage}_{version}")
    _add(element, "Uri", binary.uri)
    _add(element, "MessageDigest", binary.sha512).set("algorithm", "SHA-512")
    _add(element, "Size", str(binary.size))
    if binary.format_name or binary.mime_type or binary.puid:
        identification = _add(element, "FormatIdentification")
        _optional(identification, "FormatLitteral", binary.format_name)
        _optional(identification, "MimeType", binary.mime_type)
        _optional(identification, "FormatId", binary.puid)
    _add(_add(element, "FileInfo"), "Filename", binary.filename)


def _unit(parent: etree._Element, unit: Unit) -> None:
    element = _add(parent, "ArchiveUnit")
    element.set("id", unit.id)
    if unit.rules:
        _rules(_add(element, "Management"), unit.rules)
    content = _add(element, "Content")
    _add(content, "DescriptionLevel", unit.level)
    _add(content, "Title", unit.title)
    _optional(content, "SystemId", unit.system_id)
    _optional(content, "OriginatingSystemId", unit.originating_system_id)
    _optional(content, "OriginatingAgencyArchiveUnitIdentifier", unit.originating_identifier)
    _optional(content, "TransferringAgencyArchiveUnitIdentifier", unit.transferring_identifier)
    _optional(content, "Description", unit.description)
    _optional(content, "DocumentType", unit.document_type)
    _optional(content, "Language", unit.language)
    _optional(content, "DescriptionLanguage", unit.language)
    for keyword in unit.keywords:
        term = _add(content, "Keyword")
        _add(term, "KeywordContent", keyword.content)
        _optional(term, "KeywordReference", keyword.reference)
        _optional(term, "KeywordType", keyword.kind)
    if unit.originating_agency:
        _party(content, "OriginatingAgency", unit.originating_agency)
    _moment(content, "CreatedDate", unit.created)
    _moment(content, "TransactedDate", unit.transacted)
    _moment(content, "SentDate", unit.sent)
    _moment(content, "ReceivedDate", unit.received)
    _moment(content, "StartDate", unit.start)
    _moment(content, "EndDate", unit.end)
    for event in unit.events:
        _event(content, event)
    for child in unit.children:
        _unit(element, child)
    if unit.group:
        _add(_add(element, "DataObjectReference"), "DataObjectGroupReferenceId", unit.group.id)


def _rules(parent: etree._Element, rule_sets: tuple[RuleSet, ...]) -> None:
    for rule_set in sorted(rule_sets, key=lambda r: _CATEGORY_ORDER.index(r.category)):
        element = _add(parent, rule_set.category)
        for rule in rule_set.rules:
            _add(element, "Rule", rule.identifier)
            if rule.start:
                _add(element, "StartDate", rule.start.isoformat())
        if rule_set.prevent_inheritance is not None:
            _add(element, "PreventInheritance", str(rule_set.prevent_inheritance).lower())
        for excluded in rule_set.excluded:
            _add(element, "RefNonRuleId", excluded)
        _optional(element, "FinalAction", rule_set.final_action)


def _event(parent: etree._Element, event: Event) -> None:
    element = _add(parent, "Event")
    _add(element, "EventTypeCode", event.code)
    _optional(element, "EventType", event.kind)
    _add(element, "EventDateTime", _when(event.at))
    _optional(element, "EventDetail", event.detail)
    _optional(element, "Outcome", event.outcome)
    _optional(element, "OutcomeDetail", event.outcome_detail)
    _optional(element, "OutcomeDetailMessage", event.message)


def _party(parent: etree._Element, name: str, party: Party) -> None:
    element = _add(parent, name)
    _add(element, "Identifier", party.identifier)
    if party.name:
        # The open type of the schema takes elements of another namespace only.
        described = _add(element, "OrganizationDescriptiveMetadata")
        other = "urn:parvis:seda:organisation"
        etree.SubElement(described, etree.QName(other, "Name"), nsmap=_default(other)).text = party.name


def _default(address: str) -> dict[str, str]:
    # lxml wants None for the default prefix, which its type stubs do not know.
    return {None: address}  # type: ignore[dict-item]


def _moment(parent: etree._Element, name: str, value: date | datetime | None) -> None:
    if value is not None:
        _add(parent, name, _when(value))


def _when(value: date | datetime) -> str:
    return _instant(value) if isinstance(value, datetime) else value.isoformat()


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _optional(parent: etree._Element, name: str, text: str) -> None:
    if text:
        _add(parent, name, text)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, etree.QName(SEDA, name))
    if text is not None:
        element.text = "".join(c for c in text if c in "\t\n\r" or ord(c) >= 32)
    return element


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
