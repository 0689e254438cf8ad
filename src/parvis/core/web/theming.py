"""The colours of an organisation, with the contrast that RGAA 3.2 and WCAG 2.2 (1.4.3) ask of text: 4.5 to 1.

Colours are ``#rrggbb`` strings. Contrast follows WCAG's relative luminance; neighbouring colours are looked
for in Oklab, where an equal step looks equal, so the colour proposed instead of a refused one looks nearest.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from parvis.core.errors import DomainError

MINIMUM: Final = 4.5
WHITE: Final = "#ffffff"
INK: Final = "#1d2327"
# The surfaces on which the accent is written as text: paper and ground of frontend/src/styles/tokens.css.
LIGHT_SURFACES: Final = (WHITE, "#f5f6f4", "#eceff1")
DARK_PAPER: Final = "#1c2125"
DARK_SURFACES: Final = (DARK_PAPER, "#14181b", "#2a3136")
# How much of the banner its picture takes: a strip below the words on a phone, the right of them elsewhere.
HEADER_SPACE: Final = "--header-strip:7rem;--header-share:38%"
BANDS: Final = ("accent-deep", "accent-deep-2")

Oklab = tuple[float, float, float]


class ColourTooPale(DomainError):
    """The accent would write unreadable text; ``nearest`` is the closest colour that passes."""

    def __init__(self, colour: str, ratio: float, nearest: str) -> None:
        shown = f"{ratio:.2f}".replace(".", ",")
        super().__init__(
            f"La couleur {colour} est trop pâle pour un texte lisible : contraste de {shown} pour 1 "
            f"au lieu de 4,5 pour 1 au moins (RGAA, critère 3.2). "
            f"La couleur la plus proche qui convient est {nearest}.",
            colour=colour,
            ratio=ratio,
        )
        self.nearest = nearest


def _channels(colour: str) -> tuple[float, float, float]:
    if len(colour) != 7 or not colour.startswith("#"):
        raise ValueError(f"not a #rrggbb colour: {colour!r}")
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _encoded(channel: float) -> float:
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white) (WCAG 2.2, definition of relative luminance)."""
    red, green, blue = (_linear(c) for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """``share`` (0 to 1) of ``colour`` laid over ``other``, channel by channel."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (share * a + (1 - share) * b)):02x}" for a, b in pairs)


def _to_oklab(colour: str) -> Oklab:
    red, green, blue = (_linear(c) for c in _channels(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _at_lightness(lab: Oklab, lightness: float) -> str:
    """The colour of the same hue at ``lightness``, its chroma reduced until the screen can show it."""
    for share in range(20, -1, -1):
        linear = _from_oklab(lightness, lab[1] * share / 20, lab[2] * share / 20)
        if all(-0.0005 <= channel <= 1.0005 for channel in linear):
            break
    return "#" + "".join(f"{round(255 * _encoded(min(1.0, max(0.0, c)))):02x}" for c in linear)


def _walk(colour: str, towards: float) -> Iterator[str]:
    """``colour``, then the same hue by steps of a hundredth of lightness ``towards`` 0 or 1."""
    yield colour
    lab = _to_oklab(colour)
    steps = round(abs(lab[0] - towards) * 200)
    for step in range(1, steps + 1):
        yield _at_lightness(lab, lab[0] + (towards - lab[0]) * step / steps)


def _soft(accent: str, paper: str, share: float) -> str:
    return mix(accent, paper, share)


def worst_contrast(accent: str) -> float:
    """Lowest contrast of ``accent`` as text on the light surfaces, its own soft background among them."""
    return min(contrast(accent, surface) for surface in (*LIGHT_SURFACES, _soft(accent, WHITE, 0.09)))


def nearest_readable(accent: str) -> str:
    """``accent`` itself when it is readable, else the nearest darker colour of the same hue that is."""
    return next(colour for colour in _walk(accent, 0.0) if worst_contrast(colour) >= MINIMUM)


def check_accent(accent: str) -> None:
    """Raise ``ColourTooPale`` when text in this colour would fall under 4.5 to 1 anywhere it is used."""
    ratio = worst_contrast(accent)
    if ratio < MINIMUM:
        raise ColourTooPale(accent, ratio, nearest_readable(accent))


class SecondColourUnclear(DomainError):
    """Neither white nor ink reads on the secondary colour; ``nearest`` is the closest colour on which one does."""

    def __init__(self, colour: str, ratio: float, nearest: str) -> None:
        shown = f"{ratio:.2f}".replace(".", ",")
        super().__init__(
            f"Ni le blanc ni le noir ne se lisent bien sur la couleur {colour} : contraste de {shown} pour 1 "
            f"au lieu de 4,5 pour 1 au moins (RGAA, critère 3.2). "
            f"La couleur la plus proche qui convient est {nearest}.",
            colour=colour,
            ratio=ratio,
        )
        self.nearest = nearest


def ink_contrast(background: str) -> float:
    """Contrast of the text written on ``background``, in white or ink, whichever reads better."""
    return contrast(background, readable_ink(background))


def check_second(colour: str) -> None:
    """Raise ``SecondColourUnclear`` when text written on this colour would fall under 4.5 to 1."""
    ratio = ink_contrast(colour)
    if ratio < MINIMUM:
        ways = [next(c for c in _walk(colour, end) if ink_contrast(c) >= MINIMUM) for end in (0.0, 1.0)]
        lightness = _to_oklab(colour)[0]
        raise SecondColourUnclear(colour, ratio, min(ways, key=lambda c: abs(_to_oklab(c)[0] - lightness)))


@dataclass(frozen=True)
class Measure:
    """One pair of colours as pages use it, with its contrast."""

    label: str
    ratio: float

    @property
    def passes(self) -> bool:
        return self.ratio >= MINIMUM


def measures(theme: "Theme") -> list[Measure]:
    """The contrasts of everything that pages write in the two colours, or over them, by day and by night."""
    light, dark = theme.light(), theme.dark()
    return [
        Measure("Texte de la couleur principale sur blanc", contrast(theme.accent, WHITE)),
        Measure("Le même sur fond teinté", worst_contrast(theme.accent)),
        Measure("Texte d’un bouton, sur la couleur principale", contrast(theme.accent, readable_ink(theme.accent))),
        Measure("Texte sur la couleur secondaire", ink_contrast(theme.accent_2)),
        Measure("Titre sur le bandeau d’en-tête", min(contrast(WHITE, light[n]) for n in BANDS)),
        Measure("Liens en affichage sombre", min(contrast(dark["accent"], s) for s in DARK_SURFACES)),
        Measure("Boutons en affichage sombre", contrast(dark["accent"], dark["accent-ink"])),
    ]


def readable_ink(background: str) -> str:
    """White or ink, whichever reads better on ``background``."""
    return max((WHITE, INK), key=lambda ink: contrast(ink, background))


def _lighter_for_white_text(colour: str) -> str:
    """A lighter sister of ``colour`` on which white text still reads, for the second half of a hero."""
    chosen = colour
    start = _to_oklab(colour)[0]
    for candidate in _walk(colour, 1.0):
        if contrast(candidate, WHITE) < MINIMUM or _to_oklab(candidate)[0] - start > 0.075:
            break
        chosen = candidate
    return chosen


@dataclass(frozen=True)
class Theme:
    """The variables that an organisation's style sheet sets, all derived from its two colours."""

    accent: str
    accent_2: str
    header: str = ""
    """Address of the picture of the public header, of letters, digits and ``/._-`` alone."""

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that change with the content: they make the address cacheable for ever."""
        return hashlib.sha256(f"3:{self.accent}:{self.accent_2}:{self.header}".lower().encode()).hexdigest()[:8]

    def light(self) -> dict[str, str]:
        accent = nearest_readable(self.accent)
        return {
            "accent": accent,
            "accent-ink": readable_ink(accent),
            "accent-soft": _soft(accent, WHITE, 0.09),
            "accent-line": mix(accent, WHITE, 0.28),
            "accent-2": self.accent_2,
            "accent-2-ink": readable_ink(self.accent_2),
            "accent-deep": accent,
            "accent-deep-2": _lighter_for_white_text(accent),
        }

    def dark(self) -> dict[str, str]:
        def soft(colour: str) -> str:
            return _soft(colour, DARK_PAPER, 0.12)

        accent = next(
            colour
            for colour in _walk(self.accent, 1.0)
            if min(contrast(colour, s) for s in (*DARK_SURFACES, soft(colour))) >= 5.5
        )
        return {
            "accent": accent,
            "accent-ink": readable_ink(accent),
            "accent-soft": soft(accent),
            "accent-line": mix(accent, DARK_PAPER, 0.35),
        }

    def stylesheet(self) -> str:
        """The served style sheet: the light variables, then those of reading pages on a dark screen."""

        def block(variables: dict[str, str]) -> str:
            return "".join(f"--{name}:{value};" for name, value in variables.items())

        return (
            f":root{{{block(self.light())}}}\n"
            f"@media (prefers-color-scheme:dark){{:root[data-reading]{{{block(self.dark())}}}}}\n"
            + (f':root{{--header-image:url("{self.header}");{HEADER_SPACE}}}\n' if self.header else "")
        )
