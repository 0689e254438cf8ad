"""What the State's services that receive acts are called: their code in @CTES, INSEE's number of the arrondissement.

Only those of the métropole's own département are named; any other keeps its number.
"""

import re
from typing import Final

_DEPARTEMENTS: Final = {"034": "de l’Hérault"}
_ARRONDISSEMENTS: Final = {("034", "1"): "de Béziers", ("034", "2"): "de Lodève", ("034", "3"): "de Montpellier"}
_CODE: Final = re.compile(r"(PREF|SPREF|SGAR)([0-9AB]{3})(\d?)")
_KINDS: Final = {"PREF": "Préfecture", "SPREF": "Sous-préfecture", "SGAR": "Préfecture de région"}


def prefecture_name(code: str) -> str:
    """« PREF034 » -> « Préfecture de l’Hérault »; the code itself when it is none."""
    match = _CODE.fullmatch(code)
    if match is None:
        return code
    kind, departement, number = match.groups()
    if kind == "SPREF":
        return f"{_KINDS[kind]} {_ARRONDISSEMENTS.get((departement, number), f'{departement}-{number}')}"
    return f"{_KINDS[kind]} {_DEPARTEMENTS.get(departement, f'du département {departement}')}"


def arrondissement_name(departement: str, number: str) -> str:
    """« 034 », « 3 » -> « arrondissement de Montpellier »."""
    return f"arrondissement {_ARRONDISSEMENTS.get((departement, number), number)}"
