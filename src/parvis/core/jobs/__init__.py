"""Background work: enqueued in the transaction that needs it, run for one organisation at a time."""

from parvis.core.jobs.decorator import job, labelled

__all__ = ["job", "labelled"]
