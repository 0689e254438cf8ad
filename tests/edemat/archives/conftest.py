"""Fixtures of the archive tests: storage in a folder of the test and a route ready to be archived."""

import pytest


@pytest.fixture(autouse=True)
def storage_folders(settings, tmp_path):
    """Documents and archives of the test lie in its own folder."""
    settings.PARVIS_ARCHIVE_ROOTS = [tmp_path / "ocfl", tmp_path / "ocfl-copie"]
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "documents"},
        }
    }


@pytest.fixture
def juvignac_route(juvignac, frozen_clock):
    from tests.edemat.archives.routes import route_of

    frozen_clock("2019-07-12T09:00:00+02:00")
    return route_of(juvignac)
