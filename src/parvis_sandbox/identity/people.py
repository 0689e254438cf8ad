"""The fictional people who may log in: those of a CSV file, or a few invented ones when there is none."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PIVOT = ("given_name", "family_name", "preferred_username", "gender", "birthdate", "birthplace", "birthcountry")
FRANCE = "99100"


@dataclass(frozen=True)
class Person:
    """One identity: ``login`` names it on the choice page; ``second_factor`` tells what its provider can prove."""

    login: str
    claims: dict[str, Any] = field(default_factory=dict)
    second_factor: bool = False

    @property
    def label(self) -> str:
        given = self.claims.get("given_name", "")
        family = self.claims.get("family_name") or self.claims.get("usual_name", "")
        return f"{given} {family}".strip() or self.login


def citizen(login: str, **values: str) -> Person:
    """A person as FranceConnect describes them: an empty value is absent, save the birthplace of those born abroad."""
    claims: dict[str, Any] = {k: v for k in (*PIVOT, "email") if (v := values.get(k, ""))}
    if claims.get("given_name"):
        claims["given_name_array"] = claims["given_name"].split()
    if claims.get("birthcountry", FRANCE) != FRANCE:
        claims.setdefault("birthplace", "")
    return Person(login, claims)


def read_citizens(path: Path | None) -> list[Person]:
    """Citizens of a CSV with the columns ``login`` and the names of the claims; the invented ones without a file."""
    if path is None or not path.is_file():
        return list(CITIZENS)
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("login")]
    return [citizen(**{k: v for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}) for row in rows]


CITIZENS = (
    citizen("lou", given_name="Lou Camille", family_name="ESSAI", gender="female", birthdate="1984-05-17",
            birthplace="34172", birthcountry=FRANCE, email="lou.essai@courriel.test"),
    citizen("sacha", given_name="Sacha", family_name="MODÈLE-D’ESSAI", preferred_username="EXEMPLE", gender="male",
            birthdate="1971-11-02", birthplace="34123", birthcountry=FRANCE, email="sacha.modele@courriel.test"),
    citizen("noor", given_name="Noor", family_name="FICTIVE", gender="female", birthdate="1992-11-00",
            birthcountry="99350", email="noor.fictive@courriel.test"),
    citizen("alix", given_name="Alix", family_name="INVENTÉ", birthdate="1960-00-00", birthcountry="99217"),
)  # fmt: skip


def agent(login: str, given_name: str, usual_name: str, email: str, siret: str, *, second_factor: bool) -> Person:
    """A professional as ProConnect describes them."""
    claims = {"given_name": given_name, "usual_name": usual_name, "email": email, "uid": login, "siret": siret,
              "idp_id": "bac-a-sable-fi", "siren": siret[:9]}  # fmt: skip
    return Person(login, claims, second_factor)


def colleague(login: str, given_name: str, family_name: str, email: str, *, second_factor: bool = False) -> Person:
    """Somebody of a commune's own directory, whose number there (``oid``) never changes."""
    claims = {"oid": f"oid-{login}", "given_name": given_name, "family_name": family_name, "email": email}
    return Person(login, claims, second_factor)


COLLEAGUES = (
    colleague("l.bureau", "Lou", "Bureau", "lou.bureau@juvignac-essai.fr"),
    colleague("n.double", "Nour", "Double", "nour.double@juvignac-essai.fr", second_factor=True),
    colleague("v.voisin", "Val", "Voisin", "val.voisin@fabregues-essai.fr"),
)

AGENTS = (
    agent("p.durable", "Paule", "Durable", "paule.durable@juvignac.test", "21340123500014", second_factor=True),
    agent("m.simple", "Maël", "Simple", "mael.simple@juvignac.test", "21340123500014", second_factor=False),
    agent("i.mutuel", "Inès", "Mutuel", "ines.mutuel@fabregues.test", "21340095500014", second_factor=True),
    agent("g.negoce", "Gaël", "Négoce", "gael@negoce.test", "73282932000074", second_factor=False),
)
