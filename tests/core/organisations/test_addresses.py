"""A look-alike address is refused wherever an administration writes one, and a good one is kept in one way only."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.identity.models import Account
from parvis.core.journal.services import SYSTEM
from parvis.core.organisations.mandates import give_mandate
from parvis.core.organisations.models import ImportLine, Invitation, OperatorGrant
from parvis.core.organisations.tenancy import acting_for
from tests.core.organisations.conftest import BASE, invitation_form

pytestmark = pytest.mark.django_db
PERSON = {"given_name": "Alix", "family_name": "Exemple"}
LOOK_ALIKE = "maire@juv\u0456gnac.test"  # a Cyrillic letter between Latin ones
TYPED, KEPT = " Maire@JUVIGNAC.test", "maire@juvignac.test"


@pytest.fixture
def write(request, administrator, operator, juvignac, fabregues, run_jobs):
    """``write(path, address)`` writes the address by that path; returns what is said of it."""

    def invitation(address):
        return administrator.post(f"{BASE}personnes/nouvelle/", invitation_form(email=address)).content.decode()

    def first_administrator(address):
        form = {**PERSON, "email": address}
        return operator.post(f"/plateforme/organisations/{fabregues.slug}/administration/", form).content.decode()

    def operator_proposal(address):
        return operator.post("/plateforme/exploitants/proposition/", {**PERSON, "email": address}).content.decode()

    def table(address):
        content = f"prenom;nom;courriel;role\nAlix;Exemple;{address};Élu".encode()
        answer = administrator.post(
            f"{BASE}personnes/imports/", {"file": SimpleUploadedFile("a.csv", content), "key": "courriel"}
        )
        run_jobs(queue="imports")
        administrator.post(answer["Location"] + "confirmation/")
        run_jobs(queue="imports")
        with acting_for(juvignac):
            return ImportLine.objects.get().sentence

    def command(address):
        try:
            call_command("name_operator", address, "Alix", "Exemple")
        except CommandError as refused:
            return str(refused)
        return ""

    def installation(address):
        try:
            with acting_for(juvignac):
                give_mandate(
                    juvignac, **PERSON, email=address, role="elu", title="", start=clock.today(), end=None, actor=SYSTEM
                )
        except DomainError as refused:
            return refused.sentence
        return ""

    paths = {f.__name__: f for f in (invitation, first_administrator, operator_proposal, table, command, installation)}
    return lambda path, address: paths[path](address)


PATHS = ["invitation", "first_administrator", "operator_proposal", "table", "command", "installation"]


def written(juvignac, fabregues):
    """Every address that has got in by one of the paths."""
    with acting_for(juvignac, fabregues):
        rows = [Invitation.objects.all(), OperatorGrant.objects.all(), Account.objects.filter(given_name="Alix")]
        return [row.email for found in rows for row in found]


@pytest.mark.parametrize("path", PATHS)
def test_a_look_alike_is_refused_in_words(write, path, juvignac, fabregues):
    assert "mélange les lettres de plusieurs alphabets" in write(path, LOOK_ALIKE)
    assert written(juvignac, fabregues) == []


@pytest.mark.parametrize("path", PATHS)
def test_an_address_is_kept_in_one_way(write, path, juvignac, fabregues):
    write(path, TYPED)
    assert written(juvignac, fabregues) == [KEPT]
