"""What the evidence of a meeting holds, and for how long: nothing waits in a circle, nor for the outside."""

import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route
from parvis.core.routing.services import announce
from parvis.core.trust.timestamps import TimestampUnavailable
from parvis.edemat.seances import services
from parvis.edemat.seances.models import Deliberation, Preuve
from parvis.edemat.seances.services import evidence
from parvis.edemat.seances.tasks import stamp_statement

from .council import ACTOR
from .test_deliberations import steps  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = SimpleNamespace(
    response=b"token", gen_time=datetime(2019, 7, 2, tzinfo=UTC), serial=7, authority="Autorité d’essai"
)


@pytest.fixture
def untimed(juvignac, make_council, steps, monkeypatch):  # noqa: F811
    """A deliberation that left for signature while the sending of its convocation has no token yet."""

    def unavailable(data: bytes) -> None:
        raise TimestampUnavailable("Aucun service d’horodatage n’est configuré.")

    monkeypatch.setattr(evidence, "request_token", unavailable)
    with acting_for(juvignac):
        council = make_council(juvignac, size=3, points=1)
        council.convoke()
        council.deliver()
        council.open(presents=3, powers=0)
        council.rise()
        deliberation = services.establish(Deliberation.objects.get(), actor=ACTOR)
        services.send_to_signature(deliberation, actor=ACTOR)
        return Preuve.objects.select_related("organisation").get(kind="envoi")


def _stamp(preuve):
    stamp_statement(preuve.organisation_id, preuve_id=str(preuve.pk))


def test_a_token_that_comes_late_and_the_route_it_joins_wait_in_turn(untimed, monkeypatch):
    monkeypatch.setattr(evidence, "request_token", lambda data: TOKEN)
    journal_held, errors, plain = threading.Event(), [], evidence.record

    def slow_record(*arguments, **named):
        entry = plain(*arguments, **named)
        journal_held.set()
        time.sleep(0.4)  # long enough for the other to take what it takes before the journal
        return entry

    def tell_the_route():
        journal_held.wait(20)
        with acting_for(untimed.organisation):
            announce(Route.objects.get(), "essai", actor=Actor("job", "autre"))

    def run(function, *arguments):
        try:
            function(*arguments)
        except Exception as error:
            errors.append(error)
        finally:
            journal_held.set()
            connection.close()

    monkeypatch.setattr(evidence, "record", slow_record)
    threads = [
        threading.Thread(target=run, args=(_stamp, untimed)),
        threading.Thread(target=run, args=(tell_the_route,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    with acting_for(untimed.organisation):
        assert Route.objects.get().document("convocation_jeton") is not None


def test_the_authority_is_waited_for_outside_any_transaction(untimed, monkeypatch):
    asked = []

    def request_token(data):
        asked.append(connection.in_atomic_block)
        return TOKEN

    monkeypatch.setattr(evidence, "request_token", request_token)
    _stamp(untimed)
    _stamp(untimed)
    assert asked == [False]
    with acting_for(untimed.organisation):
        assert Preuve.objects.get(pk=untimed.pk).serial == "7"
