"""The checks before signature, on the case of Juvignac and on its mutations."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from parvis.edemat.actes import legal_dates
from parvis.edemat.seances.formats.controles import (
    Amount,
    Displayed,
    Fiche,
    Finding,
    amounts_in,
    blocking,
    euros,
    placeholder_in,
    run_checks,
)
from parvis.edemat.seances.formats.delais import jours_francs, last_sending_day
from parvis.edemat.seances.formats.numerotation import actes_number
from parvis.edemat.seances.formats.pouvoirs import Power
from parvis.edemat.seances.formats.regimes import regime_of_commune
from parvis.edemat.seances.formats.scrutin import Ballot, Mode, Result, Voice


@pytest.fixture
def case(shared_dir: Path) -> dict[str, Any]:
    text = (shared_dir / "samples/seances/juvignac-19.07.01.05.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


@pytest.fixture
def deliberation_text(shared_dir: Path) -> str:
    text = (shared_dir / "seeds/000_juvignac_deliberation_et_convention.txt").read_text(encoding="utf-8")
    return text.partition("## CONVENTION DE GESTION")[0]


@pytest.fixture
def fiche(case: dict[str, Any], deliberation_text: str) -> Fiche:
    deliberation, meeting = case["deliberation"], case["seance"]
    givers = [pair["mandant"] for pair in case["procurations"]]
    sent = date.fromisoformat(meeting["date_convocation"])
    opening = re.search(r"L'an .*?mois de \w+", deliberation_text)
    appeal = re.search(r"La présente délibération peut.*", deliberation_text)
    assert opening
    assert appeal
    return Fiche(
        en_exercice=case["affichage"]["en_exercice"],
        displayed=Displayed(**case["affichage"]),
        presents=tuple(case["presents"]),
        powers=tuple(Power(pair["mandant"], pair["mandataire"]) for pair in case["procurations"]),
        absents=tuple(case["absents"]),
        regime=regime_of_commune(case["collectivite"]["population_municipale_2019"]),
        meets=date.fromisoformat(meeting["date"]),
        sendings=dict.fromkeys((*case["presents"], *givers, *case["absents"]), sent),
        chair="M. SAVY",
        rapporteur=deliberation["rapporteur"],
        secretary=meeting["secretaire"] or "",
        number=deliberation["numero"],
        opening=opening[0],
        nature="1",
        matiere="5.7",
        objet=deliberation["titre"],
        ballot=Ballot(Mode.NON_PRECISE, pour=26, chair=Voice.POUR),
        mention=deliberation["scrutin"]["mention"],
        announced_result=Result.ADOPTEE,
        visas=tuple(deliberation["visas"]),
        texts={"mention de publication": "publication le ... 11 juillet 2019", "texte": deliberation_text},
        quoted_amounts=tuple(
            Amount(line["libelle"], Decimal(line["valeur"])) for line in deliberation["montants_exposes"]
        ),
        annexed_amounts=tuple(
            Amount(line["libelle"], Decimal(line["valeur"])) for line in deliberation["montants_annexe2"]
        ),
        annexes=1,
        appeal_mention=appeal[0],
        deposited=date.fromisoformat(deliberation["depot_prefecture"]),
        published=date.fromisoformat(deliberation["publication"]),
    )


def _findings(fiche: Fiche) -> dict[str, Finding]:
    return {finding.code: finding for finding in run_checks(fiche)}


def test_juvignac_gives_exactly_the_expected_verdicts(case: dict[str, Any], fiche: Fiche) -> None:
    findings = run_checks(fiche)
    expected = case["attendus"]
    assert blocking(findings) == ()
    met = {finding.mark for finding in findings if finding.severity == "bloquant" and finding.ok}
    assert set(expected["controles_bloquants_ok"]) <= met
    shown = [finding.mark for finding in findings if not finding.ok]
    assert sorted(shown) == sorted(expected["avertissements"])


def test_juvignac_derived_dates(case: dict[str, Any], fiche: Fiche) -> None:
    deposited, published = fiche.deposited, fiche.published
    assert deposited
    assert published
    assert case["attendus"]["dates_derivees"] == {
        "dernier_jour_envoi_regulier": last_sending_day(fiche.regime, fiche.meets).isoformat(),
        "jours_francs": jours_francs(fiche.sendings["M. SAVY"], fiche.meets),
        "caractere_executoire": legal_dates.executoire_on(deposited, published).isoformat(),
        "fin_recours_contentieux": legal_dates.last_appeal_day(published).isoformat(),
    }
    assert actes_number(fiche.number) == case["attendus"]["numero_actes"]


def test_juvignac_sentences_quote_the_figures(fiche: Fiche) -> None:
    findings = _findings(fiche)
    assert "580,41\u00a0€ au lieu de 580,81\u00a0€" in findings["W3"].sentence
    assert "L2121-29" in findings["W2"].sentence
    assert "le ... 11 juillet 2019" in findings["W4"].sentence
    assert "18\u00a0présents, 8\u00a0pouvoirs et 3\u00a0absents" in findings["B1"].sentence


def _fourteen_present(fiche: Fiche) -> Fiche:
    powers = (*fiche.powers, *(Power(name, f"{name} bis") for name in fiche.presents[14:]))
    return replace(fiche, presents=fiche.presents[:14], powers=powers)


def _holder_of_two(fiche: Fiche) -> Fiche:
    powers = (*fiche.powers[:1], replace(fiche.powers[1], holder="M. DE CHAMBRUN"), *fiche.powers[2:])
    return replace(fiche, powers=powers)


def _late(fiche: Fiche) -> Fiche:
    return replace(fiche, sendings=dict.fromkeys(fiche.sendings, date(2019, 6, 26)))


Mutation = Callable[[Fiche], Fiche]
MUTATIONS: list[tuple[str, Mutation]] = [
    ("B1", lambda f: replace(f, absents=f.absents[:-1])),
    ("B2", lambda f: replace(f, displayed=replace(f.displayed, presents=19))),
    ("B2", lambda f: replace(f, displayed=replace(f.displayed, pouvoirs=7))),
    ("B3", lambda f: replace(f, displayed=replace(f.displayed, votants=27))),
    ("B3", lambda f: replace(f, withdrawn=1, voices_withdrawn=2)),
    ("B4", _fourteen_present),
    ("B4", lambda f: replace(f, withdrawn=4)),
    ("B5", _late),
    ("B5", lambda f: replace(f, sendings=f.sendings | {"M. SBIA": date(2019, 6, 26)})),
    ("B5", lambda f: replace(f, sendings={})),
    ("B5", lambda f: replace(f, sendings={n: d for n, d in f.sendings.items() if n != "M. SBIA"})),
    ("B6", _holder_of_two),
    ("B6", lambda f: replace(f, powers=(*f.powers[:7], Power("Mme GAUZY CHABLE", "M. ROQUES")))),
    ("B7", lambda f: replace(f, presents=(*f.presents, "M. ROQUES"))),
    ("B8", lambda f: replace(f, ballot=replace(f.ballot, pour=25))),
    ("B8", lambda f: replace(f, ballot=replace(f.ballot, pour=25, contre=1))),
    ("B8", lambda f: replace(f, ballot=replace(f.ballot, pour=12, contre=14), mention="")),
    ("B8", lambda f: replace(f, ballot=replace(f.ballot, mode=Mode.SANS_VOTE))),
    ("B9", lambda f: replace(f, number="")),
    ("B9", lambda f: replace(f, taken_numbers=frozenset({"19.07.01.05"}))),
    ("B10", lambda f: replace(f, chair="M. ROQUES")),
    ("B11", lambda f: replace(f, meets=date(2019, 7, 2))),
    ("B11", lambda f: replace(f, opening="Le conseil s’est réuni")),
    ("B12", lambda f: replace(f, matiere="5")),
    ("B12", lambda f: replace(f, nature="")),
]


@pytest.mark.parametrize(("code", "mutate"), MUTATIONS)
def test_a_fault_blocks(fiche: Fiche, code: str, mutate: Mutation) -> None:
    assert code in {finding.code for finding in blocking(run_checks(mutate(fiche)))}


def test_an_urgency_voted_shortens_the_delay(fiche: Fiche) -> None:
    assert _findings(replace(_late(fiche), urgency_voted=True))["B5"].ok


def test_only_the_late_member_is_named(fiche: Fiche) -> None:
    late = replace(fiche, sendings=fiche.sendings | {"M. SBIA": date(2019, 6, 26)})
    assert "tardive pour M. SBIA." in _findings(late)["B5"].sentence


WARNINGS: list[tuple[str, Mutation]] = [
    ("B10", lambda f: replace(f, rapporteur="M. ROQUES")),
    ("W6", lambda f: replace(f, appeal_mention="")),
    ("W7", lambda f: replace(f, deposited=date(2019, 6, 30))),
    ("W7", lambda f: replace(f, published=date(2019, 7, 2))),
    ("W8", lambda f: replace(f, annexes=0, texts={"texte": "la convention ci-annexée"})),
    ("W9", lambda f: replace(f, texts={"texte": "M. X, né le 3 mai 1950, demeurant rue Haute"})),
    ("W9", lambda f: replace(f, texts={"texte": "IBAN FR76 3000 6000 0112 3456 7890 189"})),
]


@pytest.mark.parametrize(("code", "mutate"), WARNINGS)
def test_a_doubt_warns_without_blocking(fiche: Fiche, code: str, mutate: Mutation) -> None:
    findings = run_checks(mutate(fiche))
    assert blocking(findings) == ()
    assert not {finding.code: finding for finding in findings}[code].ok


CURES: list[tuple[str, Mutation]] = [
    ("W1", lambda f: replace(f, secretary="Mme MERLET")),
    ("W2", lambda f: replace(f, visas=("CGCT L.2121-29",))),
    ("W2", lambda f: replace(f, objet="Composition des commissions municipales")),
    ("W3", lambda f: replace(f, quoted_amounts=(Amount("", Decimal("96.80")),))),
    ("W4", lambda f: replace(f, texts={"texte": "Le conseil approuve."})),
    ("W5", lambda f: replace(f, ballot=replace(f.ballot, mode=Mode.MAIN_LEVEE))),
]


@pytest.mark.parametrize(("code", "cure"), CURES)
def test_a_cured_warning_goes_away(fiche: Fiche, code: str, cure: Mutation) -> None:
    assert not _findings(fiche)[code].ok
    assert _findings(cure(fiche))[code].ok


def test_amounts_are_read_from_the_text_of_the_seed(deliberation_text: str) -> None:
    values = {str(amount.value) for amount in amounts_in(deliberation_text)}
    assert values == {"580.41", "193.47", "464.33", "154.78"}


def test_amounts_with_thousands() -> None:
    assert [amount.value for amount in amounts_in("1 234 567,8 € puis 50 euros et 1.200€")] == [
        Decimal("1234567.80"),
        Decimal("50.00"),
        Decimal("1200.00"),
    ]
    assert euros(Decimal("1234.5")) == "1\u202f234,50\u00a0€"


@pytest.mark.parametrize(
    "text",
    ["délibération en date du : .....", "publication le ... 11 juillet", "M. XX", "le …", "fait à ______"],
)
def test_blanks_are_seen(text: str) -> None:
    assert placeholder_in(text)


@pytest.mark.parametrize(
    "text", ["la lecture, l’écriture... bref", "article 2.3.4", "etc… et la suite", "PES V2", "en ligne ...)"]
)
def test_ordinary_dots_are_not_blanks(text: str) -> None:
    assert not placeholder_in(text)


def test_each_member_day_is_judged_alone(fiche: Fiche) -> None:
    for shift in range(-3, 1):
        sent = date(2019, 6, 25) + timedelta(days=shift)
        assert _findings(replace(fiche, sendings=fiche.sendings | {"M. SAVY": sent}))["B5"].ok
