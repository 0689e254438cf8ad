"""After the convocation: correction, cancellation, report, and the second meeting when the quorum is missed."""

import json
from datetime import datetime

import pytest
from django.db import transaction
from django.urls import reverse
from icalendar import Calendar

from parvis.core import clock
from parvis.core.documents.services import read_bytes
from parvis.core.routing.models import Task
from parvis.edemat.seances import services
from parvis.edemat.seances.errors import ConvocationTardive, HourTaken, SeanceIncomplete, WrongMoment
from parvis.edemat.seances.models import Avis, Deliberation, Elu, Preuve, Seance
from parvis.edemat.seances.services.deliberations import text_of_pdf

from .council import ACTOR, CONVENED
from .test_convening import outbox  # noqa: F401

BEFORE = "2019-06-27T10:00+02:00"
LATER = datetime(2019, 7, 8, 18, 30, tzinfo=clock.PARIS)


@pytest.fixture
def small(juvignac, make_council, monkeypatch, acting_for_juvignac):
    from parvis.core.trust.timestamps import TimestampUnavailable
    from parvis.edemat.seances.services import evidence

    def unavailable(data):
        raise TimestampUnavailable("Aucun service d’horodatage n’est configuré.")

    monkeypatch.setattr(evidence, "request_token", unavailable)
    council = make_council(juvignac, size=5)
    Elu.objects.filter(pk=council.elus[4].pk).update(channel="papier", email="")
    return council


@pytest.fixture
def convened(small, outbox, run_jobs):  # noqa: F811
    small.convoke(CONVENED)
    run_jobs(queue="seances", may_fail=True)
    small.freeze(BEFORE)
    outbox.clear()
    return small


def _event(message):
    content = next(one.content for one in message.attachments if one.filename == "seance.ics")
    calendar = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    return str(calendar["method"]), event


def _statement(kind):
    return json.loads(read_bytes(Preuve.objects.get(kind=kind).statement))


# -- correction -----------------------------------------------------------------------------------------


def test_a_correction_says_what_changes_to_every_member_with_its_evidence(convened, outbox, run_jobs):  # noqa: F811
    hour = datetime(2019, 7, 1, 19, 0, tzinfo=clock.PARIS)
    services.rectify(convened.seance, place="Salle des fêtes", starts_at=hour, motive="Travaux", actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    assert len(outbox) == 4
    assert "Lieu : Salle des fêtes (au lieu de : Hôtel de ville)" in outbox[0].body
    method, event = _event(outbox[0])
    assert (method, int(event["sequence"]), str(event["location"])) == ("REQUEST", 1, "Salle des fêtes")
    assert str(event["uid"]) == f"{convened.seance.pk}.{convened.elus[0].pk}@parvis"
    statement = _statement("rectificatif")
    assert len(statement["destinataires"]) == 5
    avis = Avis.objects.filter(state="envoye").first()
    text = " ".join(text_of_pdf(read_bytes(avis.document)).split())
    assert "Heure : 19 h, au lieu de : 18 h 30" in text.replace("\u00a0", " ")
    assert "Travaux." in text
    assert [task.summary for task in Task.objects.filter(verb="Remettre sur papier", subject_kind="avis")]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Rien ne change"),
        ({"starts_at": LATER}, "reporter la séance"),
    ],
)
def test_a_correction_changes_the_hour_or_the_place_of_the_same_day(convened, changes, sentence):
    with pytest.raises(WrongMoment, match=sentence):
        services.rectify(convened.seance, motive="x", actor=ACTOR, **changes)
    assert not Avis.objects.exists()


def test_a_member_seated_since_the_convocation_does_not_chair(convened, agent_client):
    late = services.add_elu(
        convened.organe, civility="Mme", family_name="Tardive", email="t@juvignac.test",
        term_start=datetime(2019, 6, 26).date(), actor=ACTOR,
    )  # fmt: skip
    with pytest.raises(SeanceIncomplete, match="n’est pas convoqué"):
        services.change_officers(convened.seance, president=late, actor=ACTOR)
    secretary = agent_client(convened.organisation, "secretaire")
    assert "TARDIVE" not in secretary.get(_url("detail", convened.seance.pk)).content.decode()
    refused = secretary.post(_url("officers", convened.seance.pk), {"president": str(late.pk)})
    assert (refused.status_code, "n’est pas convoqué" in refused.content.decode()) == (422, True)


def test_a_correction_under_a_chair_that_was_not_convened_is_refused(convened):
    late = Elu.objects.create(
        organisation=convened.organisation, organe=convened.organe, civility="Mme", family_name="Tardive",
        email="t@juvignac.test", rank=6, term_start=datetime(2019, 6, 26).date(),
    )  # fmt: skip
    Seance.objects.filter(pk=convened.seance.pk).update(president=late)
    with pytest.raises(SeanceIncomplete, match="désignez un membre convoqué"):
        services.rectify(convened.seance, place="Ailleurs", motive="x", actor=ACTOR)


def test_nothing_is_corrected_once_the_hour_has_passed(convened):
    convened.freeze("2019-07-01T18:31+02:00")
    for act in (
        lambda: services.rectify(convened.seance, place="Ailleurs", motive="x", actor=ACTOR),
        lambda: services.call_off(convened.seance, motive="x", actor=ACTOR),
        lambda: services.put_off(convened.seance, starts_at=LATER, motive="x", actor=ACTOR),
    ):
        with pytest.raises(WrongMoment, match="heure de la séance est passée"):
            act()


# -- cancellation and report ----------------------------------------------------------------------------


def test_a_cancellation_takes_the_meeting_off_the_calendars(convened, outbox, run_jobs):  # noqa: F811
    seance = services.call_off(convened.seance, motive="Intempéries", actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    assert Seance.objects.get(pk=seance.pk).state == "annulee"
    method, event = _event(outbox[0])
    assert (method, str(event["status"]), int(event["sequence"])) == ("CANCEL", "CANCELLED", 1)
    assert _statement("annulation")["motif"] == "Intempéries"
    assert not Task.objects.filter(subject_kind="seance", state="open").exists()


def test_a_convocation_still_queued_does_not_leave_after_a_cancellation(small, outbox, run_jobs):  # noqa: F811
    small.convoke(CONVENED)
    services.call_off(small.seance, motive="Intempéries", actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    assert {message.subject.split(" :")[0] for message in outbox} == {"Avis d’annulation"}


def test_a_correction_still_queued_is_given_up_for_the_cancellation(convened, outbox, run_jobs):  # noqa: F811
    services.rectify(convened.seance, place="Salle des fêtes", motive="Travaux", actor=ACTOR)
    services.call_off(convened.seance, motive="Intempéries", actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    assert [_event(message)[0] for message in outbox] == ["CANCEL"] * 4
    states = Avis.objects.filter(kind="rectificatif").values_list("state", flat=True)
    assert list(states) == ["depasse"] * 5
    overtaken = Avis.objects.filter(kind="rectificatif").values("pk")
    assert not Task.objects.filter(subject_id__in=overtaken, state="open").exists()


def test_an_invitation_carries_the_sequence_of_its_own_notice(convened, outbox, run_jobs):  # noqa: F811
    services.rectify(convened.seance, place="Salle des fêtes", motive="Travaux", actor=ACTOR)
    Seance.objects.filter(pk=convened.seance.pk).update(revision=7)
    run_jobs(queue="seances", may_fail=True)
    assert {int(_event(message)[1]["sequence"]) for message in outbox} == {1}


def test_the_same_hour_is_free_again_after_a_cancellation(convened):
    services.call_off(convened.seance, motive="x", actor=ACTOR)
    services.plan_seance(convened.organe, starts_at=convened.seance.starts_at, actor=ACTOR)


def test_a_body_never_meets_twice_at_the_same_instant(convened):
    services.plan_seance(convened.organe, starts_at=LATER, actor=ACTOR)
    hour = datetime(2019, 7, 1, 20, 0, tzinfo=clock.PARIS)
    other = services.plan_seance(convened.organe, starts_at=hour, actor=ACTOR)
    for act in (
        lambda: services.plan_seance(convened.organe, starts_at=LATER, actor=ACTOR),
        lambda: services.change_seance(other, starts_at=LATER, actor=ACTOR),
        lambda: services.rectify(convened.seance, starts_at=hour, motive="x", actor=ACTOR),
        lambda: services.put_off(convened.seance, starts_at=LATER, motive="x", actor=ACTOR),
    ):
        with pytest.raises(HourTaken, match="se réunit déjà"), transaction.atomic():
            act()
    convened.freeze("2019-07-01T18:40+02:00")
    with pytest.raises(HourTaken, match="se réunit déjà"):
        services.reconvene(Seance.objects.get(pk=convened.seance.pk), starts_at=LATER, actor=ACTOR)


def test_a_report_prepares_the_same_agenda_on_another_day(convened, outbox, run_jobs):  # noqa: F811
    point = convened.seance.points.get(rank=1)
    new = services.put_off(convened.seance, starts_at=LATER, motive="Deuil", actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    assert (new.state, new.report_of_id, new.place) == ("en_preparation", convened.seance.pk, "Hôtel de ville")
    assert [one.title for one in new.points.order_by("rank")] == ["Affaire 1", "Affaire 2"]
    assert new.points.get(rank=1).dispositif == point.dispositif
    assert "lundi 8\u00a0juillet 2019" in outbox[0].body
    assert Task.objects.filter(subject_id=new.pk, verb="Convoquer", state="open").exists()


def test_a_bounced_notice_alerts_and_is_handed_otherwise(convened, monkeypatch, run_jobs):
    from smtplib import SMTPRecipientsRefused

    from django.core.mail.backends.locmem import EmailBackend

    def refuse(self, messages):
        raise SMTPRecipientsRefused({messages[0].to[0]: (550, b"unknown")})

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    services.call_off(convened.seance, motive="Intempéries", actor=ACTOR)
    run_jobs(queue="seances", may_fail=True)
    avis = Avis.objects.filter(state="rebond").first()
    assert Task.objects.filter(subject_id=avis.pk, verb="Joindre autrement", state="open").exists()
    services.record_notice_handed(avis, actor=ACTOR)
    assert not Task.objects.filter(subject_id=avis.pk, state="open").exists()
    with pytest.raises(WrongMoment, match="pas à remettre"):
        services.record_notice_handed(avis, actor=ACTOR)


# -- without quorum --------------------------------------------------------------------------------------


def test_without_quorum_the_same_items_go_to_a_second_meeting_that_needs_none(convened):
    convened.freeze("2019-07-01T18:40+02:00")
    convened.seat(2)
    with pytest.raises(ConvocationTardive, match="vendredi 5"):
        services.reconvene(convened.seance, starts_at=datetime(2019, 7, 4, 18, 30, tzinfo=clock.PARIS), actor=ACTOR)
    second = services.reconvene(
        convened.seance, starts_at=datetime(2019, 7, 5, 18, 30, tzinfo=clock.PARIS), actor=ACTOR
    )
    assert Seance.objects.get(pk=convened.seance.pk).state == "sans_quorum"
    assert second.second_of == convened.seance
    assert [one.title for one in second.points.order_by("rank")] == ["Affaire 1", "Affaire 2"]
    with pytest.raises(WrongMoment, match="restés sans quorum"):
        services.add_point(second, title="Nouveau", actor=ACTOR)
    second = services.convoke(second, actor=ACTOR)
    text = " ".join(text_of_pdf(read_bytes(second.convocation_pdf)).split())
    assert "sans condition de quorum" in text
    assert not services.quorum_at(second).needed or services.quorum_at(second).reached


def test_a_quorum_lost_during_the_meeting_carries_over_what_was_not_voted(convened):
    convened.deliver()
    convened.open(presents=3, powers=0)
    first, second_item = convened.seance.points.order_by("rank")
    services.record_unanimity(first, actor=ACTOR)
    with pytest.raises(WrongMoment, match="Le quorum est atteint"):
        services.reconvene(convened.seance, starts_at=LATER, actor=ACTOR)
    services.record_presence_sheet(convened.seance, presents=convened.members[:2], from_item=2, actor=ACTOR)
    second = services.reconvene(convened.seance, starts_at=LATER, actor=ACTOR)
    assert [one.title for one in second.points.all()] == [second_item.title]
    assert Seance.objects.get(pk=convened.seance.pk).state == "levee"
    assert Deliberation.objects.get().point == first


def test_a_missing_quorum_is_not_told_before_the_hour(convened):
    with pytest.raises(WrongMoment, match="se constate alors"):
        services.reconvene(convened.seance, starts_at=LATER, actor=ACTOR)


# -- pages ----------------------------------------------------------------------------------------------


def _url(name, pk):
    return reverse(f"seances:{name}", args=["juvignac", pk])


def test_the_pages_correct_report_and_cancel(convened, agent_client):
    secretary = agent_client(convened.organisation, "secretaire")
    pk = convened.seance.pk
    body = secretary.get(_url("detail", pk)).content.decode()
    assert all(_url(name, pk) in body for name in ("rectify", "put_off", "call_off"))
    same = secretary.post(_url("rectify", pk), {"hour": "18:30", "place": "Hôtel de ville", "motive": "x"})
    assert (same.status_code, "Rien ne change" in same.content.decode()) == (422, True)
    done = secretary.post(_url("rectify", pk), {"hour": "19:00", "place": "Hôtel de ville", "motive": "x"}, follow=True)
    assert "Avis rectificatif" in done.content.decode()
    assert "0 sur 5 remis" in done.content.decode()
    avis = Avis.objects.get(state="a_porter")
    assert "1 sur 5 remis" in secretary.post(_url("notice_handed", avis.pk), follow=True).content.decode()
    moved = {"day": "2019-07-08", "hour": "18:30", "place": "Hôtel de ville", "motive": "Deuil"}
    new = secretary.post(_url("put_off", pk), moved, follow=True).content.decode()
    assert "Séance reportée" in new
    assert secretary.post(_url("call_off", pk), {"motive": "x"}).status_code == 422


def test_the_page_convenes_again(convened, agent_client):
    convened.freeze("2019-07-01T18:40+02:00")
    secretary = agent_client(convened.organisation, "secretaire")
    body = secretary.get(_url("detail", convened.seance.pk)).content.decode()
    assert "Convoquer à nouveau…" in body
    shown = secretary.get(_url("reconvene", convened.seance.pk)).content.decode()
    assert "vendredi 5" in shown
    data = {"day": "2019-07-08", "hour": "18:30", "place": "Hôtel de ville"}
    body = secretary.post(_url("reconvene", convened.seance.pk), data, follow=True).content.decode()
    assert "Aucun quorum n’est exigé" in body
