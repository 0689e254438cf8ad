"""Agencies and agreements of an organisation, and what they mean for the intake controls."""

from parvis.core import clock
from parvis.core.organisations.models import Organisation
from parvis.edemat.archives.formats.acte import PROFILE, agreement_identifier
from parvis.edemat.archives.formats.controls import KnownAgency, KnownAgreement, Terms
from parvis.edemat.archives.formats.seda import Party
from parvis.edemat.archives.formats.seda_reader import Manifest
from parvis.edemat.archives.models import Accord, Agency, Transfer

PERSONNEL = "RH"
OTHERS = "HORS_RH"
_PRODUCERS = {OTHERS: "services de {name}", PERSONNEL: "ressources humaines de {name}"}


def archival_agency(organisation: Organisation) -> Party:
    """The archives service of the organisation."""
    return Party(f"SA_{organisation.siren}", f"Archives, {organisation.name}")


def originating_agency(organisation: Organisation, access_code: str) -> Party:
    """The producer of an acte: human resources when its access is restricted, else the other services."""
    kind = PERSONNEL if access_code == "AR048" else OTHERS
    name = _PRODUCERS[kind].format(name=organisation.name)
    return Party(f"{organisation.siren}_{kind}", name[:1].upper() + name[1:])


def ensure_parties(organisation: Organisation) -> Accord:
    """Create once the organisation's agencies and its agreement for actes; returns the agreement.

    The agreement is open by default: the search for viruses is made when an engine is installed, and said
    not made otherwise.
    """
    keeper = archival_agency(organisation)
    archives, _ = Agency.objects.get_or_create(
        organisation=organisation,
        identifier=keeper.identifier,
        defaults={"name": keeper.name, "archival": True},
    )
    Agency.objects.get_or_create(
        organisation=organisation,
        identifier=organisation.siren,
        defaults={"name": organisation.name, "transferring": True},
    )
    for access_code in ("AR038", "AR048"):
        producer = originating_agency(organisation, access_code)
        Agency.objects.get_or_create(
            organisation=organisation,
            identifier=producer.identifier,
            defaults={"name": producer.name, "originating": True},
        )
    accord, _ = Accord.objects.get_or_create(
        organisation=organisation,
        identifier=agreement_identifier(organisation.siren),
        defaults={
            "title": "Actes soumis au contrôle de légalité",
            "archival_agency": archives,
            "transferring_agencies": [organisation.siren],
            "profiles": [PROFILE],
            "algorithms": ["sha256", "sha512"],
            "antivirus_required": False,
        },
    )
    return accord


def terms_for(transfer: Transfer, manifest: Manifest) -> Terms:
    """What the service knows when it controls ``transfer``."""
    organisation = transfer.organisation
    others = (
        Transfer.objects.alive()
        .filter(
            organisation=organisation,
            transferring_agency=manifest.transferring_agency.identifier,
            identifier=manifest.identifier,
        )
        .exclude(pk=transfer.pk)
    )
    return Terms(
        today=clock.today(),
        agencies={
            a.identifier: KnownAgency(a.identifier, a.kinds, a.since, a.until)
            for a in Agency.objects.filter(organisation=organisation)
        },
        agreements={
            a.identifier: known_agreement(a)
            for a in Accord.objects.filter(organisation=organisation).select_related("archival_agency")
        },
        already_received=others.exists(),
    )


def known_agreement(accord: Accord) -> KnownAgreement:
    """The terms of an agreement, as the controls want them."""
    return KnownAgreement(
        identifier=accord.identifier,
        active=accord.active,
        since=accord.since,
        until=accord.until,
        archival_agencies=frozenset({accord.archival_agency.identifier}),
        transferring_agencies=frozenset(accord.transferring_agencies),
        originating_agencies=frozenset(accord.originating_agencies),
        profiles=frozenset(accord.profiles),
        algorithms=frozenset(accord.algorithms or ("sha256", "sha384", "sha512")),
        max_bytes=accord.max_bytes,
        max_object_bytes=accord.max_object_bytes,
        formats=frozenset(accord.formats),
        refuse_unknown_formats=accord.refuse_unknown_formats,
        antivirus_required=accord.antivirus_required,
    )
