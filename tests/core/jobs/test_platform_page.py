"""The operators' page of jobs: those of no organisation, why they failed, a way to give them back to work."""

import json

import pytest
from django.db import connection

from parvis.core.jobs.models import JobFailure
from parvis.core.jobs.queries import of_organisation
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from tests.conftest import _organisation
from tests.core.authentication.test_resets import as_operator
from tests.core.jobs.test_page import status_of

pytestmark = pytest.mark.django_db
PAGE = "/plateforme/travaux/"


@pytest.fixture
def operator():
    return as_operator("exploitation@plateforme.test")


def put(status: str, task: str = "identity.notify", scheduled: str | None = None, lock: str | None = None, **arguments):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, priority, attempts, scheduled_at,"
            " queueing_lock) VALUES ('essai', %s, %s, %s, 0, 3, %s, %s) RETURNING id",
            [task, json.dumps(arguments), status, scheduled, lock],
        )
        return cursor.fetchone()[0]


def test_a_failed_job_is_shown_with_its_label_its_error_and_its_number(operator):
    job = put("failed", account=3)
    JobFailure.objects.create(
        job_id=job, error="smtplib.SMTPServerDisconnected", place="parvis/core/identity/mails.py:42 write_notice",
        correlation_id="suivi-0001", at="2026-03-01T10:00+00:00",
    )  # fmt: skip
    page = operator.get(PAGE).content.decode()
    for shown in ("Avis d’un compte", "smtplib.SMTPServerDisconnected", "mails.py:42", "suivi-0001"):
        assert shown in page


def test_the_arguments_of_a_job_are_shown_to_nobody(operator):
    put("failed", facts={"name": "Camille-Essai"})
    assert "Camille-Essai" not in operator.get(PAGE).content.decode()


def test_a_waiting_job_tells_its_next_attempt(operator):
    put("todo", scheduled="2031-03-01T10:00+00:00")
    assert 'datetime="2031-03-01T10:00:00+00:00"' in operator.get(f"{PAGE}?etat=todo").content.decode()


def test_jobs_of_an_organisation_are_not_shown(operator, juvignac):
    put("failed", task="essai.de.commune", organisation_id=juvignac.pk)
    put("failed", task="essai.de.personne", organisation_id=0)
    page = operator.get(f"{PAGE}?etat=failed").content.decode()
    assert "essai.de.personne" in page
    assert "essai.de.commune" not in page


def test_jobs_of_an_organisation_are_not_restarted(operator, juvignac):
    job = put("failed", organisation_id=juvignac.pk)
    operator.post(f"{PAGE}{job}/relance/")
    assert status_of(job) == "failed"


def test_what_ended_well_is_no_tab(operator):
    assert operator.get(f"{PAGE}?etat=succeeded").status_code == 404


def test_a_failed_job_is_given_back_to_work(operator):
    job = put("failed")
    page = operator.post(f"{PAGE}{job}/relance/", follow=True).content.decode()
    assert "Le travail est relancé" in page
    assert status_of(job) == "todo"


def test_a_job_that_failed_no_more_is_refused_with_a_sentence(operator):
    job = put("todo")
    assert "n’est plus en échec" in operator.post(f"{PAGE}{job}/relance/", follow=True).content.decode()


def test_a_job_that_another_one_replaces_stays_as_it_is(operator):
    job = put("failed", task="identity.daily", lock="identity.daily")
    put("todo", task="identity.daily", lock="identity.daily")
    page = operator.post(f"{PAGE}{job}/relance/", follow=True).content.decode()
    assert "attend déjà son tour" in page
    assert status_of(job) == "failed"


def test_the_restart_is_audited_and_its_digest_is_in_the_journal_of_the_metropole(operator):
    metropole = _organisation("metropole", "Métropole", "Métropole", "243400017", kind="metropole", nature_actes="41")
    job = put("failed")
    operator.post(f"{PAGE}{job}/relance/")
    with acting_for(metropole):
        entry = Entry.objects.get(action="identite.evenement", details__event="manager.job.retry")
    assert (entry.actor_kind, entry.actor_id) == ("account", str(operator.account.pk))


def test_restarting_asks_for_a_fresh_proof(operator):
    job = put("failed")
    session = operator.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    operator.post(f"{PAGE}{job}/relance/")
    assert status_of(job) == "failed"


def test_pages_follow_one_another_by_number(operator):
    jobs = [put("failed") for _ in range(51)]
    first = operator.get(PAGE).content.decode()
    assert f"le travail {jobs[0]}<" not in first
    assert f"?etat=failed&amp;apres={jobs[1]}" in first
    second = operator.get(f"{PAGE}?etat=failed&apres={jobs[1]}").content.decode()
    assert f"le travail {jobs[0]}<" in second
    assert f"?etat=failed&amp;avant={jobs[0]}" in second


@pytest.mark.parametrize("key", ["x", "-1", "²", "9" * 40, ""])
def test_a_page_of_no_number_is_the_first(operator, key):
    job = put("failed")
    assert f"le travail {job}<" in operator.get(PAGE, {"etat": "failed", "apres": key}).content.decode()


def test_a_page_costs_as_many_statements_whatever_the_number_of_jobs(operator, django_assert_max_num_queries):
    from django.test.utils import CaptureQueriesContext

    put("failed")
    operator.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        operator.get(PAGE)
    for _ in range(20):
        put("failed")
    with django_assert_max_num_queries(len(few)):
        operator.get(PAGE)


def test_pages_are_read_along_the_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'jobs_of_owner'")
        (index,) = cursor.fetchone()
    # Without its order: a table so small may as well be read along its key, as one of a thousand jobs would not.
    assert "jobs_of_owner" in of_organisation(0).filter(status="failed").order_by().explain()
    assert index.endswith("status, id)"), "which gives a page in its order"


def test_the_failure_of_a_job_goes_with_it():
    job = put("failed")
    JobFailure.objects.create(job_id=job, error="E", place="p", correlation_id="", at="2026-03-01T10:00+00:00")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job])
    assert not JobFailure.objects.exists()
