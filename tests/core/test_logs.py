"""Logs are JSON lines that follow a request or a job, and name nobody."""

import json
import logging
import logging.config
import sys

import pytest
from django.conf import settings
from django.urls import resolve

from parvis.core.correlation import following
from parvis.core.logs import JsonLines
from parvis.core.organisations.tenancy import acting_for


def line(message="texte", *arguments, error=None, **extra) -> dict:
    """What the settings' formatter writes of one record."""
    record = logging.LogRecord("parvis.essai", logging.WARNING, __file__, 1, message, arguments, error)
    record.__dict__.update(extra)
    written = JsonLines().format(record)
    assert "\n" not in written
    return json.loads(written)


def test_the_settings_write_logs_so():
    assert settings.LOGGING["formatters"]["line"] == {"()": "parvis.core.logs.JsonLines"}
    assert settings.LOGGING["root"]["handlers"] == ["console"]


def test_a_line_has_its_time_level_logger_and_message():
    found = line("%s actes", 3)
    assert found.pop("time").endswith("+00:00")
    assert found == {"level": "WARNING", "logger": "parvis.essai", "message": "3 actes"}


def test_a_line_has_the_number_in_force():
    with following("suivi-0001"):
        assert line()["correlation"] == "suivi-0001"


@pytest.mark.django_db
def test_a_line_has_the_organisation_acted_for(juvignac):
    with acting_for(juvignac):
        assert line()["organisation"] == juvignac.pk
    assert "organisation" not in line()


@pytest.mark.django_db
def test_a_line_about_a_request_that_is_over_keeps_its_number_and_its_organisation(rf, juvignac):
    request = rf.get("/")
    request.request_id, request.organisation = "suivi-0001", juvignac
    found = line(request=request)
    assert (found["correlation"], found["organisation"]) == ("suivi-0001", juvignac.pk)


def test_a_line_of_the_worker_names_its_job_and_hides_its_arguments():
    call = "identity.notify[12](account=3, name='Camille')"
    job = {"id": 12, "task_name": "identity.notify", "call_string": call}
    found = line(f"Job {call} ended", job=job | {"task_kwargs": {"correlation_id": "suivi-0001", "organisation_id": 7}})
    assert found["message"] == "Job identity.notify[12] ended"
    assert (found["job"], found["task"], found["correlation"], found["organisation"]) == (
        12, "identity.notify", "suivi-0001", 7,
    )  # fmt: skip


def test_an_address_is_told_by_its_pattern_for_it_may_hold_a_token(rf):
    request = rf.get("/invitation/exploitation/un-jeton-secret/")
    request.resolver_match = resolve(request.path)
    assert line("Gone: %s", request.path, request=request)["message"] == "Gone: /" + request.resolver_match.route


def test_an_address_of_no_page_is_not_told(rf):
    assert line("Not Found: %s", "/Camille", request=rf.get("/Camille"))["message"] == "Not Found: (no such address)"


def test_an_error_is_told_by_its_class_and_its_place_without_its_text():
    try:
        raise ValueError("Camille Essai, 12 rue des Lilas")
    except ValueError:
        found = line(error=sys.exc_info())
    assert found["error"] == "ValueError"
    assert found["trace"][-1].endswith("test_an_error_is_told_by_its_class_and_its_place_without_its_text")
    assert "Lilas" not in json.dumps(found, ensure_ascii=False)


def test_an_e_mail_address_is_hidden():
    assert line("refused: %s", "<camille.essai+x@exemple.test>")["message"] == "refused: <…@…>"
