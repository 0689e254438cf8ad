"""An organisation's own directory, by which its agents log in: proposed by it, approved by the platform.

What is in force changes only at the approval; suspending and removing are immediate and end the sessions of the agents
who came through it. An e-mail domain belongs to one directory of one organisation, and so does an issuer.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from parvis.core import clock
from parvis.core.authentication import sessions
from parvis.core.authentication.secrets import decrypt, encrypt
from parvis.core.errors import DomainError
from parvis.core.federation import announced
from parvis.core.federation.agents import DOMAIN, PUBLIC_DOMAINS
from parvis.core.federation.configuration import ALGORITHMS, DIRECTORY, Registration
from parvis.core.federation.models import Directory, DirectoryAgent, DirectoryDomain
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.actions import register_action, register_subject
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.provider.services import RegistrationRefused, check_address

MAX_DOMAINS: Final = 20
SCOPES: Final = ("openid", "profile", "email")
CLAIM: Final = re.compile(r"[A-Za-z0-9_.:/#-]{1,120}")
CHANGING: Final = frozenset(
    ("email", "preferred_username", "upn", "unique_name", "name", "nickname", "phone_number", "given_name",
     "family_name"),
)  # fmt: skip
"""Claims that a person changes or that are given to somebody else later: none of them names an account for ever."""
PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")

register_subject("annuaire", "Annuaire des agents")
register_action("federation.annuaire_propose", "Annuaire des agents proposé")
register_action("federation.annuaire_modifie", "Modification de l’annuaire proposée")
register_action("federation.annuaire_approuve", "Annuaire des agents mis en service")
register_action("federation.annuaire_refuse", "Proposition d’annuaire refusée")
register_action("federation.annuaire_suspendu", "Annuaire des agents suspendu")
register_action("federation.annuaire_reactive", "Annuaire des agents remis en service")
register_action("federation.annuaire_retire", "Annuaire des agents retiré")


class DirectoryRefused(DomainError):
    """The directory cannot be registered or decided as asked. ``field`` says where."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence, field=field)
        self.field = field


def of_organisation(organisation: Organisation) -> Directory | None:
    """The directory of ``organisation``, whatever its state."""
    return Directory.objects.filter(organisation=organisation).select_related("organisation").first()


def check(values: dict[str, Any], directory: Directory | None, organisation: Organisation) -> None:
    """Raise DirectoryRefused at the first of our rules that these values break; the directory itself is not asked."""
    try:
        check_address(values["issuer"], "issuer")
    except RegistrationRefused as refused:
        raise DirectoryRefused(refused.sentence, "issuer") from refused
    if "?" in values["issuer"]:
        raise DirectoryRefused("L’émetteur s’écrit sans « ? » : recopiez la valeur « issuer » de l’annuaire.", "issuer")
    for name, label in (("client_id", "L’identifiant"), ("secret", "Le secret")):
        if not values[name]:
            raise DirectoryRefused(f"{label} que l’annuaire a donné à la plateforme est attendu.", name)
    if not PRINTABLE.fullmatch(values["client_id"]):
        raise DirectoryRefused("L’identifiant ne contient ni espace ni accent.", "client_id")
    if values["algorithm"] not in ALGORITHMS:
        raise DirectoryRefused("Choisissez l’algorithme parmi ceux qui sont proposés.", "algorithm")
    _check_domains(values["domains"], organisation)
    _check_claims(values)
    if directory is not None and directory.approved_at is not None:
        changed = "issuer" if values["issuer"] != directory.issuer else ""
        changed = changed or ("id_claim" if values["claims"]["id"] != directory.claims["id"] else "")
        if changed:
            raise DirectoryRefused(
                "L’émetteur et l’attribut d’identifiant d’un annuaire approuvé ne changent plus, car ils nomment les"
                " agents : retirez l’annuaire, puis proposez le nouveau.",
                changed,
            )


def _check_domains(domains: list[str], organisation: Organisation) -> None:
    if not 0 < len(domains) <= MAX_DOMAINS:
        raise DirectoryRefused("Donnez de un à vingt domaines de messagerie.", "domains")
    for domain in domains:
        if not DOMAIN.fullmatch(domain):
            raise DirectoryRefused(
                f"« {domain[:80]} » n’est pas un nom de domaine, comme « mairie-exemple.fr ».", "domains"
            )
        if domain in PUBLIC_DOMAINS:
            raise DirectoryRefused(
                f"N’importe qui peut ouvrir une adresse en « {domain} » : ce domaine ne désigne pas vos agents.",
                "domains",
            )
        owner = owner_of(domain)
        if owner is not None and owner != organisation.pk:
            raise DirectoryRefused(_taken(domain), "domains")


def _taken(domain: str) -> str:
    return (
        f"Le domaine « {domain} » est déjà celui d’une autre organisation : un domaine n’appartient qu’à une seule."
        " Adressez-vous à la plateforme s’il est le vôtre."
    )


def _check_claims(values: dict[str, Any]) -> None:
    for name, claim in values["claims"].items():
        if not CLAIM.fullmatch(claim):
            raise DirectoryRefused("Un nom d’attribut est attendu, comme « sub » ou « given_name ».", f"{name}_claim")
    if values["claims"]["id"] in CHANGING:
        raise DirectoryRefused(
            "Cet attribut peut changer, ou être donné un jour à une autre personne. Choisissez celui qui ne change"
            " jamais : « sub », ou « oid » avec Entra ID.",
            "id_claim",
        )
    if bool(values["factor_claim"]) != bool(values["factor_value"]):
        raise DirectoryRefused(
            "Donnez l’attribut et la valeur qui prouvent un second facteur, ou ni l’un ni l’autre.", "factor_value"
        )


# --- domains and accounts, looked for before anybody is logged in ------------------------------------------------


@contextmanager
def _shown(domain: str) -> Iterator[None]:
    """The row of the domain just typed is shown by the database, whoever's it is."""
    with transaction.atomic(), connection.cursor() as cursor:
        setting = "SELECT set_config('parvis.directory_domain', %s, true)"
        cursor.execute(setting, [domain])
        yield
        cursor.execute(setting, [""])


def owner_of(domain: str) -> int | None:
    """Number of the organisation whose directory answers for the addresses of ``domain``."""
    with _shown(domain):
        return DirectoryDomain.objects.filter(domain=domain).values_list("organisation_id", flat=True).first()


def in_service(pk: UUID | str) -> Directory | None:
    """The directory of that number, where agents may log in by it."""
    found = Directory.objects.filter(pk=pk, state=Directory.State.LIVE)
    return found.select_related("organisation").first()


def named(code: str) -> Directory | None:
    """The directory that sessions name ``code``, where it is in service."""
    try:
        found = in_service(UUID(code.removeprefix(f"{DIRECTORY}-")))
    except ValueError:
        return None
    return found if found is not None and found.code == code else None


def registered(code: str) -> Registration | None:
    """How the platform is registered at the directory that sessions name ``code``, where it is in service."""
    found = named(code)
    return registration_of(found) if found is not None else None


def registration_of(found: Directory) -> Registration:
    """How the platform is registered at this directory."""
    return Registration(
        code=found.code,
        issuer=found.issuer,
        client_id=found.client_id,
        client_secret=decrypt(found.secret),
        algorithm=found.algorithm,
        scopes=SCOPES,
        name=f"l’{found.label}",
        claims=found.claims,
        factor=(found.factor_claim, found.factor_value) if found.factor_claim else None,
    )


def for_domain(domain: str) -> Directory | None:
    """The directory in service for the addresses of ``domain``."""
    if not DOMAIN.fullmatch(domain):
        return None
    with _shown(domain):
        pk = DirectoryDomain.objects.filter(domain=domain).values_list("directory_id", flat=True).first()
    return in_service(pk) if pk else None


def for_organisation(organisation: Organisation) -> Directory | None:
    """The directory in service of ``organisation``."""
    found = of_organisation(organisation)
    return found if found is not None and found.state == Directory.State.LIVE else None


# --- the organisation proposes -----------------------------------------------------------------------------------


def propose(organisation: Organisation, values: dict[str, Any], *, actor: Actor) -> Directory:
    """Propose a directory, or other values of it: what is in force stays until the approval. The ``secret`` comes in
    clear, or empty to keep the one of today.

    Raises DirectoryRefused.
    """
    _checked(organisation, values)
    announced.check(values["issuer"], values["algorithm"], DirectoryRefused)  # a server that may be slow: no lock yet
    return _propose(organisation, values, actor)


def _checked(organisation: Organisation, values: dict[str, Any]) -> tuple[Directory | None, str]:
    """The directory of today and its sealed secret, once ``values`` break no rule of ours."""
    directory = of_organisation(organisation)
    known = directory.proposed["secret"] if directory is not None else ""
    check({**values, "secret": values["secret"] or known}, directory, organisation)
    return directory, known


@transaction.atomic
def _propose(organisation: Organisation, values: dict[str, Any], actor: Actor) -> Directory:
    # What the organisation does at once is done one after the other, before the directory has a row too.
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation.pk)
    directory, known = _checked(organisation, values)
    wanted = {**values, "secret": encrypt(values["secret"]) if values["secret"] else known}
    if directory is None:
        directory = Directory(organisation=organisation, **wanted)
        directory.save(force_insert=True)
        _log(directory, "federation.annuaire_propose", "manager.service.creation", actor)
        return directory
    changed = sorted(name for name, value in wanted.items() if directory.proposed[name] != value)
    if not changed:
        return directory
    directory.put_forward(wanted)
    directory.save()
    _log(directory, "federation.annuaire_modifie", "manager.service.edit", actor, fields=changed)
    return directory


@transaction.atomic
def suspend(directory: Directory, *, actor: Actor) -> None:
    """Nobody logs in by it any more; who came by it is logged out. Raises DirectoryRefused."""
    directory = _locked(directory)
    if directory.state != Directory.State.LIVE:
        raise DirectoryRefused("Cet annuaire n’est pas en service.")
    directory.state = Directory.State.SUSPENDED
    directory.save(update_fields=["state"])
    _end_sessions(directory)
    _log(directory, "federation.annuaire_suspendu", "manager.service.edit", actor, decision="suspend")


@transaction.atomic
def restore(directory: Directory, *, actor: Actor) -> None:
    """Put a suspended directory back as the platform had approved it. Raises DirectoryRefused."""
    directory = _locked(directory)
    if directory.state != Directory.State.SUSPENDED:
        raise DirectoryRefused("Cet annuaire n’est pas suspendu.")
    directory.state = Directory.State.LIVE
    directory.save(update_fields=["state"])
    _log(directory, "federation.annuaire_reactive", "manager.service.edit", actor, decision="reactivate")


@transaction.atomic
def remove(directory: Directory, *, actor: Actor) -> None:
    """Forget the directory, its domains and which agents it names; accounts and mandates stay, sessions end."""
    directory = _locked(directory)
    _end_sessions(directory)
    _log(directory, "federation.annuaire_retire", "manager.service.deletion", actor)
    directory.delete()


def _end_sessions(directory: Directory) -> None:
    sessions.end_all_of(DirectoryAgent.objects.filter(directory=directory).values("account_id"))


# --- the platform decides ----------------------------------------------------------------------------------------


def approve(directory: Directory, *, seen: str, by: Account, actor: Actor) -> None:
    """Put in force what was proposed when ``seen`` (its ``fingerprint``) was shown.

    Raises DirectoryRefused when nothing waits, it has changed since, a domain or the issuer is another organisation's.
    """
    with acting_for(directory.organisation_id), transaction.atomic():
        directory = _waiting(directory)
        if directory.fingerprint != seen:
            raise DirectoryRefused(
                "L’organisation a modifié sa proposition entre-temps : relisez-la avant de la mettre en service."
            )
        directory.put_in_service(by)
        try:
            with transaction.atomic():
                directory.save()
        except IntegrityError as error:
            raise DirectoryRefused("Cet émetteur est déjà celui de l’annuaire d’une autre organisation.") from error
        DirectoryDomain.objects.filter(directory=directory).exclude(domain__in=directory.domains).delete()
        for domain in directory.domains:
            _give(domain, directory)
        _log(directory, "federation.annuaire_approuve", "manager.service.edit", actor, decision="approve")


def _give(domain: str, directory: Directory) -> None:
    try:
        with transaction.atomic():
            DirectoryDomain.objects.get_or_create(
                directory=directory, domain=domain, defaults={"organisation": directory.organisation}
            )
    except IntegrityError as error:
        raise DirectoryRefused(f"Le domaine « {domain} » est déjà celui d’une autre organisation.") from error


def refuse(directory: Directory, reason: str, *, actor: Actor) -> None:
    """Refuse the proposal and say why; what was in force before stays so. Raises DirectoryRefused."""
    with acting_for(directory.organisation_id), transaction.atomic():
        directory = _waiting(directory)
        directory.turn_down(reason)
        directory.save(update_fields=["state", "refusal"])
        _log(directory, "federation.annuaire_refuse", "manager.service.edit", actor, decision="refuse")


def _locked(directory: Directory) -> Directory:
    found = Directory.objects.select_for_update(of=("self",)).select_related("organisation")
    fresh = found.filter(pk=directory.pk).first()
    if fresh is None:
        raise DirectoryRefused("Cet annuaire vient d’être retiré.")
    return fresh


def _waiting(directory: Directory) -> Directory:
    fresh = _locked(directory)
    if not fresh.waits:
        raise DirectoryRefused("Rien n’attend l’approbation de la plateforme.")
    return fresh


def _log(directory: Directory, action: str, event: str, actor: Actor, **data: Any) -> None:
    organisation = directory.organisation
    record(organisation, action, subject=("annuaire", directory.pk), actor=actor, details=data)
    audit(event, organisation=organisation, client=directory.issuer[:120], data=data)


# --- its agents --------------------------------------------------------------------------------------------------


def agents_of(directory: Directory) -> QuerySet[DirectoryAgent]:
    """The agents whom the directory names; ``acting`` says whether they hold a mandate today."""
    mandates = Mandate.objects.filter(organisation=directory.organisation_id, account=OuterRef("account"))
    rows = DirectoryAgent.objects.filter(directory=directory).select_related("account")
    return rows.annotate(acting=Exists(mandates.in_force(clock.today())))
