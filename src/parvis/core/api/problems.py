"""Errors of the API as problem details (RFC 9457), in French: which field, which rule, and the way out."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from ninja.errors import HttpError, ValidationError

from parvis.core.errors import DomainError

logger = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

# Status, then the code that ends the problem's type, its title and what to do when nothing more precise is known.
KINDS: Final[dict[int, tuple[str, str, str]]] = {
    400: ("requete-illisible", "Requête illisible", "Vérifiez l’adresse, les en-têtes et le corps de la requête."),
    401: (
        "identification",
        "Identification nécessaire",
        "Présentez l’identifiant et le secret d’un compte d’API en vigueur.",
    ),
    403: ("droit-absent", "Droit absent", "Demandez ce droit à l’administration de l’organisation."),
    404: ("introuvable", "Introuvable", "Rien ne répond à cette adresse dans votre organisation."),
    405: ("methode-refusee", "Méthode refusée", "Employez l’une des méthodes de l’en-tête Allow."),
    409: ("conflit", "Conflit", "Relisez l’objet, puis recommencez."),
    411: ("taille-inconnue", "Taille inconnue", "Indiquez la taille du corps dans l’en-tête Content-Length."),
    413: ("trop-grand", "Requête trop grande", "Réduisez ou découpez ce que vous envoyez."),
    415: ("type-refuse", "Type de contenu refusé", "Envoyez l’un des types de contenu que décrit l’opération."),
    422: ("valeurs-refusees", "Valeurs refusées", "Corrigez les champs nommés, puis recommencez."),
    429: ("trop-d-appels", "Trop d’appels", "Attendez le nombre de secondes de l’en-tête Retry-After."),
    500: ("panne", "Panne", "Recommencez plus tard ; si la panne dure, donnez-nous le numéro de la requête."),
    503: ("indisponible", "Service indisponible", "Recommencez plus tard."),
}


@dataclass(frozen=True)
class FieldError:
    """One value refused: where it is ("corps.date"), the rule it breaks, what to do."""

    champ: str
    regle: str
    solution: str


@dataclass
class Problem(Exception):
    """Raised by an operation, or before it, to answer with a problem."""

    status: int
    detail: str = ""
    errors: tuple[FieldError, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    existing: tuple[UUID, str] | None = None


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as an answer; ``instance`` is the number of the request, which is in the logs too."""
    code, title, way_out = KINDS.get(problem.status, KINDS[400 if problem.status < 500 else 500])
    body: dict[str, Any] = {
        "type": f"/api/#{code}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail or way_out,
        "instance": f"urn:parvis:requete:{getattr(request, 'request_id', '')}",
    }
    if problem.errors:
        body["errors"] = [vars(error) for error in problem.errors]
    if problem.existing:
        body["existant"] = {"id": str(problem.existing[0]), "adresse": problem.existing[1]}
    response = JsonResponse(
        body, status=problem.status, content_type=MEDIA_TYPE, json_dumps_params={"ensure_ascii": False}
    )
    for name, value in problem.headers.items():
        response[name] = value
    return response


# --- refused values ----------------------------------------------------------------------------------------
# pydantic's code of an error, then the rule (completed by the error's context) and the way out.
_RULES: Final[dict[str, tuple[str, str]]] = {
    "missing": ("Cette valeur est obligatoire.", "Ajoutez-la."),
    "string_type": ("Un texte est attendu.", "Envoyez une chaîne de caractères."),
    "string_too_short": ("Il faut au moins {min_length} caractère(s).", "Allongez le texte."),
    "string_too_long": ("Il faut au plus {max_length} caractère(s).", "Raccourcissez le texte."),
    "string_pattern_mismatch": ("La forme attendue est {pattern}.", "Récrivez la valeur sous cette forme."),
    "int_type": ("Un nombre entier est attendu.", "Envoyez un nombre entier."),
    "int_parsing": ("Un nombre entier est attendu.", "Écrivez-le en chiffres."),
    "int_parsing_size": ("Ce nombre est trop grand.", "Envoyez un nombre plus petit."),
    "int_from_float": ("Un nombre entier est attendu.", "Retirez les décimales."),
    "greater_than_equal": ("La valeur est au moins {ge}.", "Augmentez-la."),
    "less_than_equal": ("La valeur est au plus {le}.", "Diminuez-la."),
    "bool_parsing": ("« true » ou « false » est attendu.", "Envoyez l’un des deux."),
    "enum": ("La valeur est à choisir parmi {expected}.", "Choisissez l’une d’elles."),
    "literal_error": ("La valeur est à choisir parmi {expected}.", "Choisissez l’une d’elles."),
    "uuid_parsing": ("Un identifiant (UUID) est attendu.", "Reprenez celui que donne la liste."),
    "json_invalid": ("Le corps n’est pas du JSON.", "Vérifiez-en la syntaxe."),
    "extra_forbidden": ("Ce champ n’existe pas ici.", "Retirez-le."),
    "value_error": ("{error}", "Corrigez la valeur."),
}
_DATE: Final = ("Une date est attendue.", "Écrivez-la AAAA-MM-JJ, par exemple 2019-07-01.")
_OTHER: Final = ("Cette valeur n’a pas la forme attendue.", "Voyez la description de l’opération.")
_PLACES: Final = {"query": "adresse", "path": "adresse", "body": "corps", "form": "corps", "file": "corps"}


def field_error(error: dict[str, Any]) -> FieldError:
    """French words for one error of pydantic."""
    kind, context = str(error["type"]), error.get("ctx", {})
    rule, way_out = _DATE if kind.startswith("date") else _RULES.get(kind, _OTHER)
    place, *steps = [str(step) for step in error["loc"]]
    # ninja names the parameter of the function that receives the whole body or form: callers never see it.
    if place in ("body", "form") and len(steps) > 1:
        steps = steps[1:]
    try:
        sentence = rule.format(**context)
    except (KeyError, IndexError):
        sentence = _OTHER[0]
    return FieldError(".".join([_PLACES.get(place, place), *steps]), sentence, way_out)


# --- from exceptions ---------------------------------------------------------------------------------------
def _of_validation(error: ValidationError) -> Problem:
    found = tuple(field_error(e) for e in error.errors)
    return Problem(422, _summary(found), found)


def _summary(errors: Iterable[FieldError]) -> str:
    return " ".join(f"« {e.champ} » : {e.regle}" for e in list(errors)[:5])


def _of_http_error(error: HttpError) -> Problem:
    return Problem(error.status_code)


_TRANSLATIONS: Final[dict[type[Exception], Callable[[Any], Problem]]] = {
    Problem: lambda problem: problem,
    ValidationError: _of_validation,
    HttpError: _of_http_error,
    DomainError: lambda error: Problem(422, error.sentence),
    Http404: lambda error: Problem(404),
    PermissionDenied: lambda error: Problem(403, str(error)),
    RequestDataTooBig: lambda error: Problem(413),
    TooManyFilesSent: lambda error: Problem(413),
    MultiPartParserError: lambda error: Problem(400),
}


def translated(error: Exception) -> Problem:
    """The problem that says ``error``; a fault of ours is logged and told without its reason."""
    for kind, translate in _TRANSLATIONS.items():
        if isinstance(error, kind):
            return translate(error)
    logger.exception("unexpected error in the API", exc_info=error)
    return Problem(500)
