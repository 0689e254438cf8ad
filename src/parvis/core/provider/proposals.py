"""What an organisation proposes and the platform approves, with what is in force meanwhile, in one row."""

import hashlib
import json
from typing import Any, ClassVar

from django.db import models

from parvis.core import clock
from parvis.core.identity.models import Account
from parvis.core.organisations.models import TenantModel


class ProposalState(models.TextChoices):
    """Where a proposal stands, whatever it is about."""

    PROPOSED = "propose", "proposé"
    LIVE = "en_service", "en service"
    REFUSED = "refuse", "refusé"
    SUSPENDED = "suspendu", "suspendu"


class Proposal(TenantModel):
    """Base of what is answered only once the platform has put it in service.

    The columns of ``FIELDS`` are what is in force, or the first proposal; ``proposal`` is what the organisation wants
    instead, until the platform approves it, or refuses it and says why in ``refusal``.
    """

    FIELDS: ClassVar[tuple[str, ...]]
    State = ProposalState

    state = models.CharField("état", max_length=12, choices=ProposalState.choices, default=ProposalState.PROPOSED)
    proposal = models.JSONField("modification proposée", null=True, editable=False)
    refusal = models.CharField("motif du refus", max_length=300, blank=True)
    created_at = models.DateTimeField("proposé le", auto_now_add=True)
    approved_at = models.DateTimeField("mis en service le", null=True)
    approved_by = models.ForeignKey("identity.Account", models.SET_NULL, null=True, related_name="+")
    last_used_at = models.DateTimeField("dernière utilisation", null=True)

    class Meta:
        abstract = True

    @property
    def in_force(self) -> dict[str, Any]:
        """The values of the columns, by the names of ``FIELDS``."""
        return {name: getattr(self, name) for name in self.FIELDS}

    @property
    def proposed(self) -> dict[str, Any]:
        """What the organisation proposed last, by the names of ``FIELDS``: the same where it wants nothing else."""
        return {**self.in_force, **(self.proposal or {})}

    def put_forward(self, wanted: dict[str, Any]) -> None:
        """Propose ``wanted``, all of ``FIELDS``: at once in the columns until a first approval, beside them after."""
        if self.approved_at is None:
            for name, value in wanted.items():
                setattr(self, name, value)
            self.state = self.State.PROPOSED
        else:
            self.proposal = wanted if wanted != self.in_force else None
        self.refusal = ""

    def put_in_service(self, by: Account | None) -> None:
        """What was proposed is in force, approved by ``by``."""
        for name, value in self.proposed.items():
            setattr(self, name, value)
        self.state, self.approved_at, self.approved_by = self.State.LIVE, clock.now(), by
        self.proposal, self.refusal = None, ""

    def turn_down(self, reason: str) -> None:
        """What was proposed is refused, and why; what is in force stays so."""
        if self.state == self.State.PROPOSED:
            self.state = self.State.REFUSED
        self.refusal = reason

    @property
    def waits(self) -> bool:
        """Whether the platform has something to approve or to refuse."""
        changed = self.state == self.State.LIVE and self.proposal is not None and not self.refusal
        return changed or self.state == self.State.PROPOSED

    @property
    def standing(self) -> str:
        """Where it is, in the words of the services of OpenID Connect."""
        changed = self.state == self.State.LIVE and self.waits
        return "modification à approuver" if changed else str(self.State(self.state).label)

    @property
    def fingerprint(self) -> str:
        """Digest of all that the platform judges: what it approves is what it read."""
        return hashlib.sha256(json.dumps(self.proposed, sort_keys=True).encode()).hexdigest()
