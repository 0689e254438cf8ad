"""The six natures of acts of the ACTES schema, with the two letters used in names and the usual piece
type."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NatureCode:
    """One nature: ``code`` 1 to 6, ``abbreviation`` two capitals, ``label`` in French, ``default_piece`` 5
    chars."""

    code: str
    abbreviation: str
    label: str
    default_piece: str


NATURES = {
    nature.code: nature
    for nature in (
        NatureCode("1", "DE", "Délibérations", "99_DE"),
        NatureCode("2", "AR", "Actes réglementaires", "99_AR"),
        NatureCode("3", "AI", "Actes individuels", "99_AI"),
        NatureCode("4", "CC", "Contrats, conventions et avenants", "99_DC"),
        NatureCode("5", "BF", "Documents budgétaires et financiers", "99_BU"),
        NatureCode("6", "AU", "Autres", "99_AU"),
    )
}
BY_ABBREVIATION = {nature.abbreviation: nature for nature in NATURES.values()}
