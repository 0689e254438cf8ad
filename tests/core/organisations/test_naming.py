"""Names of organisations within a sentence."""

import pytest

from parvis.core.organisations.naming import of_it, with_article


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Commune de Juvignac", "de la commune de Juvignac"),
        ("Commune du Crès", "de la commune du Crès"),
        ("CCAS de Juvignac", "du CCAS de Juvignac"),
        ("Montpellier Méditerranée Métropole", "de Montpellier Méditerranée Métropole"),
        ("La Métropole", "de la Métropole"),
        ("Le Crès", "du Crès"),
        ("Les Matelles", "des Matelles"),
        ("La Grande-Motte", "de La Grande-Motte"),
        ("Aniane", "d’Aniane"),
        ("Établissement public foncier", "de l’établissement public foncier"),
        ("Juvignac", "de Juvignac"),
    ],
)
def test_a_name_after_de(name, said):
    assert of_it(name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Commune de Juvignac", "la commune de Juvignac"),
        ("CCAS de Juvignac", "le CCAS de Juvignac"),
        ("Montpellier Méditerranée Métropole", "Montpellier Méditerranée Métropole"),
        ("Le Crès", "Le Crès"),
    ],
)
def test_a_name_with_its_article(name, said):
    assert with_article(name) == said
