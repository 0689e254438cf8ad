"""A session that ends, in whatever way, ends what it opened on the sites."""

from typing import Any

from allauth.core import context
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete
from django.dispatch import receiver

from parvis.core.provider import grants, logout


@receiver(user_logged_out)
def _logged_out(request: Any, user: Any, **kwargs: Any) -> None:
    """By its holder. The session still holds its secret: it is flushed after this signal."""
    if user is not None and grants.SESSION_SECRET in request.session:
        name = grants.session_digest(request.session)
        _remember(request, logout.end_session(user.pk, session=name, reason="deconnexion"))


@receiver(post_delete, sender=UserSession)
def _ended_from_elsewhere(instance: UserSession, **kwargs: Any) -> None:
    """From the list of sessions, by an administration, or because it had expired when somebody looked."""
    ended = logout.end_session(instance.user_id, session_key=instance.session_key, reason="session_fermee")
    request = context.request
    session = getattr(request, "session", None)
    if session is not None and session.session_key == instance.session_key:
        _remember(request, ended)


def _remember(request: Any, ended: logout.Ended) -> None:
    """For the page that follows, which says where the person may still be logged in.

    The row of the list may go before or after the session itself: whichever is first finds the sites.
    """
    before = getattr(request, "parvis_ended", None)
    if ended.visited and before is None:
        request.parvis_ended = ended
