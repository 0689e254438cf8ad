"""Registration: nothing tells whether an address has an account, and no link serves twice."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from parvis.core.authentication import sessions, throttle
from parvis.core.identity import addresses, profile, values
from parvis.core.identity.models import Account, Link, SecurityEvent
from parvis.core.identity.views.frame import too_many
from parvis.core.organisations.tenancy import identity_of
from tests.core.identity.life import PASSWORD, browser_of, citizen, link_in, outbox  # noqa: F401
from tests.names import named

pytestmark = pytest.mark.django_db
NEW = "nouvelle.personne@exemple.test"
FORM = {"given_names": "Léa, Marie", "family_name": "D’Exemple", "password": PASSWORD, "again": PASSWORD}


def follow(run_jobs, outbox, email=NEW, **fields) -> str:  # noqa: F811
    """Ask for ``email`` and return the path of the link received."""
    answer = Client().post("/inscription/", {"email": email, **fields})
    assert answer.status_code == 302, answer.content.decode()
    run_jobs()
    return link_in(outbox[-1])


def test_an_account_is_opened_by_following_the_link(run_jobs, outbox):  # noqa: F811
    path = follow(run_jobs, outbox)
    assert not Account.objects.filter(email=NEW).exists()
    client = Client()
    assert client.get(path).status_code == 200
    answer = client.post(path, {**FORM, "civility": "madame"})
    assert answer["Location"] == "/mon-compte/"
    assert {sessions.STARTED, sessions.SEEN, sessions.HELD} <= set(client.session.keys()), "before any other page"
    assert client.session.get_expire_at_browser_close()
    assert throttle.DEVICE_COOKIE in answer.cookies
    account = Account.objects.get(email=NEW)
    assert (account.full_name, account.population) == ("Léa D’Exemple", "usager")
    assert account.email_verified_at is not None
    assert account.check_password(PASSWORD)
    assert profile.attributes_of(account)["prenoms"].value == ["Léa", "Marie"]
    assert client.get("/mon-compte/").status_code == 200
    with identity_of(account.pk):
        assert SecurityEvent.objects.filter(event="user.registration").count() == 1


@named
def test_an_account_keeps_the_name_of_its_holder(run_jobs, outbox, given, family):  # noqa: F811
    client = Client()
    path = follow(run_jobs, outbox)
    answer = client.post(path, {**FORM, "given_names": given, "family_name": family})
    assert answer.status_code == 302, answer.content.decode()
    assert Account.objects.get(email=NEW).full_name == f"{given} {family}"
    assert escape(family) in client.get("/mon-compte/").content.decode()


@pytest.mark.parametrize("hyphen", ["\u2010", "\u2011"])
def test_the_hyphens_of_a_word_processor_are_the_usual_one(hyphen):
    assert values.name(f"Dupont{hyphen}Durand") == "Dupont-Durand"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Łukasz Żółkiewski", "LUKASZ ZOLKIEWSKI"),
        ("N’Guyen-D’Août", "N'GUYEN D'AOUT"),
        ("Ελένη", "ΕΛΕΝΗ"),
        ("Şahin Øster", "SAHIN OSTER"),
    ],
)
def test_a_name_is_known_under_its_other_writings(one, other):
    assert values.folded(one) == values.folded(other)


def test_two_names_of_another_alphabet_are_two():
    assert values.folded("李") != values.folded("王")


def test_the_answer_and_the_work_are_the_same_for_a_known_address(run_jobs, outbox):  # noqa: F811
    citizen("connue@exemple.test")

    def ask(email):
        client = Client()
        with CaptureQueriesContext(connection) as queries:
            answer = client.post("/inscription/", {"email": email})
        shape = [" ".join(re.findall(r"^[A-Z]+|FROM \S+|INTO \S+", q["sql"])) for q in queries.captured_queries]
        return answer.status_code, answer["Location"], shape

    ask("premiere@exemple.test")  # what is read once per process is read now
    assert ask("connue@exemple.test") == ask("inconnue@exemple.test")
    run_jobs()
    known, unknown = [
        next(m for m in outbox if m.to == [to]) for to in ("connue@exemple.test", "inconnue@exemple.test")
    ]
    assert link_in(known) == "/compte/login/"
    assert link_in(unknown).startswith("/inscription/")


def test_neither_the_database_nor_the_queue_holds_the_token(run_jobs, outbox):  # noqa: F811
    Client().post("/inscription/", {"email": NEW})
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs")
        jobs = " ".join(row[0] for row in cursor.fetchall())
    run_jobs()
    token = link_in(outbox[-1]).split("/")[2]
    assert token not in jobs
    assert NEW not in jobs
    assert token not in str(list(Link.objects.values_list()))


def test_a_link_serves_once(run_jobs, outbox):  # noqa: F811
    path = follow(run_jobs, outbox)
    assert Client().post(path, FORM).status_code == 302
    for replay in (Client().get(path), Client().post(path, {**FORM, "family_name": "Autre"})):
        assert replay.status_code == 410
        assert "déjà servi" in replay.content.decode()
    assert Account.objects.filter(email=NEW).count() == 1


def test_an_older_link_opens_nothing_once_the_account_is_there(run_jobs, outbox):  # noqa: F811
    first = follow(run_jobs, outbox)
    second = follow(run_jobs, outbox)
    assert Client().post(second, FORM).status_code == 302
    assert Client().post(first, FORM).status_code == 410


def test_a_link_ends_after_a_day(run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+02:00")
    path = follow(run_jobs, outbox)
    frozen_clock("2019-06-25T09:59+02:00")
    assert Client().get(path).status_code == 200
    frozen_clock("2019-06-25T10:00+02:00")
    assert Client().get(path).status_code == 410
    assert Client().post(path, FORM).status_code == 410
    assert not Account.objects.filter(email=NEW).exists()


def test_a_link_opened_by_a_scanner_or_another_browser_still_serves(run_jobs, outbox):  # noqa: F811
    path = follow(run_jobs, outbox)
    for _ in range(3):
        assert Client().get(path).status_code == 200
    assert Client().post(path, FORM).status_code == 302


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "..", "é"])
def test_an_unknown_link_opens_nothing(token):
    assert Client().get(f"/inscription/{token}/").status_code in (400, 404, 410)


def test_a_link_of_another_purpose_opens_nothing(run_jobs, outbox):  # noqa: F811
    token = follow(run_jobs, outbox).split("/")[2]
    for page in ("suppression/{}/", "adresse/annuler/{}/"):
        assert Client().post("/mon-compte/" + page.format(token)).status_code == 410


def test_forged_fields_give_nothing(run_jobs, outbox, juvignac):  # noqa: F811
    path = follow(run_jobs, outbox)
    forged = {
        "email": "maire@juvignac.test", "population": "exploitation", "is_platform_administrator": "on",
        "is_active": "on", "role": "administrateur", "organisation": juvignac.pk, "email_verified_at": "2019-01-01",
    }  # fmt: skip
    Client().post(path, {**FORM, **forged})
    account = Account.objects.get(population="usager")
    assert (account.email, account.is_platform_administrator) == (NEW, False)
    with identity_of(account.pk):
        assert not account.mandates.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("family_name", "x" * 200),
        ("family_name", "Dup\u202eont"),
        ("family_name", "Dup\x00ont"),
        ("family_name", "<script>alert(1)</script>"),
        ("family_name", ""),
        ("given_names", "y" * 200),
        ("given_names", "Léa\x07"),
        ("given_names", " , "),
        ("civility", "excellence"),
        ("password", "court"),
        ("password", "motdepasse123"),
        ("again", "une autre phrase tout à fait différente"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_page(run_jobs, outbox, field, value):  # noqa: F811
    path = follow(run_jobs, outbox)
    answer = Client().post(path, {**FORM, field: value})
    assert answer.status_code == 200
    assert "à corriger" in answer.content.decode()
    assert not Account.objects.filter(email=NEW).exists()
    assert Client().post(path, FORM).status_code == 302  # the link was not spent


def test_an_account_opened_meanwhile_is_not_opened_twice(run_jobs, outbox):  # noqa: F811
    path = follow(run_jobs, outbox)
    citizen(NEW)
    answer = Client().post(path, FORM)
    assert answer.status_code == 410
    assert "existe déjà" in answer.content.decode()


@pytest.mark.parametrize("wanted", ["/p/juvignac/", "/bureau/?a=1", "/identite/o/authorize?client_id=x&state=y"])
def test_the_person_goes_back_where_they_came_from(run_jobs, outbox, wanted):  # noqa: F811
    path = follow(run_jobs, outbox, next=wanted)
    assert Client().post(path, FORM)["Location"] == wanted


@pytest.mark.parametrize(
    "wanted",
    ["https://ailleurs.test/", "//ailleurs.test/", "/\\ailleurs.test", "javascript:alert(1)", "ailleurs.test",
     "http:///ailleurs.test", "/\t/ailleurs.test", " //ailleurs.test", "/" + "a" * 3000],
)  # fmt: skip
def test_a_forged_way_back_leads_nowhere_else(run_jobs, outbox, wanted):  # noqa: F811
    path = follow(run_jobs, outbox, next=wanted)
    assert Client().post(path, FORM)["Location"] == "/mon-compte/"


def test_pages_and_mail_are_those_of_the_commune(run_jobs, outbox, juvignac):  # noqa: F811
    page = Client().get("/inscription/?commune=juvignac").content.decode()
    assert "Commune de Juvignac" in page
    path = follow(run_jobs, outbox, commune="juvignac")
    assert outbox[-1].from_email == "Commune de Juvignac <mairie@juvignac.test>"
    assert "Commune de Juvignac" in Client().get(path).content.decode()
    Client().post(path, FORM)
    account = Account.objects.get(email=NEW)
    assert account.commune == juvignac
    with identity_of(account.pk):
        assert not account.mandates.exists()
    assert Client().get("/inscription/?commune=nulle-part").status_code == 200


def test_one_address_receives_three_messages_an_hour(run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+02:00")
    for _ in range(5):
        assert Client().post("/inscription/", {"email": NEW}).status_code == 302
    run_jobs()
    assert len(outbox) == 3
    frozen_clock("2019-06-24T11:01+02:00")
    Client().post("/inscription/", {"email": NEW})
    run_jobs()
    assert len(outbox) == 4


def test_one_network_does_not_ask_without_end():
    from django.core.cache import cache

    cache.clear()
    answers = [Client().post("/inscription/", {"email": f"p{n}@exemple.test"}).status_code for n in range(42)]
    assert answers[:40] == [302] * 40
    assert answers[41] == 200
    cache.clear()


def test_whoever_is_logged_in_needs_no_other_account():
    client = browser_of(citizen())
    assert client.get("/inscription/?next=/bureau/")["Location"] == "/bureau/"


# --- addresses ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Camille.Essai@Exemple.FR ", "camille.essai@exemple.fr"),
        ("ｃａｍｉｌｌｅ＠exemple.fr", "camille@exemple.fr"),
        ("camille@exem\u00adple.fr", "camille@exemple.fr"),
        ("camille@été.fr", "camille@xn--t-9fab.fr"),
        ("camille@XN--T-9FAB.fr", "camille@xn--t-9fab.fr"),
        ("camille+mairie@exemple.fr", "camille+mairie@exemple.fr"),
    ],
)
def test_an_address_is_kept_in_one_way(typed, kept):
    assert addresses.canonical(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "camille", "@exemple.fr", "camille@", "camille@exemple", "a b@exemple.fr", "camille@exemple..fr",
        "cаmille@exemple.fr",  # a Cyrillic а
        "camille@exеmple.fr",  # a Cyrillic е among Latin letters
        "camille@xn--exmple-2of.fr",  # the same domain, already encoded
        "camille@exemplε.fr", "camille@-exemple.fr", "camille@exemple.fr\n", "camille@exemple.fr\r\nBcc: x@y.fr",
        "camille\x00@exemple.fr", "x" * 300 + "@exemple.fr", "\"a b\"@exemple.fr", "a@b@exemple.fr", "camille@xn--.fr",
    ],
)  # fmt: skip
def test_an_address_that_looks_like_another_or_like_none_is_refused(typed):
    if typed.endswith("\n") and "Bcc" not in typed:
        assert addresses.canonical(typed) == "camille@exemple.fr"  # a pasted line end is nothing
        return
    with pytest.raises(addresses.AddressRefused) as refused:
        addresses.canonical(typed)
    assert refused.value.sentence.endswith(".")


def test_a_look_alike_is_refused_in_words():
    page = Client().post("/inscription/", {"email": "camille@exеmple.fr"}).content.decode()
    assert "plusieurs alphabets" in page


def test_the_database_knows_one_account_per_address_whatever_the_case():
    from django.db import IntegrityError, transaction

    account = citizen("une@exemple.test")
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(email="UNE@exemple.test", given_name="A", family_name="B")
    assert addresses.account_at(addresses.canonical("Une@Exemple.test")) == account


def test_whoever_was_on_their_way_somewhere_goes_on_after_registering(run_jobs, outbox):  # noqa: F811
    page = Client().get("/compte/login/?next=/identite/o/authorize%3Fclient_id%3Dx%26state%3Dy").content.decode()
    [way] = re.findall(r'href="(/inscription/[^"]+)"', page)
    form = Client().get(way.replace("&amp;", "&"))
    assert form.context["next"] == "/identite/o/authorize?client_id=x&state=y"


def test_calls_of_a_network_are_counted_for_the_whole_hour(rf):
    """An IPv6 subscriber has countless addresses, and a pause of some minutes forgets nothing."""
    assert [too_many(rf.get("/", REMOTE_ADDR=f"2001:db8::{n}"), "essai", 2) for n in (1, 2, 3)] == [False, False, True]
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(expires) > now() + interval '50 min' FROM parvis_cache WHERE cache_key ~ 'essai'")
        assert cursor.fetchone() == (True,)
