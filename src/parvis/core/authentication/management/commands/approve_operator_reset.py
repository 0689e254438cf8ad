"""Approves on the server that the lost factors of an operator be reset, where no third operator can on screen."""

import getpass
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from parvis.core import clock
from parvis.core.authentication import resets
from parvis.core.authentication.models import OperatorReset
from parvis.core.errors import DomainError


class Command(BaseCommand):
    help = "List the requests about operators, or approve one a day after it was asked on screen (logged)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", metavar="ADRESSE", help="adresse du compte de l’exploitant")
        parser.add_argument("--approver", default="", metavar="NOM", help="nom et qualité de la personne qui approuve")

    def handle(self, *args: Any, address: str | None, approver: str, **options: Any) -> None:
        if address is None:
            self._list()
            return
        if not approver.strip():
            raise CommandError("Indiquez qui approuve : --approver « Prénom Nom, qualité ».")
        user = os.environ.get("SUDO_USER") or getpass.getuser()
        try:
            reset = resets.approve_on_server(address, approver=approver, user=user)
        except DomainError as refused:
            raise CommandError(refused.sentence) from None
        self.stdout.write(
            f"Les facteurs de {reset.account.full_name} sont remis à zéro : « Mot de passe oublié », puis un nouveau"
            f" facteur. Approuvé par {reset.approved_on_server} ; tous les exploitants sont prévenus."
        )

    def _list(self) -> None:
        waiting = OperatorReset.objects.filter(state=OperatorReset.State.ASKED).select_related("account", "asked_by")
        for reset in waiting.order_by("asked_at"):
            moment = clock.paris(reset.possible_from)
            self.stdout.write(
                f"{reset.account.email} : demandé par {reset.asked_by.full_name}, possible dès le"
                f" {moment:%d/%m/%Y à %H:%M} : {reset.reason}"
            )
