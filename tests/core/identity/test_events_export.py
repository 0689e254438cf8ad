"""The audit log for other tools: JSON Lines and syslog, complete, streamed, logged."""

import json
import os
import re
import subprocess
import sys
import tracemalloc

import pytest
from django.core.management import CommandError, call_command

from parvis.core.identity import events_export
from parvis.core.identity.audit import audit, digest
from parvis.core.identity.models import SecurityEvent
from parvis.core.organisations.tenancy import acting_for, identity_of

# RFC 5424, section 6: HEADER, one STRUCTURED-DATA element, MSG-ANY.
SYSLOG = re.compile(
    r"<(?P<pri>[1-9]\d{0,2})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (?P<host>[!-~]{1,255})"
    r" (?P<app>[!-~]{1,48}) (?P<proc>[!-~]{1,128}) (?P<msgid>[!-~]{1,32})"
    r' \[origin software="Parvis"\] (?P<msg>[ -~]+)'
)


def exported(account, form):
    with identity_of(account.pk):
        return list(events_export.lines(SecurityEvent.objects.filter(account=account), form))


@pytest.mark.django_db
def test_a_json_line_says_everything_and_the_digest_of_the_journal(account_for, juvignac):
    account = account_for(juvignac, "secretaire")
    line = audit("user.login", account=account, organisation=juvignac, method="password", data={"new": True})
    said = json.loads(exported(account, "jsonl")[0])
    assert said["event"] == "user.login"
    assert said["organisation"] == "juvignac"
    assert said["data"] == {"new": True}
    assert said["sha256"] == digest(line)
    assert set(said) >= {"id", "time", "account", "actor", "outcome", "session", "address", "user_agent", "client"}


@pytest.mark.django_db
@pytest.mark.parametrize(("outcome", "priority"), [("success", 13 * 8 + 5), ("failure", 13 * 8 + 4)])
def test_a_syslog_line_keeps_to_the_grammar(account_for, juvignac, outcome, priority):
    account = account_for(juvignac, "secretaire")
    audit("user.login", account=account, outcome=outcome, data={"texte": "été\n<13>1 - forgé", "x": '"]'})
    (line,) = exported(account, "syslog")
    parts = SYSLOG.fullmatch(line)
    assert parts, line
    assert int(parts["pri"]) == priority
    assert parts["msgid"] == "user.login"
    assert json.loads(parts["msg"])["data"]["texte"].startswith("été")


@pytest.mark.django_db
def test_a_long_name_is_cut_in_the_header_only(account_for, juvignac):
    account = account_for(juvignac, "secretaire")
    audit("manager.user.sso.authorization.deletion", account=account)
    parts = SYSLOG.fullmatch(exported(account, "syslog")[0])
    assert json.loads(parts["msg"])["event"] == "manager.user.sso.authorization.deletion"


@pytest.mark.django_db
def test_events_are_streamed(account_for, juvignac):
    account = account_for(juvignac, "secretaire")
    with identity_of(account.pk):
        SecurityEvent.objects.bulk_create(
            (SecurityEvent(at="2019-06-24T10:00Z", event="user.login", account=account) for _ in range(12_000)),
            batch_size=4000,
        )
        rows = SecurityEvent.objects.filter(account=account)
        tracemalloc.start()
        count = sum(1 for _ in events_export.lines(rows, "jsonl"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 12_000
    assert peak < 16 * 1024 * 1024


@pytest.mark.django_db
def test_the_application_role_which_would_miss_lines_is_refused():
    with pytest.raises(CommandError, match="rôle propriétaire"):
        call_command("export_events")


@pytest.mark.django_db(transaction=True)
def test_the_command_writes_every_event_even_about_nobody_and_logs_itself(account_for, juvignac, tmp_path):
    audit("user.login", account=account_for(juvignac, "secretaire"))
    audit("user.login.failure", outcome="failure")
    audit("manager.export", organisation=juvignac)
    command = [sys.executable, "-m", "parvis", "export_events"]

    def run(*options):
        return subprocess.run([*command, *options], env=os.environ, capture_output=True, text=True, timeout=120)

    whole = run("--output", str(tmp_path / "events.jsonl"))
    assert whole.returncode == 0, whole.stderr
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["user.login", "user.login.failure", "manager.export"]
    ours = run("--organisation", "juvignac", "--format", "syslog", "--since", "2019-01-01")
    assert [SYSLOG.fullmatch(line)["msgid"] for line in ours.stdout.splitlines()] == ["manager.export"]
    assert "Événements exportés : 1." in ours.stderr
    last = run("--until", "2000-01-01T00:00:00+01:00", "--organisation", "nulle-part")
    assert "n’existe pas" in last.stderr
    with acting_for(juvignac):
        assert SecurityEvent.objects.count() == 2  # its own, and the login of its agent
