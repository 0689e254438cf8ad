"""Gives the platform its first two operators; those who follow are proposed and approved on screen."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from parvis.core.identity import addresses
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account


class Command(BaseCommand):
    help = "Create one of the first two accounts that runs the platform (password: « Mot de passe oublié »)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("given_name")
        parser.add_argument("family_name")

    def handle(self, *args: Any, email: str, given_name: str, family_name: str, **options: Any) -> None:
        if Account.objects.filter(is_platform_administrator=True, is_active=True).count() >= 2:
            raise CommandError("La plateforme a deux exploitants : ce sont eux qui nomment les suivants.")
        try:
            email = addresses.canonical(email)
        except addresses.AddressRefused as refused:
            raise CommandError(refused.sentence) from refused
        if Account.objects.filter(email__iexact=email).exists():
            raise CommandError("Cette adresse a déjà un compte : prenez-en une autre.")
        account = Account.objects.create_user(
            email,
            given_name=given_name,
            family_name=family_name,
            population=Account.Population.EXPLOITATION,
            is_platform_administrator=True,
        )
        audit("manager.user.creation", account=account, data={"first_operator": True})
        self.stdout.write(f"{account.email} exploite la plateforme.")
