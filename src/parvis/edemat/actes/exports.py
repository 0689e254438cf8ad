"""Lists of acts as files: which columns the tracking board and the public register give."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase

from parvis.core.exports.download import download_table
from parvis.edemat.actes.board import situation_of
from parvis.edemat.actes.models import Acte, Publication

CHUNK = 2000

Column = tuple[str, Callable[[Any], Any]]

ACT_COLUMNS: Sequence[Column] = (
    ("Numéro", lambda a: a.numero),
    ("Numéro transmis", lambda a: a.numero_actes),
    ("Identifiant unique", lambda a: a.unique_id),
    ("Nature", lambda a: a.get_nature_display()),
    ("Matière", lambda a: a.matiere),
    ("Intitulé de la matière", lambda a: a.matiere_label),
    ("Objet", lambda a: a.objet),
    ("Date de la décision", lambda a: a.decision_date),
    ("État", lambda a: situation_of(a).label),
    ("Reçu en préfecture le", lambda a: a.received_on),
    ("Publié le", lambda a: a.published_on),
    ("Notifié le", lambda a: a.notified_on),
    ("Exécutoire le", lambda a: a.executoire_on),
)

PUBLICATION_COLUMNS: Sequence[Column] = (
    ("Numéro", lambda p: p.numero),
    ("Identifiant unique", lambda p: p.unique_id),
    ("Nature", lambda p: p.get_nature_display()),
    ("Matière", lambda p: p.matiere),
    ("Intitulé de la matière", lambda p: p.matiere_label),
    ("Objet", lambda p: p.objet),
    ("Date de la décision", lambda p: p.decision_date),
    ("Vote", lambda p: p.vote),
    ("Auteur", lambda p: p.author_name),
    ("Qualité de l’auteur", lambda p: p.author_quality),
    ("Reçu en préfecture le", lambda p: p.received_on),
    ("Publié le", lambda p: p.published_on),
    ("Exécutoire le", lambda p: p.executoire_on),
)


def export(rows: QuerySet[Any], columns: Sequence[Column], extension: str, name: str) -> HttpResponseBase:
    """``rows`` as a file to download; ``extension`` is ``csv`` or ``ods``."""
    lines = ([value(row) for _, value in columns] for row in rows.iterator(chunk_size=CHUNK))
    header = [label for label, _ in columns]
    return download_table(header, lines, name=name, extension=extension, sheet="Actes")


def export_acts(rows: QuerySet[Acte], extension: str, name: str) -> HttpResponseBase:
    """The tracking board's rows."""
    wanted = rows.defer("checks", "document_papier").order_by("-decision_date", "-pk")
    return export(wanted, ACT_COLUMNS, extension, name)


def export_publications(rows: QuerySet[Publication], extension: str, name: str) -> HttpResponseBase:
    """The public register's rows."""
    return export(rows.defer("text", "search").order_by("-published_on", "-pk"), PUBLICATION_COLUMNS, extension, name)
