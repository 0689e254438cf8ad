"""The calendar invitation and the evidence statement."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from parvis.edemat.seances.formats.calendrier import Invitation, build_invitation
from parvis.edemat.seances.formats.preuve import (
    Meeting,
    Recipient,
    SentDocument,
    Statement,
    broken_link,
    digest,
    write_statement,
)
from tests.names import named

PARIS = ZoneInfo("Europe/Paris")
STARTS = datetime(2019, 7, 1, 16, 30, tzinfo=UTC)
INVITATION = Invitation(
    uid="0190-member@parvis",
    sequence=0,
    summary="Conseil municipal",
    description="Ordre du jour\n1. Convention, avec virgule ; et point-virgule",
    place="Hôtel de ville, 997 allée de l’Europe",
    starts_at=STARTS,
    duration_minutes=120,
    stamped_at=datetime(2019, 6, 24, 16, 0, tzinfo=UTC),
    organiser_name="Commune de Juvignac",
    organiser_email="assemblees@example.test",
    attendee_name="Mme Emmanuelle VIGNERON",
    attendee_email="vigneron@example.test",
)


def test_invitation_is_at_half_past_six_in_paris() -> None:
    calendar = Calendar.from_ical(build_invitation(INVITATION))
    assert calendar["method"] == "REQUEST"
    [event] = calendar.walk("VEVENT")
    assert event["dtstart"].dt == datetime(2019, 7, 1, 18, 30, tzinfo=PARIS)
    assert event["dtend"].dt == datetime(2019, 7, 1, 20, 30, tzinfo=PARIS)
    assert event["dtstart"].params["TZID"] == "Europe/Paris"
    assert [zone["tzid"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Paris"]
    assert event["uid"] == INVITATION.uid
    assert str(event["description"]) == INVITATION.description
    assert event["attendee"].params["RSVP"] == "TRUE"


def test_a_change_keeps_the_uid_and_raises_the_sequence() -> None:
    first = Calendar.from_ical(build_invitation(INVITATION)).walk("VEVENT")[0]
    second = Calendar.from_ical(build_invitation(replace(INVITATION, sequence=1))).walk("VEVENT")[0]
    assert (first["uid"], first["sequence"]) == (second["uid"], 0)
    assert second["sequence"] == 1


def test_withdrawal() -> None:
    calendar = Calendar.from_ical(build_invitation(INVITATION, method="CANCEL"))
    assert calendar["method"] == "CANCEL"
    assert calendar.walk("VEVENT")[0]["status"] == "CANCELLED"


@named
def test_an_invitation_keeps_the_names_of_people(given: str, family: str) -> None:
    content = build_invitation(
        replace(INVITATION, attendee_name=f"Mme {given} {family}", organiser_name=f"Mairie, {family} : « {given} »")
    )
    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert event["attendee"].params["CN"] == f"Mme {given} {family}"
    assert event["organizer"].params["CN"] == f"Mairie, {family} : « {given} »"
    assert max(len(line) for line in content.split(b"\r\n")) <= 75


def test_lines_are_folded_at_75_octets() -> None:
    assert max(len(line) for line in build_invitation(INVITATION).split(b"\r\n")) <= 75


STATEMENT = Statement(
    kind="envoi",
    rank=1,
    meeting=Meeting("0190", "Juvignac", "213401235", "Conseil municipal", STARTS, "Hôtel de ville"),
    recipients=(Recipient("1", "Mme VIGNERON", "dematerialise", "vigneron@example.test"),),
    documents=(SentDocument("convocation", "convocation.pdf", 1234, "ab" * 32),),
    agenda=("1. Convention",),
    made_at=datetime(2019, 6, 24, 16, 0, tzinfo=UTC),
)


def test_statement_is_canonical_and_dated_with_its_offset() -> None:
    content = write_statement(STATEMENT)
    assert content == write_statement(STATEMENT)
    read = json.loads(content)
    assert list(read) == sorted(read)
    assert read["etabli_le"] == "2019-06-24T18:00:00+02:00"
    assert read["documents"] == [{"nom": "convocation.pdf", "role": "convocation", "sha256": "ab" * 32, "taille": 1234}]
    assert read["preuve_precedente"] is None


def test_a_chain_breaks_when_a_statement_is_changed_or_removed() -> None:
    first = write_statement(STATEMENT)
    second = write_statement(replace(STATEMENT, kind="lecture", rank=2, previous=digest(first)))
    third = write_statement(replace(STATEMENT, kind="lecture", rank=3, previous=digest(second)))
    assert broken_link([first, second, third]) is None
    assert broken_link([first, third]) == 2
    assert broken_link([first.replace(b"VIGNERON", b"VIGNERAN"), second, third]) == 2


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        replace(STATEMENT, made_at=datetime(2019, 6, 24, 16))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        replace(STATEMENT, kind="autre")
