"""``oidc_keys list | rotate [--now] | purge``: the keys that sign what the provider says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from parvis.core.identity.audit import audit
from parvis.core.provider import keys


class Command(BaseCommand):
    help = "Liste, renouvelle ou purge les clés du fournisseur d’identité."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["list", "rotate", "purge"])
        parser.add_argument("--now", action="store_true", help="retire aussitôt les clés en place (clé compromise)")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        if action == "rotate":
            kid = keys.rotate(at_once=options["now"])
            audit("provider.keyset.change", data={"kid": kid, "at_once": options["now"]})
            self.stdout.write(f"Nouvelle clé {kid}.")
        elif action == "purge":
            gone = keys.purge()
            if gone:
                audit("provider.keyset.change", data={"purged": gone})
            self.stdout.write(f"Clés retirées : {gone}.")
        for key in keys.all_keys():
            kid = keys.load(key.pem)[0]["kid"]
            end = key.expires_at.isoformat() if key.expires_at else "sans terme"
            self.stdout.write(f"{kid}  signe à partir de {key.not_before}  publiée jusqu’à {end}")
