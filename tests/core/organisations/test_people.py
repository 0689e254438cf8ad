"""The list of people, one person's page, the table to download."""

import io
import zipfile
from uuid import UUID

import pytest

from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.organisations.tenancy import acting_for
from tests.core.organisations.conftest import BASE

pytestmark = pytest.mark.django_db
LIST = BASE + "personnes/"
NOBODYS = UUID(int=7)


@pytest.fixture
def crowd(juvignac):
    """120 agents named in order, one of them with a name that a spreadsheet would run."""
    accounts = Account.objects.bulk_create(
        Account(email=f"p{n:03}@juvignac.test", given_name="=1+1" if n == 7 else "Agent", family_name=f"N{n:03}")
        for n in range(120)
    )
    with acting_for(juvignac):
        Mandate.objects.bulk_create(
            Mandate(organisation=juvignac, account=a, role="lecteur" if n % 2 else "elu", start="2019-01-01",
                    end="2019-06-01" if n == 119 else None)
            for n, a in enumerate(accounts)
        )  # fmt: skip
    return accounts


def names(page: str) -> list[str]:
    import re

    return re.findall(r">(?:Agent|=1\+1) (N\d{3})</a>", page)


def test_pages_follow_one_another_by_key_both_ways(administrator, crowd):
    import re

    first = administrator.get(LIST).content.decode()
    following = re.search(r'rel="next" href="([^"]+)"', first).group(1)
    second = administrator.get(LIST + following.replace("&amp;", "&")).content.decode()
    back = re.search(r'rel="prev" href="([^"]+)"', second).group(1)
    again = administrator.get(LIST + back.replace("&amp;", "&")).content.decode()
    # The administrator, « Essai », comes before the N.
    assert names(first) == [f"N{n:03}" for n in range(49)]
    assert names(second) == [f"N{n:03}" for n in range(49, 99)]
    assert names(again) == names(first)


@pytest.mark.parametrize(
    "key", ["x", "e30", "WzEsMl0", "W10", "😀", "A" * 5000, "WyJhIiwiYiIsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0"]
)
@pytest.mark.parametrize("name", ["apres", "avant"])
def test_a_forged_key_shows_the_beginning(administrator, crowd, key, name):
    page = administrator.get(LIST, {name: key})
    assert page.status_code == 200
    assert names(page.content.decode())[0] == "N000"


def test_filters_narrow_the_list(administrator, crowd):
    assert names(administrator.get(LIST, {"q": "n007"}).content.decode()) == ["N007"]
    assert "N001" not in names(administrator.get(LIST, {"role": "elu"}).content.decode())
    assert names(administrator.get(LIST, {"etat": "termines"}).content.decode()) == ["N119"]
    assert len(names(administrator.get(LIST, {"etat": "", "q": "N11"}).content.decode())) == 10
    assert names(administrator.get(LIST, {"service": "pas-un-uuid"}).content.decode()) == []


def test_the_list_costs_the_same_whatever_its_length(administrator, crowd, django_assert_max_num_queries):
    administrator.get(LIST)
    with django_assert_max_num_queries(24):
        administrator.get(LIST)


def test_a_person_shows_what_concerns_this_organisation_only(administrator, juvignac, fabregues, account_for):
    person = account_for(juvignac, "lecteur", email="deux@mairies.test", given_name="Alix", family_name="Double")
    account_for(fabregues, "maire", email="deux@mairies.test", title="Maire de Fabrègues")
    page = administrator.get(f"{LIST}{person.pk}/").content.decode()
    assert "Alix Double" in page
    assert "Consultation" in page
    assert "Fabrègues" not in page
    assert "pas encore" in page  # no second factor


def test_the_table_is_inert_in_a_spreadsheet_and_its_download_is_audited(administrator, juvignac, crowd):
    table = administrator.get(LIST + "export.csv", {"etat": ""})
    text = b"".join(table.streaming_content).decode("utf-8-sig")
    assert "'=1+1;N007" in text
    assert len(text.splitlines()) == 122
    with acting_for(juvignac):
        assert SecurityEvent.objects.get(event="manager.export").data["rows"] == 121
    sheet = administrator.get(LIST + "export.ods", {"q": "N007"})
    with zipfile.ZipFile(io.BytesIO(b"".join(sheet.streaming_content))) as archive:
        assert "N007" in archive.read("content.xml").decode()
    assert administrator.get(LIST + "export.exe").status_code == 404


def age(client) -> None:
    """The proof of ``client`` becomes an hour old."""
    session = client.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session["account_authentication_methods"] = session["account_authentication_methods"]
    session.save()


@pytest.mark.parametrize("path", ["export.csv", f"imports/{NOBODYS}/rapport.csv"])
def test_a_table_of_people_asks_for_a_recent_proof(administrator, path):
    age(administrator)
    assert "securite/confirmer" in administrator.get(LIST + path)["Location"]


def test_giving_changing_and_taking_rights_ask_for_a_recent_proof(administrator, juvignac, crowd):
    with acting_for(juvignac):
        mandate = Mandate.objects.get(account=crowd[0])
    age(administrator)
    for path in ("nouvelle/", f"{mandate.pk}/", f"{mandate.pk}/fin/", f"{mandate.account_id}/acces/"):
        assert "securite/confirmer" in administrator.post(LIST + path, {})["Location"], path
    for path in (f"{NOBODYS}/{NOBODYS}/", f"{NOBODYS}/confirmation/"):
        assert "securite/confirmer" in administrator.post(BASE + "revues/" + path, {})["Location"], path
    service = administrator.post(BASE + "services/nouveau/", {"name": "Voirie"})
    assert "securite/confirmer" in service["Location"], "its head administers people"
