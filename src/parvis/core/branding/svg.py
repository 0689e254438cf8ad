"""Logos in SVG: only what draws is let in (SVG 1.1 and 2, static profile), whatever acts or calls outside is refused.

The tree that comes out is written anew from an allow-list of elements and attributes. Style sheets, which drawing
software likes to write, become presentation attributes, so the result needs no style at all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lxml import etree

from parvis.core.branding.errors import BrandingRefused

MAX_SIZE: Final = 200_000
MAX_ELEMENTS: Final = 2_000
MAX_DEPTH: Final = 30
MAX_USES: Final = 100
MAX_RULES: Final = 500
MAX_RATIO: Final = 10
SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS: Final = _names(
    """svg g defs symbol use path rect circle ellipse line polyline polygon text tspan linearGradient radialGradient
    stop clipPath mask pattern title desc"""
)
# What acts, calls outside or brings another language in: never an oversight of drawing software, so it is refused.
FORBIDDEN: Final = {
    "script": "un script",
    "foreignObject": "un contenu étranger au dessin (foreignObject)",
    "iframe": "un cadre",
    "handler": "un script",
    "listener": "un script",
    "a": "un lien",
    "image": "une image incorporée ou appelée d’ailleurs",
    "feImage": "une image incorporée ou appelée d’ailleurs",
    "animate": "une animation",
    "animateColor": "une animation",
    "animateMotion": "une animation",
    "animateTransform": "une animation",
    "set": "une animation",
    "discard": "une animation",
    "audio": "un son",
    "video": "une vidéo",
}
PRESENTATION: Final = _names(
    """fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit
    stroke-dasharray stroke-dashoffset opacity color display visibility clip-path clip-rule mask stop-color stop-opacity
    font-family font-size font-style font-weight font-variant font-stretch letter-spacing word-spacing text-anchor
    text-decoration dominant-baseline baseline-shift vector-effect paint-order shape-rendering"""
)
GEOMETRY: Final = _names(
    """id viewBox preserveAspectRatio x y x1 y1 x2 y2 dx dy width height r rx ry cx cy fx fy fr d points transform
    gradientTransform gradientUnits patternTransform patternUnits patternContentUnits clipPathUnits maskUnits
    maskContentUnits spreadMethod offset rotate textLength lengthAdjust pathLength"""
)
MEASURE: Final = re.compile(r"[\w\s.,+%()-]*")
LOCAL: Final = re.compile(r"#[\w.:-]+")
LOCAL_URL: Final = re.compile(r"""url\(\s*(['"]?)#[\w.:-]+\1\s*\)""")
COLOURS: Final = frozenset({"rgb", "rgba", "hsl", "hsla"})
SELECTOR: Final = re.compile(r"[.#]?[A-Za-z_][\w-]*")
CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
WAY_OUT: Final = "Exportez-le de nouveau en « SVG simple », ou envoyez-le en PNG."


@dataclass(frozen=True)
class CleanSvg:
    """A logo that may be served; ``removed`` names the elements that were left out because they only decorate."""

    content: bytes
    width: float
    height: float
    removed: tuple[str, ...]


def _refuse(reason: str, way_out: str = WAY_OUT) -> BrandingRefused:
    return BrandingRefused("logo", f"Le logo est refusé : {reason}. {way_out}")


def clean(raw: bytes) -> CleanSvg:
    """The SVG of ``raw`` (200 000 octets at most) reduced to what draws; raises ``BrandingRefused``."""
    if len(raw) > MAX_SIZE:
        raise _refuse("le fichier SVG dépasse 200 ko", "Simplifiez le dessin, ou envoyez-le en PNG.")
    root = _parsed(raw)
    _check_extent(root)
    rules = list(islice(_rules(root), MAX_RULES + 1))
    if len(rules) > MAX_RULES:
        raise _refuse(f"ses styles comptent plus de {MAX_RULES} règles")
    removed: set[str] = set()
    fresh = _copied(root, rules, removed)
    assert fresh is not None
    width, height = _box(root)
    for name, value in (("width", width), ("height", height)):
        fresh.set(name, f"{value:g}")
    _check_uses(fresh)
    etree.cleanup_namespaces(fresh)
    return CleanSvg(etree.tostring(fresh, encoding="UTF-8"), width, height, tuple(sorted(removed)))


def _parsed(raw: bytes) -> etree._Element:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refuse("ce n’est pas un fichier SVG en UTF-8") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _refuse("il déclare une DTD ou des entités")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise _refuse("le fichier n’est pas du XML bien formé") from None
    if root.tag != f"{{{SVG}}}svg":
        raise _refuse("ce n’est pas un dessin SVG")
    return root


def _check_extent(root: etree._Element) -> None:
    """Bound what a browser would have to draw; refuse what acts, wherever it is."""
    for count, (element, depth) in enumerate(_walk(root), start=1):
        if count > MAX_ELEMENTS:
            raise _refuse(f"il compte plus de {MAX_ELEMENTS} éléments", "Simplifiez le dessin, ou envoyez-le en PNG.")
        if depth > MAX_DEPTH:
            raise _refuse(f"ses éléments s’emboîtent sur plus de {MAX_DEPTH} niveaux")
        local = etree.QName(element).localname if isinstance(element.tag, str) else ""
        if not local:
            raise _refuse("il contient une entité")
        if local in FORBIDDEN:
            raise _refuse(f"il contient {FORBIDDEN[local]}")
        for name, value in element.attrib.items():
            _check_attribute(etree.QName(name).localname, str(value))


def _walk(root: etree._Element) -> Iterator[tuple[etree._Element, int]]:
    waiting = [(root, 1)]
    while waiting:
        element, depth = waiting.pop()
        yield element, depth
        waiting.extend((child, depth + 1) for child in element)


def _check_attribute(name: str, value: str) -> None:
    if name.lower().startswith("on"):
        raise _refuse(f"l’attribut « {name[:30]} » déclenche un script")
    if "javascript:" in re.sub(r"\s", "", value).lower():
        raise _refuse("il contient un script")
    if name == "href" and not LOCAL.fullmatch(value.strip()):
        raise _refuse("il appelle une adresse extérieure")
    if name == "style" or name in PRESENTATION:
        _check_css(value)


def _check_css(css: str) -> None:
    """No address but those of the drawing itself, no function but colours, nor the escapes that would hide one."""
    bare = LOCAL_URL.sub("", css)
    if "\\" in bare or "@" in bare:
        raise _refuse("ses styles ne se limitent pas à des règles simples")
    for before in bare.split("(")[:-1]:  # in one pass: a search by pattern would begin again at each character
        function = re.split(r"[^\w-]", before.rstrip())[-1]
        if function.lower() not in COLOURS:
            raise _refuse(f"un de ses styles appelle « {function[:30]} » : une adresse extérieure ou un calcul")


def _declarations(css: str) -> dict[str, str]:
    """The drawing properties of ``a: b; c: d``; the others are left out."""
    pairs = (part.partition(":") for part in css.split(";"))
    found = {name.strip().lower(): value.replace("!important", "").strip() for name, _, value in pairs}
    return {name: value for name, value in found.items() if name in PRESENTATION and value}


def _rules(root: etree._Element) -> Iterator[tuple[str, dict[str, str]]]:
    """Pairs of a simple selector (``.class``, ``#id``, ``element``) and what it sets, from the style sheets."""
    for sheet in root.iter(f"{{{SVG}}}style"):
        css = CSS_COMMENT.sub("", "".join(str(part) for part in sheet.itertext()))
        _check_css(css)
        for block in css.split("}"):
            selectors, opened, body = block.partition("{")
            for selector in (s.strip() for s in selectors.split(",") if opened):
                if not SELECTOR.fullmatch(selector):
                    raise _refuse("ses styles ne se limitent pas à des règles simples")
                yield selector, _declarations(body)


def _matches(selector: str, element: etree._Element, local: str) -> bool:
    if selector.startswith("."):
        return selector[1:] in element.get("class", "").split()
    return element.get("id") == selector[1:] if selector.startswith("#") else local == selector


def _copied(
    element: etree._Element, rules: list[tuple[str, dict[str, str]]], removed: set[str]
) -> etree._Element | None:
    """``element`` with its descendants, as the allow-list lets them through; None for one that is left out."""
    name = etree.QName(element)
    if name.namespace != SVG or name.localname not in ELEMENTS:
        if name.namespace == SVG and name.localname != "style":
            removed.add(name.localname)
        return None
    fresh = etree.Element(element.tag, nsmap={None: SVG})  # type: ignore[dict-item]
    for key, value in _attributes(element, name.localname, rules).items():
        fresh.set(key, value)
    if name.localname in ("text", "tspan", "title", "desc"):
        fresh.text = element.text
    for child in element:
        copy = _copied(child, rules, removed)
        if copy is not None:
            copy.tail = child.tail if name.localname in ("text", "tspan") else None
            fresh.append(copy)
    return fresh


def _attributes(element: etree._Element, local: str, rules: list[tuple[str, dict[str, str]]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in element.attrib.items():
        name = etree.QName(key)
        if not name.namespace and name.localname in PRESENTATION | GEOMETRY:
            if name.localname in PRESENTATION or _measures(name.localname, str(value)):
                kept[name.localname] = str(value)
        elif name.localname == "href" and name.namespace in (None, "", XLINK):
            kept["href"] = str(value).strip()
    for selector, values in rules:
        if _matches(selector, element, local):
            kept |= values
    return kept | _declarations(str(element.get("style", "")))


def _measures(name: str, value: str) -> bool:
    """True for numbers, units, transformations and a name that can be referred to; the rest draws nothing."""
    return bool(LOCAL.fullmatch("#" + value) if name == "id" else MEASURE.fullmatch(value))


def _check_uses(root: etree._Element) -> None:
    """A drawing repeated by reference must not repeat others: a few lines would else draw billions of shapes."""
    uses = list(root.iter(f"{{{SVG}}}use"))
    if len(uses) > MAX_USES:
        raise _refuse(f"il répète un dessin plus de {MAX_USES} fois")
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    for use in uses:
        target = named.get(str(use.get("href", ""))[1:])
        if target is not None and any(True for _ in target.iter(f"{{{SVG}}}use")):
            raise _refuse("des dessins s’y répètent les uns les autres")
    for element in root.iter(f"{{{SVG}}}pattern", f"{{{SVG}}}mask", f"{{{SVG}}}clipPath"):
        for inner in element.iter():
            if inner is not element and any("url(" in str(value) for value in inner.attrib.values()):
                raise _refuse("des motifs s’y appellent les uns les autres")


def _box(root: etree._Element) -> tuple[float, float]:
    """Width and height of the ``viewBox``, without which the logo could not be scaled."""
    try:
        values = [float(part) for part in re.split(r"[\s,]+", str(root.get("viewBox", "")).strip())]
    except ValueError:
        values = []
    if len(values) != 4 or not all(abs(v) < 1e6 for v in values) or min(values[2:]) <= 0:
        raise _refuse("l’attribut « viewBox », qui dit ses dimensions, manque ou est inexact")
    width, height = values[2:]
    if max(width / height, height / width) > MAX_RATIO:
        raise _refuse(f"il est plus de {MAX_RATIO} fois plus long que large", "Recadrez-le.")
    return width, height
