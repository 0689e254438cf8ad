"""Numbers that people write in addresses, queries and headers: none is too large to be answered."""

import pytest

from parvis.core.web.integers import LARGEST, whole_number
from parvis.opendata.queries import Selection
from tests.core.documents.test_store import document  # noqa: F401  a fixture

HUGE = 10**30
LONG = "9" * 5000


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("0", 0),
        ("007", 7),
        (str(LARGEST), LARGEST),
        (str(LARGEST + 1), LARGEST),
        (str(HUGE), LARGEST),
        (LONG, LARGEST),
        ("", None),
        (None, None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_whole_numbers_are_bounded(text, number):
    assert whole_number(text) == number


def test_a_bound_of_ones_own():
    assert whole_number("1200", most=500) == 500


@pytest.mark.django_db
@pytest.mark.parametrize("number", [str(HUGE), LONG, "²"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("journal/?avant={}", 200),
        ("archives/registre/?avant={}", 200),
        ("archives/?apres={}.{}", 200),
        ("actes/?apres={}", 200),
        ("parapheur/?page={}", 200),
        ("journal/{}/", 404),
        ("journal/{}/preuve.json", 404),
        ("travaux/{}/relance/", 404),
    ],
)
def test_pages_answer_whatever_the_number(juvignac, agent_client, path, status, number):
    answer = agent_client(juvignac, "administrateur").get(f"/o/juvignac/{path.format(number, number)}", follow=True)
    assert answer.status_code in ({status, 405} if path.startswith("travaux") else {status})


def test_a_filter_of_the_open_table_ignores_them():
    assert Selection.read({"matiere": LONG}).matiere == Selection.read({"matiere": "²"}).matiere == ""
    assert Selection.read({"matiere": "5"}).matiere == "5"


@pytest.mark.django_db
@pytest.mark.parametrize("number", [str(HUGE), LONG])
def test_documents_answer_whatever_the_number(juvignac, agent_client, document, number):  # noqa: F811
    client, address = agent_client(juvignac, "lecteur"), f"/o/juvignac/documents/{document.pk}/"
    assert client.get(f"{address}pages/{number}/").status_code == 404
    assert client.get(f"{address}pages/1/?largeur={number}").status_code == 200
    assert client.get(address, headers={"Range": f"bytes={number}-"}).status_code == 416
    assert client.get(address, headers={"Range": f"bytes=-{number}"}).status_code == 206
    assert client.get(address, headers={"Range": f"bytes=0-{number}"}).status_code == 206
