"""What a web server does before its first visitor: import every page and compile every template.

Left to the first request, it makes somebody wait for seconds; management commands have no use for it.
"""

from pathlib import Path

from django.apps import apps
from django.template.loader import get_template
from django.urls import get_resolver


def warm() -> None:
    """Read the addresses, which import the views, and the templates of the project with their components."""
    get_resolver().reverse_dict  # noqa: B018  reads every list of addresses
    for app in apps.get_app_configs():
        if app.name.startswith("parvis."):
            folder = Path(app.path, "templates")
            for file in sorted(folder.rglob("*.html")):
                get_template(str(file.relative_to(folder)))
