"""An act that names people is notified to them: from when it binds, and the certificate that says so."""

from datetime import date

import pytest

from parvis.core.documents.services import read_bytes
from parvis.core.journal.models import Entry
from parvis.core.journal.queries import entries_about
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep, Task
from parvis.core.routing.registry import plugin
from parvis.edemat.actes.dossier import Dossier
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.models import Acte, Notification, Transaction
from parvis.edemat.actes.notification import notify
from parvis.edemat.actes.public_text import text_of
from parvis.edemat.actes.publication import Author, PublicationRefused, publish
from tests.edemat.actes.conftest import AGENT
from tests.edemat.actes.making import make_acte

MAYOR = Author("Camille ESSAI", "Maire")
LIST = "/o/juvignac/actes/"


@pytest.fixture
def today(frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")


@pytest.fixture
def acte(juvignac, today):
    with acting_for(juvignac):
        return make_acte(juvignac, "2019-ARR-12", nature="3", matiere="4.1", objet="Avancement d’échelon")


def note(acte, **changes):
    entered = {"on": date(2019, 7, 9), "persons": 1, "means": "remise", "author": MAYOR, "actor": AGENT} | changes
    with acting_for(acte.organisation):
        return notify(acte, **entered)


def again(acte) -> Acte:
    with acting_for(acte.organisation):
        return Acte.objects.get(pk=acte.pk)


def test_an_individual_act_binds_from_its_notification(acte):
    note(acte)
    assert (again(acte).notified_on, again(acte).executoire_on) == (date(2019, 7, 9), date(2019, 7, 9))


def test_notified_before_its_reception_it_binds_from_the_reception(juvignac, today):
    with acting_for(juvignac):
        acte = make_acte(juvignac, nature="3", received_on=date(2019, 7, 10))
    note(acte, on=date(2019, 7, 2))
    assert again(acte).executoire_on == date(2019, 7, 10)


def test_publishing_an_individual_act_does_not_replace_its_notification(acte):
    with acting_for(acte.organisation):
        online = publish(acte, author=MAYOR, actor=AGENT, personal_data_reviewed=True)
    assert again(acte).executoire_on is None
    note(acte)
    with acting_for(acte.organisation):
        online.refresh_from_db()
    assert online.executoire_on == date(2019, 7, 9)


def test_a_deliberation_about_people_binds_from_its_publication(juvignac, today):
    with acting_for(juvignac):
        acte = make_acte(juvignac, nature="1", matiere="4.1")
    note(acte)
    assert again(acte).executoire_on == date(2019, 7, 9)
    with acting_for(juvignac):
        publish(acte, author=MAYOR, actor=AGENT, personal_data_reviewed=True)
    assert again(acte).executoire_on == date(2019, 7, 11)


def test_a_receipt_after_the_notification_makes_it_bind(commune, prepare, state, run_jobs, later):
    acte = state.transmit(prepare(commune, nature="3", type_piece="99_AI", matiere="4.1"))
    note(acte, on=date(2019, 7, 2))
    assert state.again(acte).executoire_on is None
    later(minutes=30)
    state.poll()
    assert state.again(acte).executoire_on == date(2019, 7, 3)
    run_jobs()
    with acting_for(commune):
        assert acte.document.derived.filter(derivation__startswith="certificat_executoire").exists()


def test_the_certificate_says_the_notification_and_no_publication(acte, run_jobs):
    note(acte, means="lettre")
    run_jobs()
    with acting_for(acte.organisation):
        document = acte.document.derived.get(derivation__startswith="certificat_executoire")
        said = " ".join(text_of(document).split())
        assert read_bytes(document).startswith(b"%PDF")
    assert "Notification aux intéressés (lettre recommandée" in said
    assert "mardi 9 juillet 2019" in said
    assert "site internet" not in said


def test_a_notification_noted_again_is_corrected_and_certified_again(acte, run_jobs, later):
    note(acte)
    run_jobs()
    later(minutes=1)
    note(acte, on=date(2019, 7, 10), persons=2)
    run_jobs()
    with acting_for(acte.organisation):
        noted = Notification.objects.get()
        certificates = acte.document.derived.filter(derivation__startswith="certificat_executoire")
        assert (noted.notified_on, noted.persons, certificates.count()) == (date(2019, 7, 10), 2, 2)
    assert again(acte).executoire_on == date(2019, 7, 10)


def test_the_journal_has_the_count_and_no_name(acte):
    note(acte, note="Remise au service", persons=3)
    with acting_for(acte.organisation):
        details = Entry.objects.get(action="actes.notifie").details
    assert details == {
        "notified_on": "2019-07-09",
        "executoire_on": "2019-07-09",
        "persons": 3,
        "means": "remise",
    }


@pytest.mark.parametrize(
    ("fields", "changes", "sentence"),
    [
        ({}, {"on": date(2019, 7, 12)}, "ne peut pas être à venir"),
        ({}, {"on": date(2019, 6, 30)}, "ne peut pas précéder la décision"),
        ({}, {"persons": 0}, "une au moins"),
        ({"nature": "1", "matiere": "5.7"}, {}, "ne nomme personne"),
        ({"status": Status.ERREUR}, {}, "en erreur"),
        ({"status": Status.A_SIGNER}, {}, "pas encore signé"),
    ],
)
def test_a_wrong_notification_is_refused(juvignac, today, fields, changes, sentence):
    with acting_for(juvignac):
        acte = make_acte(juvignac, **({"nature": "3", "matiere": "4.1"} | fields))
    with pytest.raises(PublicationRefused, match=sentence):
        note(acte, **changes)


# --- its route --------------------------------------------------------------------------------------------
@pytest.fixture
def on_its_route(juvignac, today):
    """``on_its_route(nature=…, matiere=…)`` -> an acknowledged act about people, at « À publier » on its route."""

    def make(begun: bool = True, **fields) -> Acte:
        with acting_for(juvignac):
            route = Route.objects.create(
                organisation=juvignac, kind="acte", title="Protection fonctionnelle", reference="2019-12",
                facts={}, created_at="2019-07-01T20:00+02:00",
            )  # fmt: skip
            for rank, code in enumerate(("actes.publication", "archives.versement"), start=1):
                RouteStep.objects.create(organisation=juvignac, route=route, rank=rank, code=code)
            made = make_acte(juvignac, "2019-12", route=route, **({"nature": "3", "matiere": "4.1"} | fields))
            if begun:
                start(route)
        return made

    return make


def start(route):
    step = route.steps.get(rank=1)
    step.state = RouteStep.State.CURRENT
    step.save()
    plugin(step.code).start(step)


def steps(acte) -> list[tuple[str, str]]:
    with acting_for(acte.organisation):
        return [(step.label, step.state) for step in RouteStep.objects.filter(route=acte.route_id).order_by("rank")]


@pytest.mark.parametrize(("nature", "matiere"), [("3", "2.2"), ("1", "4.1"), ("4", "8.2")])
def test_an_act_made_binding_by_its_notification_goes_on_to_the_archive(on_its_route, run_jobs, nature, matiere):
    acte = on_its_route(nature=nature, matiere=matiere)
    note(acte)
    run_jobs(queue="actes")
    assert steps(acte) == [("Notifiée", "done"), ("À archiver", "current")]


def test_its_route_tells_the_day_from_which_it_binds(on_its_route, run_jobs):
    acte = on_its_route()
    note(acte)
    run_jobs(queue="actes")
    with acting_for(acte.organisation):
        route = Route.objects.get(pk=acte.route_id)
        assert route.document("certificat_executoire") is not None
    assert route.facts["notification"] == {"date": "2019-07-09", "executoire": "2019-07-09"}


def test_nobody_is_asked_to_publish_what_is_notified(on_its_route):
    acte = on_its_route()
    note(acte)
    with acting_for(acte.organisation):
        assert not Task.objects.filter(state="open").exists()


def test_notified_before_its_reception_it_passes_the_step_at_the_reception(on_its_route, run_jobs):
    acte = on_its_route(begun=False)
    with acting_for(acte.organisation):
        Acte.objects.filter(pk=acte.pk).update(received_on=None)
    note(acte, on=date(2019, 7, 2))
    run_jobs(queue="actes")
    assert steps(acte)[0] == ("À publier", "waiting")
    with acting_for(acte.organisation):
        Acte.objects.filter(pk=acte.pk).update(received_on=date(2019, 7, 3), executoire_on=date(2019, 7, 3))
        start(acte.route)
        assert not Task.objects.filter(state="open").exists()
    run_jobs(queue="actes")
    assert steps(acte)[0] == ("Notifiée", "done")


def test_a_trial_that_was_notified_goes_on_without_binding(on_its_route, run_jobs):
    acte = on_its_route()
    with acting_for(acte.organisation):
        Transaction.objects.filter(acte=acte).update(test=True)
    note(acte)
    run_jobs(queue="actes")
    assert steps(acte)[0] == ("Notifiée", "done")
    with acting_for(acte.organisation):
        assert Route.objects.get(pk=acte.route_id).facts["notification"]["executoire"] is None


def test_noting_again_leaves_the_route_where_it_is(on_its_route, run_jobs, later):
    acte = on_its_route()
    for day in (9, 10):
        note(acte, on=date(2019, 7, day))
        run_jobs(queue="actes")
        later(minutes=1)
    assert steps(acte) == [("Notifiée", "done"), ("À archiver", "current")]


def test_put_online_after_its_notification_it_tells_the_route_where(on_its_route, run_jobs):
    acte = on_its_route(nature="1")
    note(acte)
    run_jobs(queue="actes")
    with acting_for(acte.organisation):
        publish(acte, author=MAYOR, actor=AGENT, personal_data_reviewed=True)
    run_jobs(queue="actes")
    with acting_for(acte.organisation):
        assert Route.objects.get(pk=acte.route_id).facts["publication"]["date"] == "2019-07-11"
    assert steps(acte)[0] == ("Publiée", "done")


def test_the_journal_says_that_the_step_was_a_notification(on_its_route, run_jobs):
    acte = on_its_route()
    note(acte)
    run_jobs(queue="actes")
    with acting_for(acte.organisation):
        assert "Étape franchie : notifiée" in [entry.label for entry in entries_about("route", acte.route_id)]


def test_the_page_says_the_day_of_the_notification_on_the_route(on_its_route, run_jobs):
    acte = on_its_route()
    note(acte)
    run_jobs(queue="actes")
    with acting_for(acte.organisation):
        step = Dossier(again(acte), frozenset()).steps[0]
    assert step["lines"] == ["9\u00a0juillet 2019", "exécutoire le 09/07/2019"]


# --- the page ---------------------------------------------------------------------------------------------
def test_the_act_offers_to_note_then_shows_it(agent_client, juvignac, acte, run_jobs):
    client = agent_client(juvignac, "secretaire")
    page = client.get(f"{LIST}{acte.pk}/").content.decode()
    assert "Noter la notification" in page
    assert "à la notification" in page
    given = {"notified_on": "2019-07-09", "persons": "2", "means": "lettre", "note": ""}
    given |= {"author_name": MAYOR.name, "author_quality": MAYOR.quality}
    assert client.post(f"{LIST}{acte.pk}/notifier/", given).status_code == 302
    run_jobs()
    page = client.get(f"{LIST}{acte.pk}/").content.decode()
    assert "Notifiée le" in page
    assert "Certificat du caractère exécutoire" in page
    assert "Notifié" in client.get(f"{LIST}?etat=acquittes").content.decode()
    assert acte.objet not in client.get(f"{LIST}?etat=a_publier").content.decode()


def test_a_wrong_date_is_said_on_the_form(agent_client, juvignac, acte):
    given = {"notified_on": "2019-06-01", "persons": "1", "means": "lettre"}
    given |= {"author_name": MAYOR.name, "author_quality": MAYOR.quality}
    answer = agent_client(juvignac, "secretaire").post(f"{LIST}{acte.pk}/notifier/", given)
    assert answer.status_code == 422
    assert "ne peut pas précéder" in answer.content.decode()
