"""``load_territory FILE``: create or update the organisations listed in a CSV file."""

import csv
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from parvis.core.organisations.models import Organisation, Subscription


class Command(BaseCommand):
    help = (
        "Creates or updates organisations from a CSV file with the columns slug, kind, name, short_name, parent, "
        "siren, insee, postal_code, population, departement, arrondissement, nature_actes, pref_id, accent, "
        "accent_2, email_sender, welcome_text, applications (separated by spaces) and since."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *args, file: Path, **options):
        with file.open(encoding="utf-8", newline="") as stream, transaction.atomic():
            for number, row in enumerate(csv.DictReader(stream), start=2):
                try:
                    self._load(row)
                except Exception as error:
                    raise CommandError(f"{file}, ligne {number} ({row.get('slug')}) : {error}") from error

    def _load(self, row: dict[str, str]) -> None:
        applications, since = row.pop("applications").split(), row.pop("since")
        parent, slug = row.pop("parent"), row.pop("slug")
        fields = {
            **row,
            "population": int(row["population"]) if row["population"] else None,
            "parent": Organisation.objects.get(slug=parent) if parent else None,
        }
        organisation = Organisation.objects.filter(slug=slug).first() or Organisation(slug=slug)
        for name, value in fields.items():
            setattr(organisation, name, value)
        organisation.full_clean()
        organisation.save()
        for application in applications:
            Subscription.objects.get_or_create(
                organisation=organisation, application=application, defaults={"since": since}
            )
