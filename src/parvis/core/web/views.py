"""Pages of the platform itself, and the pages shown when something goes wrong."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from parvis.core import clock
from parvis.core.branding.look import theme_of
from parvis.core.identity.access import account_view, open_view, request_mandates
from parvis.core.organisations.models import Organisation
from parvis.core.web.context import SESSION_KEY
from parvis.core.web.health import report

ONE_YEAR = 31_536_000


@require_safe
@account_view
def choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Put one of the person's organisations in the rail and open the desk."""
    mine = {m.organisation.slug: m.organisation for m in request_mandates(request)}
    if slug not in mine:
        raise Http404
    if request.session.get(SESSION_KEY) != slug:
        request.session[SESSION_KEY] = slug
        messages.info(request, f"Vous travaillez maintenant pour {mine[slug].short_name}.")
    return redirect("routing:inbox")


@require_safe
@open_view
def theme(request: HttpRequest, name: str) -> HttpResponse:
    """The organisation's colours as CSS variables; ``name`` is its slug and the version of its colours.

    An address with its version never changes content, so browsers keep it for a year.
    """
    slug, _, version = name.rpartition("-")
    organisation = Organisation.objects.filter(slug=slug).only("accent", "accent_2", "look").first()
    if organisation is None:
        raise Http404
    current = theme_of(organisation)
    response = HttpResponse(current.stylesheet(), content_type="text/css; charset=utf-8")
    lasting = f"public, max-age={ONE_YEAR}, immutable"
    # An older address (a page still open after the colours changed) gets the present colours, briefly kept.
    response["Cache-Control"] = lasting if version == current.version else "public, max-age=60"
    return response


@never_cache
@require_safe
@open_view
def health(request: HttpRequest) -> JsonResponse:
    """Whether each component works; why it does not, to those who administer the platform."""
    well, body = report(detailed=_administers_platform(request))
    return JsonResponse(body, status=200 if well else 503, json_dumps_params={"ensure_ascii": False})


def _administers_platform(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_platform_administrator", False))


@require_safe
@open_view
def accessibility(request: HttpRequest) -> HttpResponse:
    """Accessibility statement (loi n° 2005-102, article 47; décret n° 2019-768)."""
    return render(request, "web/accessibility.html", {"version": settings.VERSION})


@require_safe
@open_view
def legal(request: HttpRequest) -> HttpResponse:
    return render(request, "web/legal.html", {})


@require_safe
@open_view
def robots(request: HttpRequest) -> HttpResponse:
    """Search engines may read what is published, never the agents' side, and nothing of a demo."""
    lines = ["User-agent: *"]
    lines += ["Disallow: /"] if settings.DEMO else ["Disallow: /o/", "Disallow: /bureau/", "Disallow: /compte/"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


# --- errors -----------------------------------------------------------------------------------------------

ERRORS = {
    400: (
        "Demande incomplète ou mal formée",
        "Le serveur n’a pas compris ce qui lui a été envoyé. Revenez à la page précédente et recommencez.",
    ),
    403: (
        "Action non permise",
        "Votre compte ne permet pas d’ouvrir cette page. Si vous pensez devoir y accéder, adressez-vous à la "
        "personne qui administre votre organisation.",
    ),
    404: (
        "Page introuvable",
        "L’adresse est inexacte, la page n’existe plus, ou elle appartient à une organisation pour laquelle "
        "vous n’agissez pas.",
    ),
    500: (
        "Une erreur est survenue",
        "La panne vient de notre côté ; elle est inscrite au journal technique. Ce qui était déjà enregistré "
        "l’est toujours. Vous pouvez recommencer dans quelques instants.",
    ),
}


def _error(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    title, text = ERRORS[status]
    context = {"status": status, "heading": title, "text": sentence or text, "when": clock.now()}
    return render(request, "web/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The sentence given to ``PermissionDenied``, when there is one, says why."""
    return _error(request, 403, str(exception) if exception and exception.args else "")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the request: the database or the session may be what broke."""
    title, text = ERRORS[500]
    context = {
        "status": 500,
        "heading": title,
        "text": text,
        "when": clock.now(),
        "number": getattr(request, "request_id", ""),
        "platform": {"name": "Parvis"},
    }
    return HttpResponse(render_to_string("web/error.html", context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Shown when a form comes back without the token of its page (a tab left open, cookies refused)."""
    context = {
        "status": 403,
        "heading": "Formulaire expiré",
        "text": "Par sécurité, le formulaire n’a pas été pris en compte : la page était ouverte depuis trop "
        "longtemps, ou votre navigateur refuse les témoins de connexion (cookies). Revenez à la page, "
        "actualisez-la, puis envoyez de nouveau ; rien n’a été enregistré.",
        "when": clock.now(),
    }
    return render(request, "web/error.html", context, status=403)
