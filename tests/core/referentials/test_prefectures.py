"""The State's services that receive acts are named, not coded."""

import pytest

from parvis.core.referentials.prefectures import arrondissement_name, prefecture_name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("PREF034", "Préfecture de l’Hérault"),
        ("SPREF0342", "Sous-préfecture de Lodève"),
        ("PREF02A", "Préfecture du département 02A"),
        ("autre", "autre"),
    ],
)
def test_a_prefecture_is_named_from_its_code(code, name):
    assert prefecture_name(code) == name


def test_an_arrondissement_is_named_where_it_is_known():
    assert arrondissement_name("034", "3") == "arrondissement de Montpellier"
    assert arrondissement_name("075", "1") == "arrondissement 1"
