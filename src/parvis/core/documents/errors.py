"""What may go wrong with a document, each with the sentence its owner reads."""

from parvis.core.errors import DomainError


class DocumentTooLarge(DomainError):
    """The content passes the size allowed."""

    @classmethod
    def of(cls, filename: str, limit: int) -> "DocumentTooLarge":
        return cls(
            f"« {filename} » dépasse {limit // 1024 // 1024} Mio, la taille admise ici. "
            "Réduisez la résolution des images ou séparez le fichier en plusieurs.",
            limit=limit,
        )


class DocumentRefused(DomainError):
    """The content is not what may be accepted: damaged, locked, not of its type."""


class DocumentInfected(DomainError):
    """The antivirus recognised something in the content."""


class DocumentMissing(DomainError):
    """The storage does not hold the content."""


class DocumentDamaged(DomainError):
    """The stored bytes no longer have their digest."""

    @classmethod
    def of(cls, sha256: str) -> "DocumentDamaged":
        return cls(
            "Le contenu conservé ne correspond plus à son empreinte : il n’est pas restitué. L’incident est consigné.",
            sha256=sha256,
        )
