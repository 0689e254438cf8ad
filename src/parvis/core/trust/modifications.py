"""What changed in a PDF after a signature: long-term updates, form filling, our stamp, or anything else.

pyHanko's difference analysis calls every annotation suspicious. One is part of this product: the
télétransmission stamp, a locked Stamp annotation added after signing (ISO 32000-1 §12.5.6.12, table 165).
The rule here clears exactly that and nothing else; the report still says that the stamp was added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, RawPdfPath
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel, StandardDiffPolicy
from pyhanko.sign.diff_analysis.commons import compare_dicts
from pyhanko.sign.diff_analysis.form_rules_api import FormUpdatingRule
from pyhanko.sign.diff_analysis.policy_api import SuspiciousModification
from pyhanko.sign.diff_analysis.rules.form_field_rules import (
    GenericFieldModificationRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
)
from pyhanko.sign.diff_analysis.rules_api import QualifiedWhitelistRule, ReferenceUpdate, RelativeContext

STAMP_NAME = "parvis-teletransmission"
"""Beginning of the /NM entry of the stamp's annotations."""

STAMP_KEYS = frozenset(
    {
        "/Type",
        "/Subtype",
        "/Rect",
        "/F",
        "/NM",
        "/Name",
        "/T",
        "/Contents",
        "/P",
        "/AP",
        "/M",
        "/StructParent",
        "/Lang",
    }
)
LOCKED = 64 | 128  # ReadOnly, Locked
LARGEST_SHARE = 0.25  # of the page's area: a stamp marks a page, it does not replace it


class Change(StrEnum):
    """Kinds of change since a signature, from none to unacceptable."""

    NONE = "none"
    LONG_TERM = "long_term"
    FORM = "form"
    STAMP = "stamp"
    OTHER = "other"

    @property
    def sentence(self) -> str:
        return SENTENCES[self]


SENTENCES = {
    Change.NONE: "Aucune modification depuis la signature.",
    Change.LONG_TERM: "Seules des preuves de conservation ont été ajoutées depuis la signature.",
    Change.FORM: "Des champs ont été remplis ou d’autres signatures ajoutées depuis la signature.",
    Change.STAMP: "Tampon de télétransmission ajouté après la signature, sans modifier le document signé.",
    Change.OTHER: "Document modifié après la signature.",
}

_LEVELS = {
    ModificationLevel.NONE: Change.NONE,
    ModificationLevel.LTA_UPDATES: Change.LONG_TERM,
    ModificationLevel.FORM_FILLING: Change.FORM,
    ModificationLevel.ANNOTATIONS: Change.STAMP,
    ModificationLevel.OTHER: Change.OTHER,
}


def change_of(result: DiffResult | SuspiciousModification | None) -> Change:
    """Kind of change for a difference analysis; None means that nothing follows the signature."""
    if result is None:
        return Change.NONE
    if isinstance(result, DiffResult):
        return _LEVELS[result.modification_level]
    return Change.OTHER


class AnnotationRule(QualifiedWhitelistRule):
    """Clears pages whose only difference is, after their annotations, our stamp and new signatures' widgets.

    The rule on form fields clears the widgets themselves or not; here only their place on the page is.
    """

    def apply_qualified(
        self, old: HistoricalResolver, new: HistoricalResolver
    ) -> Iterable[tuple[ModificationLevel, ReferenceUpdate]]:
        for old_page, new_page, reference in _pages(old, new):
            yield from self._page(old, new, old_page, new_page, reference)

    def _page(
        self,
        old: HistoricalResolver,
        new: HistoricalResolver,
        old_page: generic.DictionaryObject,
        new_page: generic.DictionaryObject,
        reference: generic.Reference,
    ) -> Iterator[tuple[ModificationLevel, ReferenceUpdate]]:
        before, after = _annotations(old_page), _annotations(new_page)
        if before is None or after is None or len(after) == len(before) or after[: len(before)] != before:
            return
        added = {one: one.get_object() for one in after[len(before) :]}
        stamps = {one for one, annotation in added.items() if _is_stamp(annotation, new_page)}
        others = [annotation for one, annotation in added.items() if one not in stamps]
        if not all(map(old.is_ref_unassignable, added)) or not all(map(_is_signature_widget, others)):
            return
        compare_dicts(old_page, new_page, frozenset(["/Annots"]))
        level = ModificationLevel.ANNOTATIONS if stamps else ModificationLevel.LTA_UPDATES
        # A page is referred to from many places, and all show the same page: clear it wherever it is used.
        yield level, ReferenceUpdate(reference)
        array = new_page.raw_get("/Annots")
        if isinstance(array, generic.IndirectObject):
            context = RelativeContext(reference, RawPdfPath("/Annots"))
            yield level, ReferenceUpdate(array.reference, context_checked=context)
        for one in stamps:
            yield level, ReferenceUpdate(one)
            annotation = added[one]
            assert isinstance(annotation, generic.DictionaryObject)  # _is_stamp said so
            for dependency in new.collect_dependencies(annotation["/AP"]):
                if old.is_ref_unassignable(dependency):
                    yield level, ReferenceUpdate(dependency)


def _pages(
    old: HistoricalResolver, new: HistoricalResolver
) -> Iterator[tuple[generic.DictionaryObject, generic.DictionaryObject, generic.Reference]]:
    """Pages of both revisions in order; nothing when the page tree itself changed."""
    stack = [(old.root.raw_get("/Pages"), new.root.raw_get("/Pages"))]
    seen: set[generic.Reference] = set()
    while stack:
        old_node, new_node = stack.pop()
        if not isinstance(old_node, generic.IndirectObject) or old_node != new_node:
            return
        reference = old_node.reference
        if reference in seen:
            return
        seen.add(reference)
        before, after = old(reference), new(reference)
        if not isinstance(before, generic.DictionaryObject) or not isinstance(after, generic.DictionaryObject):
            return
        if "/Kids" in before:
            kids_before, kids_after = _items(before["/Kids"]), _items(after["/Kids"])
            if kids_before != kids_after:
                return
            stack += zip(reversed(kids_before), reversed(kids_after), strict=True)
        else:
            yield before, after, reference


def _items(array: generic.PdfObject) -> list[generic.PdfObject]:
    return [array.raw_get(index) for index in range(len(array))] if isinstance(array, generic.ArrayObject) else []


def _annotations(page: generic.DictionaryObject) -> list[generic.Reference] | None:
    """References of a page's annotations; None when some are not objects of their own."""
    references: list[generic.Reference] = []
    for item in _items(page["/Annots"]) if "/Annots" in page else []:
        if not isinstance(item, generic.IndirectObject):
            return None
        references.append(item.reference)
    return references


def _is_signature_widget(annotation: generic.PdfObject) -> bool:
    """The widget of a signature field, alone or under its field."""
    if not isinstance(annotation, generic.DictionaryObject) or annotation.get("/Subtype") != "/Widget":
        return False
    field = annotation if "/FT" in annotation else annotation.get("/Parent", annotation)
    return isinstance(field, generic.DictionaryObject) and field.get("/FT") == "/Sig"


def _is_stamp(annotation: generic.PdfObject, page: generic.DictionaryObject) -> bool:
    """A locked Stamp with our name, nothing active, of a stamp's size."""
    if not isinstance(annotation, generic.DictionaryObject):
        return False
    appearance = annotation.get("/AP")
    return (
        annotation.get("/Subtype") == "/Stamp"
        and str(annotation.get("/NM", "")).startswith(STAMP_NAME)
        and set(annotation.keys()) <= STAMP_KEYS
        and int(annotation.get("/F", 0)) & LOCKED == LOCKED
        and isinstance(appearance, generic.DictionaryObject)
        and set(appearance.keys()) == {"/N"}
        and isinstance(appearance["/N"], generic.StreamObject)
        and _share(annotation, page) <= LARGEST_SHARE
    )


def _share(annotation: generic.DictionaryObject, page: generic.DictionaryObject) -> float:
    """Part of the page's area that an annotation takes."""
    node: generic.PdfObject | None = page
    while isinstance(node, generic.DictionaryObject) and "/MediaBox" not in node:
        node = node.get("/Parent")
    if not isinstance(node, generic.DictionaryObject):
        return 1.0
    whole = _area(node["/MediaBox"])
    return _area(annotation["/Rect"]) / whole if whole else 1.0


def _area(box: generic.PdfObject) -> float:
    x0, y0, x1, y1 = (float(number) for number in box)  # type: ignore[attr-defined]
    return abs(x1 - x0) * abs(y1 - y0)


DIFF_POLICY = StandardDiffPolicy(
    global_rules=[*DEFAULT_DIFF_POLICY.global_rules, AnnotationRule()],
    form_rule=FormUpdatingRule(
        field_rules=[
            SigFieldCreationRule(approve_widget_bindings=False),  # AnnotationRule does, beside stamps
            SigFieldModificationRule(),
            GenericFieldModificationRule(),
        ]
    ),
)
"""pyHanko's default rules, with ours for what pages show."""
