"""Publication: who and what may be put online, what follows, what the public may then read."""

from datetime import date

import pytest

from parvis.core.documents.models import Document
from parvis.core.journal.models import Entry
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for, public_view_of
from parvis.edemat.actes.enums import Status
from parvis.edemat.actes.models import Acte, Publication
from parvis.edemat.actes.publication import (
    Author,
    PublicationRefused,
    may_hold_personal_data,
    proposed_author,
    publish,
    remarks_before_publication,
    vote_sentence,
    withdraw,
)
from tests.edemat.actes.making import make_acte

MAYOR = Author("Jean-Luc SAVY", "Maire")
AGENT = Actor("account", "1")


@pytest.fixture(autouse=True)
def eleventh_of_july(frozen_clock):
    frozen_clock("2019-07-11T09:00+02:00")


def test_publishing_gives_the_act_its_force(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac)
    online = publish(acte, author=MAYOR, actor=AGENT)
    acte.refresh_from_db()
    assert (acte.published_on, acte.executoire_on) == (date(2019, 7, 11), date(2019, 7, 11))
    assert (online.author_name, online.author_quality) == ("Jean-Luc SAVY", "Maire")
    assert online.published_on == date(2019, 7, 11)
    entry = Entry.objects.about("acte", acte.pk).get(action="actes.publie")
    assert entry.sha256 == acte.document.sha256
    assert entry.details["executoire_on"] == "2019-07-11"
    assert "SAVY" not in str(entry.details), "no personal data in the journal"


def test_the_public_reads_the_published_text_and_only_it(juvignac):
    with acting_for(juvignac):
        shown, kept = make_acte(juvignac, "19.07.01.05"), make_acte(juvignac, "19.07.01.06")
        publish(shown, author=MAYOR, actor=AGENT)
    with public_view_of(juvignac):
        assert [p.acte_id for p in Publication.objects.all()] == [shown.pk]
        assert set(Document.objects.values_list("pk", flat=True)) == {shown.document_id}
        assert not Acte.objects.exists()
    assert kept


@pytest.mark.parametrize(
    ("fields", "arguments", "word"),
    [
        ({"status": Status.ERREUR}, {}, "en erreur"),
        ({"status": Status.ANNULE}, {}, "annulée"),
        ({"status": Status.A_SIGNER}, {}, "pas encore signé"),
        ({}, {"on": date(2019, 7, 12)}, "à venir"),
        ({}, {"on": date(2019, 6, 30)}, "précéder la décision"),
        ({"nature": "3"}, {}, "personnes"),
        ({"matiere": "4.1"}, {}, "personnes"),
        ({"matiere": "8.2"}, {}, "personnes"),
        ({"matiere": "8.2.1"}, {}, "personnes"),
    ],
)
def test_what_is_refused_and_why(acting_for_juvignac, fields, arguments, word):
    acte = make_acte(acting_for_juvignac, **fields)
    with pytest.raises(PublicationRefused) as refusal:
        publish(acte, author=MAYOR, actor=AGENT, **arguments)
    assert word in refusal.value.sentence
    acte.refresh_from_db()
    assert acte.published_on is None
    assert acte.document.public_since is None


@pytest.mark.parametrize(
    ("nature", "matiere", "expected"),
    [
        ("1", "5.7", False),
        ("2", "6.1", False),
        ("3", "2.2", True),
        ("4", "1.1", False),
        ("4", "4.2", True),
        ("1", "4", True),
        ("1", "8.2", True),
        ("1", "8.20", False),
        ("1", "8.1", False),
    ],
)
def test_acts_that_name_people_are_not_public_by_default(nature, matiere, expected):
    assert may_hold_personal_data(Acte(nature=nature, matiere=matiere)) is expected


def test_an_individual_act_is_published_once_its_personal_data_are_reviewed(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac, nature="3")
    publish(acte, author=MAYOR, actor=AGENT, personal_data_reviewed=True)
    assert Entry.objects.about("acte", acte.pk).get(action="actes.publie").details["personal_data_reviewed"] is True


@pytest.mark.parametrize(("name", "quality"), [("", "Maire"), ("SAVY", "Maire"), ("Jean-Luc SAVY", " ")])
def test_an_author_has_a_first_name_a_name_and_a_quality(name, quality):
    with pytest.raises(PublicationRefused):
        Author(name, quality)


def test_the_mayor_in_office_is_proposed(juvignac, account_for):
    account_for(juvignac, "maire", title="Maire de Juvignac", given_name="Jean-Luc", family_name="SAVY")
    with acting_for(juvignac):
        assert proposed_author(juvignac) == Author("Jean-Luc SAVY", "Maire de Juvignac")


def test_an_act_published_before_its_reception_binds_at_its_reception(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac, status=Status.TRANSMIS)
    codes = [r["code"] for r in remarks_before_publication(acte, date(2019, 7, 11))]
    assert codes == ["publication_avant_reception"]
    assert publish(acte, author=MAYOR, actor=AGENT).executoire_on is None


def test_a_publication_before_the_transmission_is_remarked(acting_for_juvignac):
    codes = [r["code"] for r in remarks_before_publication(make_acte(acting_for_juvignac), date(2019, 7, 2))]
    assert "publication_avant_transmission" in codes


def test_publishing_twice_is_refused(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac)
    publish(acte, author=MAYOR, actor=AGENT)
    with pytest.raises(PublicationRefused, match="déjà en ligne"):
        publish(acte, author=MAYOR, actor=AGENT)


def test_annexes_go_online_only_when_chosen(acting_for_juvignac):
    acte = make_acte(acting_for_juvignac, annexes=("Convention.pdf", "Liste nominative.pdf"))
    first, second = acte.pieces.all()
    online = publish(acte, author=MAYOR, actor=AGENT, annexes=[first.pk])
    assert [a["name"] for a in online.annexes] == ["Convention.pdf"]
    first.document.refresh_from_db()
    second.document.refresh_from_db()
    assert first.document.public_since
    assert second.document.public_since is None


@pytest.mark.parametrize(
    ("vote", "sentence"),
    [
        ({}, ""),
        ({"pour": 26, "contre": 0, "abstention": 0, "mention": "à l’unanimité"}, "adoptée à l’unanimité"),
        ({"pour": 24, "contre": 3, "abstention": 2}, "24 pour, 3 contre, 2 abstentions"),
        ({"pour": 21, "contre": 0, "abstention": 1}, "21 pour, 1 abstention"),
    ],
)
def test_the_vote_in_words(vote, sentence):
    assert vote_sentence(vote) == sentence


# --- the end of a publication ---
def test_an_act_stays_online_two_months(acting_for_juvignac, frozen_clock):
    online = publish(make_acte(acting_for_juvignac), author=MAYOR, actor=AGENT)
    frozen_clock("2019-09-11T23:00+02:00")
    with pytest.raises(PublicationRefused, match="12/09/2019"):
        withdraw(online, reason="ménage", actor=AGENT)
    frozen_clock("2019-09-12T00:30+02:00")
    withdraw(online, reason="ménage", actor=AGENT)
    online.refresh_from_db()
    assert online.withdrawn_on == date(2019, 9, 12)


def test_a_withdrawal_to_protect_people_is_immediate_and_traced(juvignac):
    with acting_for(juvignac):
        acte = make_acte(juvignac)
        online = publish(acte, author=MAYOR, actor=AGENT)
        with pytest.raises(PublicationRefused, match="motif"):
            withdraw(online, reason=" ", actor=AGENT, despite_duty=True)
        withdraw(online, reason="adresse laissée en clair", actor=AGENT, despite_duty=True)
        acte.refresh_from_db()
        assert acte.published_on == date(2019, 7, 11), "what was brought to knowledge stays so"
        entry = Entry.objects.about("acte", acte.pk).get(action="actes.publication_retiree")
        assert entry.details == {"before_two_months": True}
    with public_view_of(juvignac):
        assert not Publication.objects.exists()
        assert not Document.objects.exists()
