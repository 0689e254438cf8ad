"""What the queue does not keep: why a job failed last."""

from django.db import models
from procrastinate.contrib.django.models import ProcrastinateJob


class JobFailure(models.Model):
    """Kind of the latest error of a job, without its text, which may name people; a worker writes it."""

    # The constraint is in the migration: the queue's own functions delete jobs, and this row with them.
    job = models.OneToOneField(
        ProcrastinateJob,
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="failure",
        verbose_name="travail",
    )
    error = models.CharField("nature de l’erreur", max_length=200)
    place = models.CharField("endroit du programme", max_length=300)
    correlation_id = models.CharField("numéro de suivi", max_length=64)
    at = models.DateTimeField("date")

    class Meta:
        db_table = "jobs_failure"
        verbose_name = "échec d’un travail"
        verbose_name_plural = "échecs de travaux"

    def __str__(self) -> str:
        return f"{self.error} ({self.place})"
