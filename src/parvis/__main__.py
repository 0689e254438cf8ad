"""``python -m parvis COMMAND``: Django's management commands, with the embedded database when none is named."""

import os
import sys
from pathlib import Path

OWNER_COMMANDS = {"migrate", "makemigrations", "sqlmigrate", "dbshell", "export_events"}


def main() -> None:
    from parvis.config.embedded import ensure_environment

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parvis.config.settings")
    variable = Path(os.environ.get("PARVIS_VAR_DIR", Path(__file__).resolve().parents[2] / "var"))
    ensure_environment(variable / "pg")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ["PARVIS_DB_ROLE"] = "owner"
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
