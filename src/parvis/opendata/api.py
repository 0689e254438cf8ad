"""Operations of open data: the datasets of the organisation, online or not, and the rows of their tables."""

from datetime import date, datetime
from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from pydantic import Field

from parvis.core.api.fields import Cursor, Limit, Page, page_of
from parvis.core.api.operations import ApiRequest, operation
from parvis.opendata import queries
from parvis.opendata.models import Dataset

router = Router(tags=["Données ouvertes"])


class DatasetOut(Schema):
    """Un jeu de données."""

    identifiant: str
    titre: str
    description: str
    licence: str
    schema_nom: str
    schema_version: str
    en_ligne: bool
    lignes: int
    mis_a_jour_le: datetime


class DeliberationOut(Schema):
    """Une ligne de la table « Délibérations », aux noms de colonnes du schéma national, en minuscules."""

    coll_nom: str
    coll_siret: str
    delib_id: str
    delib_date: date
    delib_matiere_code: str
    delib_matiere_nom: str
    delib_objet: str
    budget_annee: str
    budget_nom: str
    pref_id: str
    pref_date: date | None
    vote_effectif: int | None
    vote_reel: int | None
    vote_pour: int | None
    vote_contre: int | None
    vote_abstention: int | None
    delib_url: str = Field(description="Adresse de l’acte publié.")


@operation(
    router,
    "GET",
    "/donnees",
    scope="opendata.lire",
    application="opendata",
    response=list[DatasetOut],
    summary="Les jeux de données",
)
def list_datasets(request: ApiRequest) -> list[dict[str, Any]]:
    """Les jeux de données de l’organisation, qu’ils soient en ligne ou non."""
    return [
        {
            "identifiant": dataset.slug,
            "titre": dataset.title,
            "description": dataset.description,
            "licence": dataset.licence,
            "schema_nom": dataset.schema_name,
            "schema_version": dataset.schema_version,
            "en_ligne": dataset.public,
            "lignes": dataset.rows,  # type: ignore[attr-defined]  # counted by the query
            "mis_a_jour_le": dataset.updated_at,
        }
        for dataset in queries.datasets_with_counts().filter(organisation=request.organisation)
    ]


@operation(
    router,
    "GET",
    "/donnees/{slug:identifiant}/lignes",
    scope="opendata.lire",
    application="opendata",
    response=Page[DeliberationOut],
    summary="Les lignes d’un jeu de données",
)
def list_rows(request: ApiRequest, identifiant: str, curseur: Cursor = "", limite: Limit = 50) -> dict[str, Any]:
    """Les lignes de la table, de la plus récente à la plus ancienne."""
    dataset = get_object_or_404(Dataset, slug=identifiant, organisation=request.organisation)
    return dict(page_of(queries.selected(dataset, queries.Selection()), "delib_date", curseur, limite))
