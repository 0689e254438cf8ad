"""The embedded database server: started once, found again, stopped when asked."""

import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from parvis.config import embedded


@pytest.fixture
def folder():
    """Not pytest's own folder, which each session closes to the user that PostgreSQL runs as under root."""
    path = Path(tempfile.mkdtemp(prefix="parvis-pg-"))
    yield path
    shutil.rmtree(path)


@pytest.mark.slow
def test_a_server_is_started_found_again_and_stopped(folder):
    data = folder / "pg"
    first = embedded.start(data, durable=False)
    try:
        assert embedded.start(data, durable=False) == first
        with psycopg.connect(first["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (embedded.APPLICATION,)
    finally:
        embedded.stop(data)
    assert not (data / "postmaster.pid").exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first["DATABASE_URL"])
