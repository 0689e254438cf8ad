"""The journal: an append-only chain of events per organisation, its hash tree and its time-stamped seals.

The database itself refuses to change or remove what is written here (migration 0001).
"""

from typing import Any

from django.db import models
from django.db.models import Q

from parvis.core.journal.actions import label_of
from parvis.core.journal.canonical import entry_bytes
from parvis.core.organisations.models import TenantModel


class Head(TenantModel):
    """End of an organisation's chain; its row lock gives out sequence numbers without gap."""

    seq = models.BigIntegerField(default=0)
    prev = models.CharField(max_length=64)

    class Meta:
        verbose_name = "fin de chaîne"
        constraints = [models.UniqueConstraint(fields=["organisation"], name="journal_one_head")]

    def __str__(self) -> str:
        return f"{self.organisation} : {self.seq}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def about(self, kind: str, identifier: object) -> "EntryQuerySet":
        return self.filter(subject_kind=kind, subject_id=str(identifier))

    def sealed_by(self, seal: "Seal") -> "EntryQuerySet":
        return self.filter(seq__lte=seal.tree_size)


class Entry(TenantModel):
    """One event: who did what to which object, when, and the digest of what was acted on."""

    seq = models.BigIntegerField("numéro")
    ts = models.DateTimeField("date")
    action = models.CharField("événement", max_length=60)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=64, blank=True)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)
    prev = models.CharField("empreinte de l’écriture précédente", max_length=64)
    leaf = models.BinaryField("feuille de l’arbre", max_length=32)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "écriture"
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "seq"], name="journal_entry_seq"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="journal_entry_seq_from_one"),
        ]
        indexes = [
            models.Index(fields=["organisation", "subject_kind", "subject_id", "seq"], name="journal_entry_subject")
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"

    def canonical(self) -> bytes:
        """The bytes whose hashes are chained and stand in the tree."""
        return entry_bytes(
            organisation=self.organisation.siren,
            seq=self.seq,
            ts=self.ts,
            action=self.action,
            actor=(self.actor_kind, self.actor_id),
            subject=(self.subject_kind, self.subject_id),
            sha256=self.sha256,
            details=self.details,
            prev=self.prev,
        )

    @property
    def label(self) -> str:
        """French sentence of the event."""
        return label_of(self.action, self.details)


class Tile(TenantModel):
    """256 neighbouring hashes of the tree, complete: level 0 holds leaves, the others the roots below."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    hashes = models.BinaryField(max_length=256 * 32)

    class Meta:
        verbose_name = "tuile de l’arbre"
        constraints = [models.UniqueConstraint(fields=["organisation", "level", "index"], name="journal_tile_place")]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class Seal(TenantModel):
    """A checkpoint of the tree with its RFC 3161 token: nothing counted in it can change unseen."""

    number = models.PositiveIntegerField("numéro")
    sealed_at = models.DateTimeField("scellé le")
    tree_size = models.BigIntegerField("nombre d’écritures")
    root = models.CharField("racine de l’arbre", max_length=64)
    checkpoint = models.BinaryField("point de contrôle (JSON canonique)")
    checkpoint_sha256 = models.CharField("empreinte du point de contrôle", max_length=64)
    previous = models.OneToOneField("self", models.PROTECT, null=True, related_name="next")
    token = models.BinaryField("jeton RFC 3161 (TimeStampToken)")
    token_response = models.BinaryField("jeton RFC 3161 (réponse)")
    token_time = models.DateTimeField("date certaine")
    authority = models.CharField("autorité d’horodatage", max_length=200)

    class Meta:
        verbose_name = "scellement"
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["organisation", "number"], name="journal_seal_number")]

    def __str__(self) -> str:
        return f"Scellement n° {self.number}"

    def facts(self) -> dict[str, Any]:
        """What a page or a proof says of this seal, as JSON values."""
        return {
            "number": self.number,
            "tree_size": self.tree_size,
            "root": self.root,
            "checkpoint_sha256": self.checkpoint_sha256,
            "token_time": self.token_time.isoformat(),
            "authority": self.authority,
        }
