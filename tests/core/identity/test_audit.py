"""The audit log: who reads it, and the digest that the journal keeps."""

import pytest

from parvis.core.identity.audit import audit, digest
from parvis.core.identity.models import SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for, identity_of

pytestmark = pytest.mark.django_db


def test_an_event_is_read_by_its_holder_and_the_organisation_concerned_only(account_for, juvignac, fabregues):
    account, other = account_for(juvignac, "secretaire"), account_for(fabregues, "secretaire")
    line = audit("user.login", account=account, organisation=juvignac, method="password")
    assert not SecurityEvent.objects.exists()
    with identity_of(account.pk):
        assert SecurityEvent.objects.get() == line
    with identity_of(other.pk):
        assert not SecurityEvent.objects.exists()
    with acting_for(juvignac):
        assert SecurityEvent.objects.get() == line
    with acting_for(fabregues):
        assert not SecurityEvent.objects.exists()


def test_the_journal_of_the_metropole_keeps_the_digest(account_for, juvignac):
    metropole = Organisation.objects.create(
        slug="metropole", name="Métropole", short_name="Métropole", siren="243400017", kind="metropole",
        departement="034", arrondissement="3", nature_actes="51", pref_id="PREF034",
    )  # fmt: skip
    account = account_for(juvignac, "secretaire")
    line = audit("user.login", account=account, method="password")
    with acting_for(metropole):
        entry = Entry.objects.get(action="identite.evenement")
    with identity_of(account.pk):
        kept = SecurityEvent.objects.get()
    assert entry.subject_id == str(line.pk)
    assert entry.sha256 == digest(line) == digest(kept)


def test_an_event_outside_the_catalogue_is_refused():
    with pytest.raises(ValueError, match="catalogue"):
        audit("user.unheard_of")
