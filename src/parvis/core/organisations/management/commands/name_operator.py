"""Names an operator from the server: the first two of an installation, and a new one where all are lost."""

import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from parvis.core.errors import DomainError
from parvis.core.organisations import platform


class Command(BaseCommand):
    help = (
        "Create an account that runs the platform (password: « Mot de passe oublié »). After the first two, operators "
        "name one another on screen; where none can, give --reason and --decided-by: logged, every operator is told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("given_name")
        parser.add_argument("family_name")
        parser.add_argument("--reason", default="", metavar="MOTIF", help="pourquoi aucun exploitant ne peut nommer")
        parser.add_argument("--decided-by", default="", metavar="NOM", help="nom et qualité de la personne qui décide")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in ("email", "given_name", "family_name", "reason", "decided_by")}
        user = os.environ.get("SUDO_USER") or getpass.getuser()
        try:
            account = platform.name_on_server(**given, user=user)
        except DomainError as refused:
            raise CommandError(refused.sentence) from refused
        self.stdout.write(
            f"{account.email} exploite la plateforme. Cette personne choisit son mot de passe par « Mot de passe "
            "oublié », puis une clé d’accès. Les autres exploitants connus sont prévenus."
        )
