"""The page of background jobs: an administration sees its own organisation's and restarts failed ones."""

import json

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def put(organisation, status: str, task: str = "parvis.core.journal.tasks.seal_journal") -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, priority, attempts)"
            " VALUES ('essai', %s, %s, %s, 0, 3) RETURNING id",
            [task, json.dumps({"organisation_id": organisation.pk}), status],
        )
        return cursor.fetchone()[0]


def status_of(job: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [job])
        return cursor.fetchone()[0]


def test_failed_job_is_shown_first_and_given_back_to_work(juvignac, agent_client):
    job = put(juvignac, "failed")
    put(juvignac, "todo")
    client = agent_client(juvignac, "administrateur")
    page = client.get("/o/juvignac/travaux/").content.decode()
    assert f"le travail {job}" in page
    client.post(f"/o/juvignac/travaux/{job}/relance/")
    assert status_of(job) == "todo"
    again = client.post(f"/o/juvignac/travaux/{job}/relance/", follow=True).content.decode()
    assert "n’est plus en échec" in again


def test_job_of_a_neighbour_is_neither_shown_nor_touched(juvignac, fabregues, agent_client):
    job = put(fabregues, "failed", task="secret.du.voisin")
    client = agent_client(juvignac, "administrateur")
    assert "secret.du.voisin" not in client.get("/o/juvignac/travaux/?etat=failed").content.decode()
    client.post(f"/o/juvignac/travaux/{job}/relance/")
    assert status_of(job) == "failed"


def test_secretary_does_not_see_jobs(juvignac, agent_client):
    assert agent_client(juvignac, "secretaire").get("/o/juvignac/travaux/").status_code == 403


def test_unknown_state_is_missing(juvignac, agent_client):
    assert agent_client(juvignac, "administrateur").get("/o/juvignac/travaux/?etat=x").status_code == 404
