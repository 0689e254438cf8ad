"""What may go wrong between Parvis and an identity provider, in words for the person who was logging in."""

from collections.abc import Iterator
from contextlib import contextmanager

from parvis.core.errors import DomainError

OTHER_WAYS = "Vous pouvez réessayer, ou vous connecter autrement."


class FederationError(DomainError):
    """A login through a provider did not succeed. ``reason`` names the check that failed, for the log."""

    def __init__(self, reason: str, sentence: str, **data: object) -> None:
        super().__init__(sentence, reason=reason, **data)
        self.reason = reason
        self.next = ""
        """The page that the person wanted, once their request is known."""


class ProviderUnavailable(FederationError):
    """The provider did not answer in time, or answered out of bounds."""

    def __init__(self, label: str, **data: object) -> None:
        super().__init__("unavailable", f"{label} ne répond pas pour le moment. {OTHER_WAYS}", **data)


class AnswerRefused(FederationError):
    """What the provider (or somebody in its place) answered does not hold."""

    def __init__(self, reason: str, **data: object) -> None:
        sentence = (
            f"La réponse reçue n’a pas pu être vérifiée : par sécurité, la connexion est abandonnée. {OTHER_WAYS}"
        )
        super().__init__(reason, sentence, **data)


class NotFresh(AnswerRefused):
    """The provider answered from a session that was open there, where the person was to log in again."""

    def __init__(self, label: str, at: float) -> None:
        sentence = (
            f"{label} a répondu sans vous redemander qui vous êtes : rien ne prouve que c’est vous, maintenant."
            f" Réessayez, et identifiez-vous quand {label} le demande."
        )
        FederationError.__init__(self, "auth_time", sentence, auth_time=at)


@contextmanager
def part_of(answer: str) -> Iterator[None]:
    """Say in the reason of a refusal which part of the answer it is about: ``signature`` of the ``id_token``."""
    try:
        yield
    except AnswerRefused as refused:
        refused.reason = refused.data["reason"] = f"{answer}.{refused.reason}"
        raise


class StateUnknown(FederationError):
    """The answer is not to a request of this browser, or comes too late, or for the second time."""

    def __init__(self, reason: str = "state") -> None:
        super().__init__(
            reason,
            "Cette page de retour ne correspond à aucune connexion en cours dans ce navigateur : elle a déjà servi ou"
            " a plus de trente minutes. Recommencez la connexion.",
        )


class Declined(FederationError):
    """The person said no, or the provider could not go on."""

    def __init__(self, label: str, error: str) -> None:
        refused = error == "access_denied"
        sentence = (
            f"Vous n’avez pas continué avec {label} : rien n’a été transmis. {OTHER_WAYS}"
            if refused
            else f"{label} n’a pas pu terminer la connexion. {OTHER_WAYS}"
        )
        super().__init__("declined" if refused else "provider_error", sentence, error=error[:80])
