"""Operations of the core: who am I, which organisation, who acts for it."""

from datetime import date, datetime

from django.db.models import QuerySet
from ninja import Router, Schema
from pydantic import Field

from parvis.core import clock
from parvis.core.api.fields import Cursor, Limit, Page, page_of
from parvis.core.api.operations import ApiRequest, operation
from parvis.core.api.registry import label_of
from parvis.core.identity.models import Mandate

router = Router(tags=["Organisation"])


class Right(Schema):
    code: str
    libelle: str


class Myself(Schema):
    """Le compte d’API qui appelle."""

    identifiant: str
    nom: str
    organisation: str = Field(description="SIREN de l’organisation pour laquelle il agit.")
    droits: list[Right]
    dernier_jour: date | None
    secret_valable_jusqu_au: datetime | None = Field(
        description="Fin de validité du plus ancien secret encore admis, pendant un renouvellement."
    )
    ancien_certificat_jusqu_au: datetime | None = Field(
        description="Fin d’acceptation du certificat remplacé, pendant un renouvellement."
    )


@operation(router, "GET", "/moi", scope="", response=Myself, summary="Le compte qui appelle")
def whoami(request: ApiRequest) -> dict[str, object]:
    """Identité, droits et échéances du compte présenté : de quoi vérifier une installation."""
    account = request.account
    ending = account.secrets.filter(ends_at__gt=clock.now()).order_by("ends_at").first()
    return {
        "identifiant": account.identifier,
        "nom": account.name,
        "organisation": request.organisation.siren,
        "droits": [{"code": code, "libelle": label_of(code)} for code in account.scopes],
        "dernier_jour": account.expires_on,
        "secret_valable_jusqu_au": ending.ends_at if ending else None,
        "ancien_certificat_jusqu_au": account.former_until if account.former_accepted else None,
    }


class Application(Schema):
    application: str
    depuis: date
    jusqu_au: date | None


class OrganisationOut(Schema):
    """Une organisation, par son identité légale."""

    siren: str
    siret: str
    nom: str
    nature: str
    code_insee: str
    population: int | None
    site: str
    applications: list[Application]


@operation(
    router, "GET", "/organisation", scope="organisation.lire", response=OrganisationOut, summary="L’organisation"
)
def organisation(request: ApiRequest) -> dict[str, object]:
    """Identité légale et applications de la convention."""
    mine = request.organisation
    return {
        "siren": mine.siren,
        "siret": mine.siret,
        "nom": mine.name,
        "nature": mine.kind,
        "code_insee": mine.insee,
        "population": mine.population,
        "site": mine.website,
        "applications": [
            {"application": s.application, "depuis": s.since, "jusqu_au": s.until} for s in mine.subscriptions.all()
        ],
    }


class Person(Schema):
    """Un mandat en cours : qui agit pour l’organisation, en quelle qualité."""

    mandat: str
    prenom: str
    nom: str
    role: str
    role_libelle: str
    qualite: str
    debut: date
    fin: date | None


@operation(router, "GET", "/personnes", scope="annuaire.lire", response=Page[Person], summary="Les personnes")
def people(request: ApiRequest, curseur: Cursor = "", limite: Limit = 50) -> dict[str, object]:
    """Les mandats en cours, du plus récent au plus ancien. Les adresses électroniques n’y figurent pas."""
    found: QuerySet[Mandate] = (
        Mandate.objects.filter(organisation=request.organisation)
        .in_force(clock.today())
        .select_related("account", "own_role")
    )
    page = page_of(found, "start", curseur, limite)
    return {**page, "elements": [_person(mandate) for mandate in page["elements"]]}


def _person(mandate: Mandate) -> dict[str, object]:
    return {
        "mandat": str(mandate.pk),
        "prenom": mandate.account.given_name,
        "nom": mandate.account.family_name,
        "role": mandate.role_code,
        "role_libelle": mandate.role_label,
        "qualite": mandate.title,
        "debut": mandate.start,
        "fin": mandate.end,
    }
