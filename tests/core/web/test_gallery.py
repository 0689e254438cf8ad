"""The gallery is the contract of the components: it renders whole, only where it may be seen."""

import re

import pytest

pytestmark = pytest.mark.django_db


def test_gallery_draws_every_component(client):
    page = client.get("/composants/").content.decode()
    for heading in (
        "Cheminement",
        "Échéance et étiquettes",
        "Document",
        "Filtres et tableau",
        "Confirmation",
    ):
        assert heading in page
    assert "<c-" not in page
    assert "{{" not in page
    assert "{%" not in page


def test_gallery_has_nothing_that_the_content_policy_would_refuse(client):
    page = client.get("/composants/").content.decode()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)


def test_gallery_is_missing_in_production(client, settings):
    settings.DEMO = settings.DEBUG = False
    assert client.get("/composants/").status_code == 404
