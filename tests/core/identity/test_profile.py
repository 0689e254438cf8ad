"""The profile of a person: shapes of the values, marks of verification, isolation."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core.identity import profile, values
from parvis.core.identity.models import Account, ProfileAttribute
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.conftest import needs_shared


@pytest.fixture
def account(db):
    return Account.objects.create_user(
        "camille@exemple.test", given_name="Camille", family_name="Essai", population="usager"
    )


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("1962-08-24", {"text": "1962-08-24", "precision": "jour"}),
        ("1962-08-00", {"text": "1962-08-00", "precision": "mois"}),
        ("1962-00-00", {"text": "1962-00-00", "precision": "annee"}),
        ("1977-00-03", {"text": "1977-00-03", "precision": "annee"}),
    ],
)
def test_a_date_of_birth_keeps_what_the_registers_know(raw, kept):
    assert values.birth_date(raw) == kept
    assert values.birth_date(kept) == kept


@pytest.mark.parametrize("raw", ["", "24/08/1962", "1962-02-30", "1962-13-01", "1962-01-32", "62-01-01", None, 1962])
def test_a_date_of_birth_that_does_not_exist_is_refused(raw):
    with pytest.raises(values.ValueRefused):
        values.birth_date(raw)


@pytest.mark.parametrize("raw", ["L’Hôpital-Aÿ", "d'Alembert", "李", "Jean-Pierre", "Nuñez y López", "Ngô Thị"])
def test_names_of_every_alphabet_are_kept(raw):
    assert values.name(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "-",
        "a" * 81,
        "x" * 200,
        "Léa\x00",
        "Léa\u202e",
        "Lé\u200ba",
        "<b>Léa</b>",
        "Léa\tB\x07",
        "007",
        None,
        4,
    ],
)
def test_names_that_are_not_names_are_refused(raw):
    with pytest.raises(values.ValueRefused):
        values.name(raw)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("0033 6 12 34 56 78", "+33612345678"),
        ("+32 2 555 12 12", "+3225551212"),
        ("04.67.00.00.00", "+33467000000"),
    ],
)
def test_telephone_numbers_become_e164(raw, kept):
    assert values.telephone(raw) == kept


@pytest.mark.parametrize("raw", ["", "06 12", "+33 06 12 34 56 78", "abcdefghij", "+" + "1" * 30, "١٢٣٤٥٦٧٨٩٠"])
def test_telephone_numbers_of_no_country_are_refused(raw):
    with pytest.raises(values.ValueRefused):
        values.telephone(raw)


@given(st.sampled_from(sorted(values.CLEANERS)), st.one_of(st.text(), st.integers(), st.lists(st.text()), st.none()))
def test_any_value_is_kept_or_refused_in_words(name, raw):
    with suppress(values.ValueRefused):
        assert values.CLEANERS[name](raw)


@needs_shared
def test_a_commune_of_birth_is_known_by_its_name_or_its_code():
    assert values.commune_typed("juvignac") == "34123"
    assert values.commune_typed("Montpellier (34172)") == "34172"
    with pytest.raises(values.ValueRefused, match="plusieurs"):
        values.commune_typed("Saint-Denis")
    with pytest.raises(values.ValueRefused, match="aucune"):
        values.commune_typed("Nulle-Part-les-Bains")


def test_without_the_official_lists_a_code_is_still_kept(settings):
    settings.PARVIS_REFERENTIALS_DIR = None
    assert values.commune_typed("2A004") == "2A004"
    assert values.country("99100") == "99100"
    with pytest.raises(values.ValueRefused, match="code INSEE"):
        values.commune_typed("Montpellier")


def test_a_verified_value_is_read_only_for_its_holder(account):
    profile.declare(account, {"nom_naissance": "Essai", "prenoms": "Camille, Andrée"})
    profile.set_verified(account, "nom_naissance", "DUPONT", "franceconnect", verified_by="https://fc.test")
    known = profile.attributes_of(account)
    assert known["nom_naissance"].verified
    assert known["nom_naissance"].source == "franceconnect"
    assert not known["prenoms"].verified
    with pytest.raises(profile.AttributeVerified):
        profile.declare(account, {"nom_naissance": "Autre"})
    with pytest.raises(profile.AttributeVerified):
        profile.declare(account, {"nom_naissance": ""})
    assert profile.declare(account, {"nom_naissance": "DUPONT", "nom_usage": "Martin"}) == ["nom_usage"]


def test_an_account_is_called_by_its_profile(account):
    profile.set_verified(account, "prenoms", ["Angela", "Claire"], "franceconnect")
    profile.set_verified(account, "nom_naissance", "DUBOIS", "franceconnect")
    account.refresh_from_db()
    assert account.full_name == "Angela DUBOIS"
    profile.declare(account, {"nom_usage": "Martin"})
    account.refresh_from_db()
    assert account.full_name == "Angela Martin"
    profile.declare(account, {"nom_usage": ""})
    account.refresh_from_db()
    assert account.full_name == "Angela DUBOIS"


def test_dropping_a_verification_keeps_the_values(account):
    profile.set_verified(account, "sexe", "feminin", "franceconnect")
    profile.set_verified(account, "telephone_mobile", "+33612345678", "proconnect")
    assert profile.drop_verification(account, "franceconnect") == ["sexe"]
    known = profile.attributes_of(account)
    assert (known["sexe"].value, known["sexe"].source, known["sexe"].verified) == ("feminin", "declare", False)
    assert known["telephone_mobile"].verified


def test_nobody_verifies_by_declaring(account):
    with pytest.raises(ValueError, match="verifies nothing"):
        profile.set_verified(account, "sexe", "feminin", "declare")
    with pytest.raises(ValueError, match="not an attribute"):
        profile.set_verified(account, "is_platform_administrator", True, "agent")


def test_a_profile_is_read_by_its_holder_only(account, juvignac):
    other = Account.objects.create_user("autre@exemple.test", given_name="A", family_name="B")
    profile.declare(account, {"sexe": "feminin"})
    assert not ProfileAttribute.objects.exists()
    with acting_for(juvignac):
        assert not ProfileAttribute.objects.exists()
    with identity_of(other.pk):
        assert not ProfileAttribute.objects.exists()
    with identity_of(account.pk):
        assert ProfileAttribute.objects.count() == 1
