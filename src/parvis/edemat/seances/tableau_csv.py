"""Reads a file of members of a body: one member per line, in the order of the tableau (see ``people_csv``).

Nothing is looked up here: a line is well formed or says what is wrong with it and the way out.
"""

from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from parvis.core.organisations.people_csv import CONTROL, FORMULA, FileRefused, Line, check_header, day, read_table
from parvis.edemat.seances.models import Channel, Elu

MAX_ROWS: Final = 500
# Column, longest value, whether every line must fill it.
COLUMNS: Final[dict[str, tuple[int, bool]]] = {
    "rang": (3, False),
    "civilite": (10, True),
    "prenom": (80, False),
    "nom": (80, True),
    "fonction": (160, False),
    "groupe": (255, False),
    "courriel": (254, False),
    "canal": (20, False),
    "adresse": (254, False),
    "debut": (10, False),
}
REQUIRED: Final = tuple(name for name, (_, required) in COLUMNS.items() if required)
ALIASES: Final = {
    "email": "courriel", "mail": "courriel", "e-mail": "courriel", "adresse electronique": "courriel",
    "qualite": "fonction", "groupe politique": "groupe", "date de debut": "debut", "debut du mandat": "debut",
    "rang au tableau": "rang", "ordre": "rang", "convocation par": "canal", "adresse postale": "adresse",
}  # fmt: skip
CIVILITIES: Final = {
    "mme": Elu.Civility.MADAME, "madame": Elu.Civility.MADAME, "m.": Elu.Civility.MONSIEUR,
    "m": Elu.Civility.MONSIEUR, "monsieur": Elu.Civility.MONSIEUR,
}  # fmt: skip
CHANNELS: Final = {
    "": "", "courriel": Channel.DEMATERIALISE, "courrier electronique": Channel.DEMATERIALISE,
    "courrier électronique": Channel.DEMATERIALISE, "dematerialise": Channel.DEMATERIALISE,
    "papier": Channel.PAPIER,
}  # fmt: skip
TEMPLATE_ROWS: Final = (
    ("1", "Mme", "Camille", "EXEMPLE", "Maire", "", "camille.exemple@commune.fr", "courriel", "", "2026-03-29"),
    ("2", "M.", "Dominique", "MODÈLE", "Premier adjoint", "", "", "papier", "1 place de la Mairie", "2026-03-29"),
)


def read(content: bytes) -> list[Line]:
    """The lines of a file of members; raises ``FileRefused``. A member named twice is wrong the second time."""
    table = read_table(content, ALIASES)
    check_header(table.header, REQUIRED, COLUMNS)
    if len(table.rows) > MAX_ROWS:
        raise FileRefused(f"Le fichier compte plus de {MAX_ROWS} lignes : ce n’est pas le tableau d’une assemblée.")
    seen: dict[tuple[str, str], int] = {}
    lines = []
    for number, cells in table.rows:
        values = dict.fromkeys(COLUMNS, "")
        named = zip(table.header, cells, strict=False)
        values |= {name: " ".join(cell.split()) for name, cell in named if name in COLUMNS}
        values["courriel"] = values["courriel"].lower()
        too_long = len(cells) > len(table.header)
        problem = "La ligne a plus de cases que de colonnes : vérifiez les « ; »." if too_long else _problem(values)
        identity = (values["nom"].casefold(), values["prenom"].casefold())
        if not problem and identity in seen:
            problem = f"Ce membre figure déjà à la ligne {seen[identity]} : gardez une seule des deux lignes."
        seen.setdefault(identity, number)
        lines.append(Line(number, {name: CONTROL.sub("", value)[:255] for name, value in values.items()}, problem))
    return lines


def _problem(values: dict[str, str]) -> str:
    for name, (longest, required) in COLUMNS.items():
        value = values[name]
        if required and not value:
            return f"La colonne « {name} » est vide : remplissez-la."
        if len(value) > longest:
            return f"La colonne « {name} » dépasse {longest} caractères : raccourcissez-la."
        if CONTROL.search(value):
            return f"La colonne « {name} » contient un caractère invisible : saisissez-la de nouveau."
        if value.startswith(FORMULA):
            return f"La colonne « {name} » commence par « {value[0]} », comme une formule : retirez ce caractère."
    if values["civilite"].casefold() not in CIVILITIES:
        return f"La civilité « {values['civilite']} » n’est pas connue : écrivez « Mme » ou « M. »."
    if values["canal"].casefold() not in CHANNELS:
        return f"Le canal « {values['canal']} » n’est pas connu : écrivez « courriel » ou « papier »."
    if values["rang"] and not (values["rang"].isascii() and values["rang"].isdigit() and int(values["rang"])):
        return f"Le rang « {values['rang']} » n’est pas un nombre : écrivez la place au tableau, à partir de 1."
    try:
        if values["courriel"]:
            validate_email(values["courriel"])
    except ValidationError:
        return f"« {values['courriel'][:80]} » n’est pas une adresse électronique : corrigez-la."
    try:
        day(values["debut"])
    except ValueError:
        return "La date de début n’est pas lisible : écrivez-la 29/03/2026 ou 2026-03-29."
    return ""
