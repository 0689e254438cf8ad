"""The convocation: legal limit, frozen list, evidence, one message per member."""

import json
from datetime import datetime
from smtplib import SMTPAuthenticationError, SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from icalendar import Calendar

from parvis.core import clock
from parvis.core.documents.services import read_bytes
from parvis.core.routing.models import Task
from parvis.edemat.seances import services
from parvis.edemat.seances.errors import ConvocationTardive, SeanceIncomplete, WrongMoment
from parvis.edemat.seances.formats.preuve import broken_link
from parvis.edemat.seances.models import Channel, Convocation, Preuve, Seance
from parvis.edemat.seances.tasks import TryAgain, send_convocation, stamp_statement

from .council import ACTOR, CONVENED


@pytest.fixture
def outbox(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    return mail.outbox


def test_planning_puts_the_convocation_in_the_inbox_with_its_limit(council):
    task = Task.objects.get(subject_id=council.seance.pk, verb="Convoquer")
    assert clock.paris(task.deadline).isoformat() == "2019-06-25T23:59:59+02:00"
    assert "5 jours francs" in task.deadline_rule
    assert task.permission == "seances.gerer"


def test_changing_the_date_moves_the_limit(council):
    services.change_seance(council.seance, starts_at=datetime(2019, 7, 8, 18, 30, tzinfo=clock.PARIS), actor=ACTOR)
    task = Task.objects.get(subject_id=council.seance.pk, verb="Convoquer", state="open")
    assert clock.paris(task.deadline).date().isoformat() == "2019-07-02"


def test_a_meeting_before_the_regime_of_its_body_is_refused(council):
    eve = datetime(2014, 3, 29, 18, 30, tzinfo=clock.PARIS)
    with pytest.raises(SeanceIncomplete, match="commence le dimanche 30\u00a0mars 2014"):
        services.plan_seance(council.organe, starts_at=eve, actor=ACTOR)
    with pytest.raises(SeanceIncomplete, match="commence le dimanche 30\u00a0mars 2014"):
        services.change_seance(council.seance, starts_at=eve, actor=ACTOR)


def test_convoking_freezes_members_and_queues_one_message_each(council, outbox, run_jobs):
    seance = council.convoke()
    assert seance.state == Seance.State.CONVOQUEE
    assert [one.rank for one in council.members] == list(range(1, 30))
    run_jobs(queue="seances", may_fail=True)
    assert len(outbox) == 29
    assert {message.to[0] for message in outbox} == {elu.email for elu in council.elus}
    assert set(seance.convocations.values_list("state", flat=True)) == {"remis_au_relais"}
    assert all(one.sent_at for one in council.members)


def test_a_message_carries_the_convocation_and_the_members_own_invitation(council, outbox, run_jobs):
    council.convoke()
    run_jobs(queue="seances", may_fail=True)
    message: EmailMultiAlternatives = outbox[1]
    assert "lundi 1er\u00a0juillet 2019" in message.subject
    assert "18\u00a0h\u00a030" in message.body
    assert f"/o/juvignac/seances/{council.seance.pk}/ma-convocation/" in message.body
    attached = {attachment.filename: attachment for attachment in message.attachments}
    assert attached["convocation.pdf"].content.startswith(b"%PDF")
    [event] = Calendar.from_ical(attached["convocation.ics"].content).walk("VEVENT")
    assert event["attendee"] == f"mailto:{message.to[0]}"
    assert str(event["uid"]).startswith(str(council.seance.pk))


def test_a_repeated_job_sends_nothing_twice(council, outbox):
    council.convoke()
    one = council.members[0]
    send_convocation(council.organisation.pk, convocation_id=str(one.pk))
    send_convocation(council.organisation.pk, convocation_id=str(one.pk))
    assert len(outbox) == 1


def test_the_last_regular_day_is_accepted_until_midnight(council):
    assert council.convoke("2019-06-25T23:59+02:00").state == Seance.State.CONVOQUEE


def test_26_june_is_refused_with_the_regular_day(council):
    with pytest.raises(ConvocationTardive) as refusal:
        council.convoke("2019-06-26T00:01+02:00")
    assert "mardi 25\u00a0juin 2019" in refusal.value.sentence
    assert Seance.objects.get(pk=council.seance.pk).state == Seance.State.EN_PREPARATION
    assert not Convocation.objects.exists()


def test_urgency_with_its_motive_leaves_one_clear_day(council):
    services.change_seance(council.seance, urgency=True, urgency_motive="Sinistre", actor=ACTOR)
    council.seance.refresh_from_db()
    assert council.convoke("2019-06-29T12:00+02:00").urgency


def test_urgency_never_goes_below_one_clear_day(council):
    services.change_seance(council.seance, urgency=True, urgency_motive="Sinistre", actor=ACTOR)
    council.seance.refresh_from_db()
    with pytest.raises(ConvocationTardive):
        council.convoke("2019-06-30T08:00+02:00")


def test_urgency_without_motive_is_refused_by_the_database(council):
    with pytest.raises(IntegrityError), transaction.atomic():
        services.change_seance(council.seance, urgency=True, actor=ACTOR)


def test_a_meeting_without_agenda_is_not_convened(juvignac, make_council, acting_for_juvignac):
    council = make_council(juvignac, points=0)
    with pytest.raises(SeanceIncomplete, match="l’ordre du jour"):
        council.convoke()


def test_convening_twice_is_refused(council):
    council.convoke()
    with pytest.raises(WrongMoment, match="convoquée"):
        services.convoke(council.seance, actor=ACTOR)


def test_the_agenda_is_frozen_by_the_convocation(council):
    council.convoke()
    with pytest.raises(WrongMoment):
        services.add_point(council.seance, title="Ajout tardif", actor=ACTOR)


def test_evidence_lists_members_documents_and_agenda(council):
    seance = council.convoke()
    preuve = seance.preuves.get()
    statement = json.loads(read_bytes(preuve.statement))
    assert statement["etabli_le"] == "2019-06-24T18:00:00+02:00"
    assert [one["adresse"] for one in statement["destinataires"]] == [elu.email for elu in council.elus]
    assert statement["ordre_du_jour"] == ["1. Affaire 1", "2. Affaire 2"]
    [document] = statement["documents"]
    assert document["sha256"] == seance.convocation_document.sha256
    assert document["taille"] == seance.convocation_document.size


def test_without_time_stamping_the_sending_goes_on_and_the_token_is_asked_again(council, outbox):
    seance = council.convoke()
    preuve = seance.preuves.get()
    assert preuve.token is None
    with pytest.raises(TryAgain):
        stamp_statement(council.organisation.pk, preuve_id=str(preuve.pk))
    send_convocation(council.organisation.pk, convocation_id=str(council.members[0].pk))
    assert len(outbox) == 1


class _Relay:
    """A relay that refuses one address for good, is away for another one and refuses our password once."""

    def __init__(self, *args, **kwargs):
        pass

    def open(self):
        return True

    def close(self):
        pass

    def send_messages(self, messages):
        for message in messages:
            if message.to[0].startswith("membre01"):
                raise SMTPRecipientsRefused({message.to[0]: (550, b"no such user")})
            if message.to[0].startswith("membre02"):
                raise ConnectionRefusedError("relay away")
            if message.to[0].startswith("membre03"):
                raise SMTPAuthenticationError(535, b"our password is refused")
        return len(messages)


def test_one_failing_address_never_stops_the_others(council, monkeypatch, run_jobs):
    monkeypatch.setattr("django.core.mail.get_connection", lambda *a, **k: _Relay())
    monkeypatch.setattr(EmailMultiAlternatives, "get_connection", lambda self, fail_silently=False: _Relay())
    council.convoke()
    run_jobs(queue="seances", may_fail=True)
    states = [one.state for one in council.members]
    assert states == ["rebond", "en_file", "en_file"] + ["remis_au_relais"] * 26
    away = council.members[1]
    assert away.attempts == 1
    assert away.last_error
    task = Task.objects.get(verb="Joindre autrement")
    assert task.subject_id == council.members[0].pk
    assert council.members[0].sent_at is None


def test_resending_after_a_bounce_is_evidenced(council, outbox):
    council.convoke()
    bounced = council.members[0]
    Convocation.objects.filter(pk=bounced.pk).update(state="rebond")
    services.resend(bounced, address="nouvelle@juvignac.test", actor=ACTOR)
    send_convocation(council.organisation.pk, convocation_id=str(bounced.pk))
    assert outbox[0].to == ["nouvelle@juvignac.test"]
    assert council.seance.preuves.last().kind == Preuve.Kind.RENVOI


def test_resending_after_the_limit_needs_a_motive(council):
    council.convoke()
    bounced = council.members[0]
    Convocation.objects.filter(pk=bounced.pk).update(state="rebond")
    council.freeze("2019-06-27T10:00+02:00")
    with pytest.raises(ConvocationTardive, match="motif"):
        services.resend(bounced, address="nouvelle@juvignac.test", actor=ACTOR)
    services.resend(bounced, address="n@juvignac.test", motive="Adresse périmée", actor=ACTOR)
    assert "Adresse périmée" in read_bytes(council.seance.preuves.last().statement).decode()


def test_a_member_on_paper_gets_no_message_and_a_task(council, outbox, run_jobs):
    elu = council.elus[4]
    elu.channel = Channel.PAPIER
    elu.save()
    council.convoke()
    run_jobs(queue="seances", may_fail=True)
    member = council.members[4]
    assert member.state == "a_porter"
    assert len(outbox) == 28
    council.freeze("2019-06-25T11:00+02:00")
    services.record_handed_on_paper(member, handed_at=datetime(2019, 6, 25, 10, 0, tzinfo=clock.PARIS), actor=ACTOR)
    assert council.members[4].state == "portee"
    assert not Task.objects.filter(verb="Remettre sur papier", state="open").exists()


def test_a_paper_handing_in_the_future_is_refused(council):
    elu = council.elus[4]
    elu.channel = Channel.PAPIER
    elu.save()
    council.convoke()
    with pytest.raises(WrongMoment, match="à venir"):
        services.record_handed_on_paper(
            council.members[4], handed_at=datetime(2019, 6, 29, tzinfo=clock.PARIS), actor=ACTOR
        )


def test_a_paper_handing_before_the_convocation_is_refused(council):
    council.elus[4].channel = Channel.PAPIER
    council.elus[4].save()
    council.convoke("2019-06-24T18:00:40+02:00")
    eve = datetime(2019, 6, 24, 17, 59, tzinfo=clock.PARIS)
    with pytest.raises(WrongMoment, match="ne peut pas être antérieure"):
        services.record_handed_on_paper(council.members[4], handed_at=eve, actor=ACTOR)
    at_once = datetime(2019, 6, 24, 18, 0, tzinfo=clock.PARIS)
    services.record_handed_on_paper(council.members[4], handed_at=at_once, actor=ACTOR)
    assert council.members[4].state == "portee"


def test_receipt_is_evidenced_once_and_chained(council, outbox):
    council.convoke()
    council.deliver()
    member = council.members[2]
    council.freeze("2019-06-25T08:00+02:00")
    services.acknowledge_receipt(member, actor=ACTOR)
    council.freeze("2019-06-25T09:00+02:00")
    again = services.acknowledge_receipt(council.members[2], actor=ACTOR)
    assert again.state == "lu"
    assert clock.paris(again.read_at).hour == 8
    preuves = list(council.seance.preuves.order_by("rank"))
    assert [one.kind for one in preuves] == ["envoi", "lecture"]
    contents = [read_bytes(one.statement) for one in preuves]
    assert broken_link(contents) is None
    assert member.name in contents[1].decode()


def test_namesakes_are_told_apart(council):
    council.elus[0].family_name = council.elus[2].family_name = "Martin"
    council.elus[0].given_name, council.elus[2].given_name = "Claude", "Dominique"
    council.elus[0].save()
    council.elus[2].save()
    council.convoke()
    assert [council.members[0].name, council.members[2].name] == ["Mme Claude MARTIN", "Mme Dominique MARTIN"]


def test_the_composition_of_a_convened_meeting_does_not_follow_the_tableau(council):
    council.convoke(CONVENED)
    council.elus[0].family_name = "Autre"
    council.elus[0].save()
    assert council.members[0].name == "Mme MEMBRE01"


def test_sending_leaves_by_real_smtp_with_a_real_token(sandbox, juvignac, make_council, run_jobs):
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.trust.timestamps import verify_token

    with acting_for(juvignac):
        council = make_council(juvignac, size=3)
        seance = council.convoke()
        assert seance.preuves.get().token is None  # the page does not wait for the authority
        run_jobs(queue="seances")
        preuve = seance.preuves.get()
        assert preuve.token is not None
        statement = read_bytes(preuve.statement)
        assert verify_token(read_bytes(preuve.token), statement).valid
        assert not verify_token(read_bytes(preuve.token), statement + b" ").valid
        assert set(seance.convocations.values_list("state", flat=True)) == {"remis_au_relais"}
