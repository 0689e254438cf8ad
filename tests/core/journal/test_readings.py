"""Reading the journal is written in it: once a day for each reader, whatever the pages."""

import pytest
from django.urls import reverse

from parvis.core.journal.models import Entry
from parvis.core.journal.readings import JOURNAL, note_reading
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.tenancy import acting_for

pytestmark = pytest.mark.django_db


def readings(organisation):
    with acting_for(organisation):
        return list(Entry.objects.filter(action=JOURNAL).values_list("actor_id", flat=True))


def test_pages_of_one_day_make_one_entry(agent_client, juvignac, frozen_clock):
    with acting_for(juvignac):
        record(juvignac, "documents.depose", subject=("document", "x"))
    reader, other = agent_client(juvignac, "secretaire"), agent_client(juvignac, "dpo")
    frozen_clock("2019-06-24T10:00+02:00")
    index = reverse("journal:index", kwargs={"organisation_slug": "juvignac"})
    about = reverse("journal:about", kwargs={"organisation_slug": "juvignac", "kind": "document", "identifier": "x"})
    for page in (about, index, index):
        assert reader.get(page).status_code == 200
    assert readings(juvignac) == [str(reader.account.pk)]
    other.get(reverse("journal:proof", kwargs={"organisation_slug": "juvignac", "seq": 1}))
    frozen_clock("2019-06-25T00:10+02:00")
    reader.get(index)
    assert len(readings(juvignac)) == 3


def test_a_page_that_is_refused_writes_nothing(agent_client, juvignac):
    client = agent_client(juvignac, "elu")
    assert client.get(reverse("journal:index", kwargs={"organisation_slug": "juvignac"})).status_code == 403
    assert readings(juvignac) == []


def test_two_organisations_are_counted_apart(juvignac, fabregues):
    for organisation in (juvignac, fabregues):
        with acting_for(juvignac, fabregues):
            note_reading(organisation, JOURNAL, Actor("account", "7"))
    assert readings(juvignac) == readings(fabregues) == ["7"]
