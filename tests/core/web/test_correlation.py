"""Each request has a number, which the reverse proxy alone may choose and which the answer tells."""

import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from parvis.core.correlation import current_number
from parvis.core.web.middleware import CorrelationMiddleware
from parvis.core.web.views import server_error

PROXY, STRANGER = "127.0.0.1", "198.51.100.9"


@pytest.fixture
def answered(settings):
    """``answered(peer, number)`` -> the answer to a request that came with this number."""
    settings.PARVIS_BEHIND_PROXY, settings.PARVIS_PROXY_ADDRESSES = True, [PROXY]

    def pass_through(peer, number):
        request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Request-Id": number})
        return CorrelationMiddleware(lambda r: HttpResponse(current_number()))(request)

    return pass_through


@pytest.mark.parametrize(
    ("peer", "number", "kept"),
    [
        (PROXY, "suivi-0001", True),
        (STRANGER, "suivi-0001", False),
        (PROXY, "a\nb-0000001", False),
        (PROXY, "x" * 65, False),
        (PROXY, "é" * 9, False),
        (PROXY, "", False),
    ],
)
def test_the_number_of_a_request_is_the_proxys_when_it_is_well_formed(answered, peer, number, kept):
    told = answered(peer, number)["X-Request-Id"]
    assert (told == number) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", told)


def test_without_a_proxy_the_number_is_ours(answered, settings):
    settings.PARVIS_BEHIND_PROXY = False
    assert answered(PROXY, "suivi-0001")["X-Request-Id"] != "suivi-0001"


def test_the_number_is_in_force_during_the_request_alone(answered):
    answer = answered(PROXY, "suivi-0001")
    assert answer.content == b"suivi-0001"
    assert current_number() == ""


@pytest.mark.django_db
def test_a_page_that_is_refused_before_any_other_middleware_has_its_number(client):
    assert client.get("/", headers={"Host": "inconnu.invalid"})["X-Request-Id"]


def test_the_page_of_a_failure_tells_the_number_to_quote():
    request = RequestFactory().get("/")
    request.request_id = "suivi-0001"
    assert "<code>suivi-0001</code>" in server_error(request).content.decode()
