"""Fixtures of the tests of access; Django is not ready yet where this file is read."""

import logging

import pytest


@pytest.fixture
def light(monkeypatch, settings):
    """Pages of error without their layout nor their line in the log; templates not recorded for assertions.

    Thousands are asked for, and their look is tested elsewhere.
    """
    from django.http import HttpResponse
    from django.template import Template
    from django.test.utils import _TestState
    from django.urls import URLResolver

    def handler(resolver, view_type):
        return lambda request, exception=None: HttpResponse(status=int(view_type))

    monkeypatch.setattr(URLResolver, "resolve_error_handler", handler)
    monkeypatch.setattr(Template, "_render", _TestState.saved_data.template_render)
    settings.CSRF_FAILURE_VIEW = "tests.core.identity.callers.refused_form"
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def callers(light, agent_client, juvignac, fabregues):
    """``callers["juvignac", "maire"]``, ``callers["nobody"]``…; ``client.held`` are the permissions in Juvignac."""
    from tests.core.identity.callers import everybody

    return everybody(agent_client, juvignac, fabregues)
