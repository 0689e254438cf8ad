"""An administrator in front of the editor."""

import pytest


@pytest.fixture(autouse=True)
def _kept_apart(settings, tmp_path):
    from django.core.files.storage import storages

    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "documents"},
        },
    }
    storages._storages.clear()


@pytest.fixture
def editor(juvignac, agent_client):
    from tests.core.branding.hands import Editor

    opened = Editor(agent_client(juvignac, "administrateur"))
    opened.organisation = juvignac
    return opened


@pytest.fixture
def versions(juvignac):
    """``versions()`` -> (number, state) of Juvignac's versions, oldest first."""

    from parvis.core.branding.models import BrandingVersion
    from parvis.core.organisations.tenancy import acting_for

    def read():
        with acting_for(juvignac):
            return list(BrandingVersion.objects.order_by("number").values_list("number", "state"))

    return read
