"""Legal regimes of deliberating bodies (CGCT L2121-7, -11, -12, -17, -20, L5211-1; CASF R123-16 to -18).

A regime is chosen per body and per meeting; it says how long before the meeting the members are convened,
what must come with the convocation, and how the quorum and a tie are settled.
"""

from dataclasses import dataclass

POPULATION_THRESHOLD = 3_500
"""Inhabitants from which a commune owes five clear days and a summary note (CGCT L2121-12)."""


COUNCIL_SIZES = (
    (100, 7),
    (500, 11),
    (1_500, 15),
    (2_500, 19),
    (3_500, 23),
    (5_000, 27),
    (10_000, 29),
    (20_000, 33),
    (30_000, 35),
    (40_000, 39),
    (50_000, 43),
    (60_000, 45),
    (80_000, 49),
    (100_000, 53),
    (150_000, 55),
    (200_000, 59),
    (250_000, 61),
    (300_000, 65),
)
"""(population under which, members) of a municipal council, in force at the last general renewal (CGCT L2121-2)."""
LARGEST_COUNCIL = 69


@dataclass(frozen=True, slots=True)
class Regime:
    """The rules of one kind of meeting.

    `minimum_days` counts jours francs when `franc` is true, plain days between dates otherwise; zero means
    that no law sets a delay. `urgency_days` is the shortest delay in case of urgency, None when the law
    knows no urgency.
    """

    code: str
    label: str
    minimum_days: int
    basis: str
    franc: bool = True
    urgency_days: int | None = None
    note_de_synthese: bool = False
    quorum_required: bool = True
    casting_vote: bool = True


REGIMES: dict[str, Regime] = {
    regime.code: regime
    for regime in (
        Regime("commune_lt3500", "Commune de moins de 3 500 habitants", 3, "CGCT L2121-11", urgency_days=1),
        Regime(
            "commune_ge3500",
            "Commune de 3 500 habitants et plus",
            5,
            "CGCT L2121-12",
            urgency_days=1,
            note_de_synthese=True,
        ),
        Regime(
            "epci",
            "Établissement public de coopération intercommunale",
            5,
            "CGCT L5211-1",
            urgency_days=1,
            note_de_synthese=True,
        ),
        Regime("ccas", "Centre communal d’action sociale", 3, "CASF R123-16", franc=False),
        Regime(
            "commission",
            "Commission, avis consultatif",
            0,
            "CGCT L2121-22",
            quorum_required=False,
            casting_vote=False,
        ),
        Regime("installation", "Séance d’installation", 3, "CGCT L2121-7"),
        Regime(
            "seconde_convocation",
            "Seconde convocation après un quorum manqué",
            3,
            "CGCT L2121-17",
            quorum_required=False,
        ),
    )
}


def regime_of_commune(population: int) -> Regime:
    """Return the ordinary regime of a municipal council for `population` inhabitants (CGCT L2121-11,
    L2121-12)."""
    return REGIMES["commune_ge3500" if population >= POPULATION_THRESHOLD else "commune_lt3500"]


def council_size(population: int) -> int:
    """Members of the council of a commune of `population` inhabitants at the last general renewal (L2121-2)."""
    return next((size for under, size in COUNCIL_SIZES if population < under), LARGEST_COUNCIL)
