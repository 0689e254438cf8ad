"""What the provider does around every request: sessions whose key changes, and those that end."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from parvis.core.provider.grants import SESSION_SECRET, follow_session


class SessionFollowingMiddleware:
    """Keeps the grants of a browser session under its present key, which changes at login and at step-up.

    When the person logged out, the sites are told before the answer leaves, and a message names those that did not
    confirm (the page of a logout asked by a site says it by itself).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        if session.accessed and SESSION_SECRET in session and request.user.is_authenticated:
            follow_session(request.user.pk, session)
        ended = getattr(request, "parvis_ended", None)
        if ended is not None:
            for site in ended.tell()[1]:
                messages.warning(
                    request, f"Vous pourriez être encore connecté à {site.name} : déconnectez-vous-en aussi."
                )
        return response
