"""Refusals of the branding editor: each names its field, the rule and the way out."""

from parvis.core.errors import DomainError


class BrandingRefused(DomainError):
    """``field`` is the name of the form's field that the sentence is about."""

    def __init__(self, field: str, sentence: str, **data: object) -> None:
        super().__init__(sentence, field=field, **data)
        self.field = field


class NothingToPublish(DomainError):
    """There is no draft, or it is no longer the one that was looked at."""
