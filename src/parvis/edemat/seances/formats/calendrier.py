"""Invitation to a meeting as an iCalendar object (RFC 5545, RFC 5546): METHOD:REQUEST, Europe/Paris with
its VTIMEZONE."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, slots=True)
class Invitation:
    """One member's invitation. `uid` never changes for a meeting and a member; `sequence` grows at each
    change.

    `starts_at` and `stamped_at` are aware instants, written in Paris time and in UTC.
    """

    uid: str
    sequence: int
    summary: str
    description: str
    place: str
    starts_at: datetime
    duration_minutes: int
    stamped_at: datetime
    organiser_name: str
    organiser_email: str
    attendee_name: str
    attendee_email: str


def build_invitation(invitation: Invitation, method: str = "REQUEST") -> bytes:
    """Return the `text/calendar` bytes of an invitation, or of its withdrawal with `method="CANCEL"`."""
    calendar = Calendar()
    calendar.add("prodid", "-//Parvis//Seances//FR")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    event = Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.stamped_at)
    starts = invitation.starts_at.astimezone(PARIS)
    event.add("dtstart", starts)
    event.add("dtend", starts + timedelta(minutes=invitation.duration_minutes))
    event.add("summary", invitation.summary)
    event.add("description", invitation.description)
    event.add("location", invitation.place)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    organiser = vCalAddress(f"mailto:{invitation.organiser_email}")
    organiser.params["CN"] = invitation.organiser_name
    event["organizer"] = organiser
    attendee = vCalAddress(f"mailto:{invitation.attendee_email}")
    attendee.params.update(
        {
            "CN": invitation.attendee_name,
            "ROLE": "REQ-PARTICIPANT",
            "PARTSTAT": "NEEDS-ACTION",
            "RSVP": "TRUE",
        }
    )
    event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content
