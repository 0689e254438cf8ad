"""The annex of the demo's deliberation: what the commune pays, computed by the convention's tariff rule."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import typst

from parvis.core.organisations.models import Organisation

TOTAL_POPULATION = 472_573  # décret of 28 December 2018, the 31 communes together
COSTS = (("Administration électronique", 25_000), ("Services en ligne", 20_000))  # euros for the period, net of tax
YEARS = 3
METROPOLE_SHARE = Fraction(1, 2)

TEMPLATE = """\
#set document(title: "Annexe 2 : participation de la commune", author: sys.inputs.name)
#set text(lang: "fr", region: "FR", font: "Libertinus Serif", size: 11pt)
#set page(paper: "a4", margin: 25mm, numbering: "1 / 1")
= Annexe 2 : participation de la commune
#sys.inputs.name, #sys.inputs.population habitants.
#table(columns: (1fr, auto, auto, auto), align: (left, right, right, right),
  table.header([*Application*], [*Pour 3 ans*], [*Par an*], [*Part annuelle de la commune*]),
  ..json(bytes(sys.inputs.rows)).flatten())
"""


def euros(value: Fraction) -> str:
    """``value`` in cents, rounded half up, only when it is displayed."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{exact.quantize(Decimal('0.01'), ROUND_HALF_UP)} €".replace(".", ",")


def amounts(population: int) -> list[tuple[str, str, str, str]]:
    """One row per application: its name, cost over the period, cost of a year, yearly part of the commune."""
    rows = []
    for label, cost in COSTS:
        period = Fraction(cost) * population / TOTAL_POPULATION
        rows.append((label, euros(period), euros(period / YEARS), euros(period / YEARS * (1 - METROPOLE_SHARE))))
    return rows


def annexe_pdf(organisation: Organisation) -> bytes:
    """The annex as a tagged PDF/A."""
    import json

    assert organisation.population is not None
    return typst.compile(
        TEMPLATE.encode(),
        sys_inputs={
            "name": organisation.name,
            "population": f"{organisation.population:,}".replace(",", " "),
            "rows": json.dumps(amounts(organisation.population), ensure_ascii=False),
        },
        pdf_standards=["a-2a"],
    )
