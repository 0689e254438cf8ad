"""``journal verify DIR``, ``journal export SLUG DIR``, ``journal seal [SLUG …]``."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from parvis.core.errors import DomainError
from parvis.core.journal import verifier
from parvis.core.organisations.models import Organisation


class Command(BaseCommand):
    help = "Verifies an exported journal (offline), exports the journal of an organisation, or seals journals."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        verify = actions.add_parser("verify", help="vérifier un export, sans base de données ni réseau")
        verify.add_argument("directory", type=Path, metavar="DOSSIER")
        verify.add_argument("--autorites", type=Path, help="certificats des autorités d’horodatage (PEM)")
        export = actions.add_parser("export", help="exporter le journal d’une organisation")
        export.add_argument("organisation", metavar="ORGANISATION")
        export.add_argument("directory", type=Path, metavar="DOSSIER")
        seal = actions.add_parser("seal", help="sceller les journaux sans attendre la nuit")
        seal.add_argument("organisations", nargs="*", metavar="ORGANISATION")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        getattr(self, f"_{action}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        report = verifier.verify_export(options["directory"], anchors=options["autorites"])
        self.stdout.write(verifier.printed(report))
        if not report.valid:
            raise SystemExit(1)

    def _export(self, options: dict[str, Any]) -> None:
        from parvis.core.journal.export import export

        directory = export(self._organisation(options["organisation"]), options["directory"])
        self.stdout.write(f"Journal exporté dans {directory}.")

    def _seal(self, options: dict[str, Any]) -> None:
        from parvis.core.journal.sealing import seal_day

        chosen = options["organisations"]
        for organisation in map(self._organisation, chosen) if chosen else Organisation.objects.all():
            try:
                seal = seal_day(organisation)
            except DomainError as error:
                raise CommandError(f"{organisation.slug} : {error.sentence}") from error
            self.stdout.write(f"{organisation.slug} : {seal}, {seal.tree_size} écritures, {seal.authority}.")

    @staticmethod
    def _organisation(slug: str) -> Organisation:
        try:
            return Organisation.objects.get(slug=slug)
        except Organisation.DoesNotExist:
            raise CommandError(f"L’organisation « {slug} » n’existe pas.") from None
