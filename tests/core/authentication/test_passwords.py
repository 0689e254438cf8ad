"""Password policy: the arithmetic of the CNIL, what is known or personal, what is said in French, how it is hashed."""

import gzip
import hashlib

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core import signing
from django.core.exceptions import ValidationError
from zxcvbn import feedback
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from parvis.core.authentication import passwords
from parvis.core.authentication.passwords import CRITERIA_SALT, FRENCH, PolicyValidator, bits, examine, is_leaked, words
from parvis.core.identity.models import Account
from parvis.core.organisations.models import Organisation

HASHERS = [
    "parvis.core.authentication.hashers.NormalisingArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
GOOD = "kJ7#vq!Lz2&w"  # 12 characters of the four kinds
PHRASE = "vélo cuivre nuage tambour ravin hibou lanterne"


def missing(password, account=None):
    return {one.code for one in examine(password, account).criteria if not one.met}


@pytest.fixture
def usager(db):
    return Account(email="ines.roumegas@exemple.test", given_name="Inès", family_name="Roumégas", population="usager")


@pytest.fixture
def agent(db):
    return Account(email="a@exemple.test", given_name="Al", family_name="Ba", population="agent")


@pytest.mark.parametrize(
    ("password", "expected"),
    [("", 0), ("a" * 17, 80), ("aB3#" * 3, 80), ("aB3x" * 3 + "aB", 83), ("1234567890123456", 53), ("aB3#aB3#", 53)],
)
def test_bits_follow_the_table_of_the_cnil(password, expected):
    assert bits(password) == expected


def test_a_phrase_counts_its_different_words():
    assert words(PHRASE) == 7
    assert words("oui oui oui oui oui oui oui") == 1
    assert words("a b c d e f g") == 0


def test_an_agent_follows_the_strictest_of_their_organisations(account_for, juvignac, fabregues):
    account_for(fabregues, "secretaire", email="partagee@mairies.test")
    agent = account_for(juvignac, "lecteur", email="partagee@mairies.test")
    password = "kJ7#vq!Lz2&wY9%t"
    assert missing(password, agent) == set()
    Organisation.objects.filter(pk=juvignac.pk).update(password_length=17)
    assert missing(password, agent) == {"longueur"}


@pytest.mark.django_db
@pytest.mark.parametrize("password", [GOOD, PHRASE, "une phrase de passe d'essai 2019"])
def test_what_is_long_or_varied_enough_is_accepted(password, usager):
    assert missing(password, usager) == set()


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("kJ7#vq!Lz2&", {"longueur", "force"}),
        ("kjqvzwhpxbmr", {"force"}),
        ("azertyuiop123456", {"connu", "devinable"}),
        ("Motdepasse2024!!", {"connu"}),
        ("aaaaaaaaaaaaaaaaaaaa", {"devinable"}),
        ("Roumegas-kJ7#vq!Lz2&w", {"personnel"}),
        ("ROUMÉGAS kJ7#vq!Lz2&w", {"personnel"}),
        ("ines kJ7#vq!Lz2&w", {"personnel"}),
        ("x" * 300, {"longueur", "devinable"}),
    ],
)
def test_what_is_refused_and_why(password, codes, usager):
    assert codes <= missing(password, usager)


def test_the_hundred_thousand_commonest_are_known():
    """The last word of the list is in neither Django's list nor zxcvbn's."""
    with gzip.open(passwords.COMMONEST, "rt") as lines:
        words = lines.read().split()
    assert len(words) == 100_000
    last = next(word for word in reversed(words) if word.isalpha())
    assert last not in CommonPasswordValidator().passwords
    assert last not in FREQUENCY_LISTS["passwords"]
    assert passwords.is_common(last)
    assert passwords.is_common(f"{last.title()}2026!")


def test_a_commune_is_refused_for_everybody_who_may_live_there(usager, juvignac):
    assert "personnel" in missing("Juvignac kJ7#vq!Lz2&w", usager)


def test_agents_need_two_characters_more(usager, agent):
    assert "longueur" not in missing(GOOD, usager)
    assert "longueur" in missing(GOOD, agent)
    assert missing(GOOD + "9t", agent) == set()


def test_the_validator_says_all_that_is_missing_in_french(usager):
    with pytest.raises(ValidationError) as refused:
        PolicyValidator().validate("azerty", usager)
    said = " ".join(refused.value.messages)
    assert "12 caractères au moins" in said
    assert "courants ou divulgués" in said
    with pytest.raises(ValidationError, match="au plus 256"):
        PolicyValidator().validate("é" * 257, usager)


def test_every_sentence_of_the_library_has_its_translation(monkeypatch):
    import inspect
    import re

    source = re.sub(r"'\s*\\\n\s*'", "", inspect.getsource(feedback))
    source = re.sub(r'"\s*\n\s*"', "", source)
    found = {a or b for a, b in re.findall(r"""_\((?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\)""", source)}
    assert len(found) > 20
    assert found - set(FRENCH) == set()


@pytest.mark.parametrize("end", ["\n", "\r\n", ":12\r\n"])
def test_leaked_passwords_are_found_by_bisection_at_every_place_of_the_file(tmp_path, end):
    known = [f"divulgue {n}" for n in range(257)]
    digests = sorted(hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper() for word in known)
    path = tmp_path / "leaked.txt"
    path.write_bytes("".join(digest + end for digest in digests).encode())
    assert all(is_leaked(word, path) for word in known)
    assert not any(is_leaked(f"inconnu {n}", path) for n in range(257))
    (tmp_path / "empty.txt").write_bytes(b"")
    assert not is_leaked("divulgue 1", tmp_path / "empty.txt")


def test_the_file_of_leaked_passwords_is_asked(tmp_path, settings, usager):
    assert "connu" not in missing(GOOD, usager)
    path = tmp_path / "leaked.txt"
    path.write_text(hashlib.sha1(GOOD.encode(), usedforsecurity=False).hexdigest().upper() + ":3\n")
    settings.PARVIS_BREACHED_PASSWORDS = path
    assert "connu" in missing(GOOD, usager)


@pytest.mark.django_db
def test_the_same_keys_open_whatever_the_form_of_their_accents(settings):
    settings.PASSWORD_HASHERS = HASHERS
    account = Account.objects.create_user("n@exemple.test", "été à la ferme n° ½")
    assert account.password.startswith("argon2$argon2id$")
    assert account.check_password("e\u0301te\u0301 a\u0300 la ferme n° ½")
    assert not account.check_password("ete a la ferme n° ½")


@pytest.mark.django_db
def test_an_imported_hash_opens_once_and_becomes_argon2id(settings):
    settings.PASSWORD_HASHERS = HASHERS
    account = Account.objects.create_user("i@exemple.test", None)
    account.password = PBKDF2PasswordHasher().encode(GOOD, "selselsel", 1000)
    account.save()
    assert not account.check_password("autre")
    assert account.check_password(GOOD)
    account.refresh_from_db()
    assert account.password.startswith("argon2$argon2id$")
    assert account.check_password(GOOD)


@pytest.mark.django_db
def test_bcrypt_is_read_where_its_library_is_installed(settings):
    pytest.importorskip("bcrypt")
    settings.PASSWORD_HASHERS = [*HASHERS, "django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
    account = Account.objects.create_user("b@exemple.test", None)
    account.password = make_password(GOOD, hasher="bcrypt_sha256")
    account.save()
    assert account.check_password(GOOD)
    account.refresh_from_db()
    assert account.password.startswith("argon2$")


@pytest.mark.django_db
class TestLiveCriteria:
    URL = "/mon-compte/securite/mot-de-passe/criteres/"

    def test_they_follow_what_is_typed(self, client, account_for, juvignac):
        account = account_for(juvignac, "lecteur")
        pour = signing.dumps(account.pk, salt=CRITERIA_SALT)
        said = client.post(self.URL, {"password1": GOOD, "pour": pour}).content.decode()
        assert "14 caractères au moins" in said
        assert said.count("c’est fait") == 4
        assert GOOD not in said

    def test_a_forged_account_is_nobody(self, client, account_for, juvignac):
        said = client.post(self.URL, {"password1": GOOD, "pour": "1"}).content.decode()
        assert "12 caractères au moins" in said

    def test_they_are_rate_limited(self, client, monkeypatch):
        monkeypatch.setattr("parvis.core.authentication.views.CHECKS_PER_MINUTE", 3)
        answers = [client.post(self.URL, {"password1": "x"}).status_code for _ in range(8)]
        assert 429 in answers
        assert answers[0] == 200

    def test_reading_only_is_refused(self, client):
        assert client.get(self.URL).status_code == 405


def test_changing_the_password_applies_the_policy_and_ends_the_other_sessions(agent_client, juvignac):
    client, elsewhere = agent_client(juvignac, "lecteur"), agent_client(juvignac, "lecteur")
    old = "une phrase de passe d'essai 2019"
    form = {"oldpassword": old, "password1": "azertyuiop12", "password2": "azertyuiop12"}
    refused = client.post("/compte/password/change/", form)
    assert refused.status_code == 200
    assert "Il manque" in refused.content.decode()
    done = client.post("/compte/password/change/", {**form, "password1": PHRASE, "password2": PHRASE})
    assert done.status_code == 302
    assert client.get("/mon-compte/securite/").status_code == 200
    assert elsewhere.get("/mon-compte/securite/").status_code == 302


def test_constants_are_those_of_the_policy():
    assert (passwords.USAGER_LENGTH, passwords.AGENT_LENGTH, passwords.MAX_LENGTH) == (12, 14, 256)
    assert (passwords.ENOUGH_BITS, passwords.PHRASE_WORDS, passwords.LEAST_SCORE) == (80, 7, 3)
