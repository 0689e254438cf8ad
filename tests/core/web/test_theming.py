"""Colours: contrast as WCAG counts it, and a nearest colour that really passes and really is near."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.core.web.theming import (
    INK,
    MINIMUM,
    WHITE,
    ColourTooPale,
    Theme,
    check_accent,
    contrast,
    luminance,
    mix,
    nearest_readable,
    readable_ink,
    worst_contrast,
)

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),  # the usual example of a grey that just fails
        ("#767676", "#ffffff", 4.54),  # and its neighbour that just passes
        ("#0000ff", "#ffffff", 8.59),
        ("#ff0000", "#ffffff", 4.00),
    ],
)
def test_contrast_of_known_pairs(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)


@given(colours, colours)
def test_contrast_is_symmetric_and_bounded(one, other):
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21


@given(colours)
def test_nearest_colour_passes_everywhere_it_is_used(colour):
    assert worst_contrast(nearest_readable(colour)) >= MINIMUM


@given(colours)
def test_readable_colour_is_left_alone(colour):
    if worst_contrast(colour) >= MINIMUM:
        assert nearest_readable(colour) == colour
        check_accent(colour)
    else:
        with pytest.raises(ColourTooPale):
            check_accent(colour)


def test_nearest_colour_is_only_as_dark_as_it_must_be():
    near = nearest_readable("#f0a000")
    assert worst_contrast(near) == pytest.approx(MINIMUM, abs=0.15)
    red, green, blue = (int(near[i : i + 2], 16) for i in (1, 3, 5))
    assert red > green > blue, "the hue stays orange"


def test_refusal_names_the_colour_its_contrast_and_the_way_out():
    with pytest.raises(ColourTooPale) as refusal:
        check_accent("#f0a000")
    assert "#f0a000" in refusal.value.sentence
    assert "4,5 pour 1" in refusal.value.sentence
    assert refusal.value.nearest in refusal.value.sentence


@given(colours, colours)
def test_every_pair_of_a_theme_reads(accent, second):
    theme = Theme(accent, second)
    light, dark = theme.light(), theme.dark()
    for variables in (light, dark):
        assert contrast(variables["accent"], variables["accent-ink"]) >= MINIMUM
        assert contrast(variables["accent"], variables["accent-soft"]) >= MINIMUM
    for background in (light["accent-deep"], light["accent-deep-2"]):
        assert contrast(background, WHITE) >= MINIMUM
    for surface in ("#1c2125", "#14181b"):
        assert contrast(dark["accent"], surface) >= MINIMUM


def test_version_changes_with_the_colours_only():
    assert Theme("#7A2E5D", "#d9a441").version == Theme("#7a2e5d", "#D9A441").version
    assert Theme("#7a2e5d", "#d9a441").version != Theme("#7a2e5e", "#d9a441").version
    assert re.fullmatch(r"[0-9a-f]{8}", Theme("#7a2e5d", "#d9a441").version)


def test_stylesheet_sets_variables_and_nothing_else():
    sheet = Theme("#7a2e5d", "#d9a441").stylesheet()
    assert "--accent:#7a2e5d;" in sheet
    assert re.fullmatch(r"[-a-z0-9:#;{}()@\[\]\s]+", sheet)


@pytest.mark.parametrize("bad", ["7a2e5d", "#7a2", "#7a2e5d00", ""])
def test_other_notations_are_refused(bad):
    with pytest.raises(ValueError):
        luminance(bad)


def test_mixing_and_ink():
    assert mix("#000000", "#ffffff", 0) == "#ffffff"
    assert mix("#000000", "#ffffff", 1) == "#000000"
    assert readable_ink("#ffee00") == INK
    assert readable_ink("#102030") == WHITE
