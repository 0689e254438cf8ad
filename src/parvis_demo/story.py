"""The story that the demo lives: one public deliberation of 2019, invented people, dates of each step.

The deliberation is Juvignac's N° 19.07.01.05 of 1 July 2019, a public act: its date, number, votes, members' names as
the act prints them and amounts are facts. Its exposé is told here in our own words. The accounts, the electronic
addresses and the signing certificate are invented and say so.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
MEETING_DAY = date(2019, 7, 1)


@dataclass(frozen=True)
class Person:
    """An invented person with an account; ``role`` is a role of core/identity/roles.py, empty for a citizen."""

    email: str
    given_name: str
    family_name: str
    role: str
    title: str


PASSWORD = "demonstration sans valeur 2019"  # noqa: S105  (printed by the demo for everybody)

# The same second factor for every invented account, so that any authenticator application can follow the demo.
TOTP_SECRET = "PARVISDEMONSTRATIONSANSVALEUR234"  # noqa: S105

PEOPLE = [
    Person("secretariat@juvignac.test", "Camille", "Exemple", "secretaire", "Secrétaire de mairie (compte fictif)"),
    Person("dgs@juvignac.test", "Dominique", "Exemple", "dgs", "Directeur général des services (compte fictif)"),
    Person("maire@juvignac.test", "Alix", "Exemple", "maire", "Maire"),
    Person("administration@juvignac.test", "Sacha", "Exemple", "administrateur", "Administration (compte fictif)"),
    Person("archives@juvignac.test", "Lou", "Exemple", "archiviste", "Archiviste (compte fictif)"),
    Person("habitant@exemple.test", "Noa", "Exemple", "", "Habitant, sans rôle ni second facteur (compte fictif)"),
]

OPERATOR = ("exploitation@exemple.test", "Charlie", "Exemple")
"""Address, first name and name of whoever wants to run the platform; the account is made by a command."""

# The council as the public act names it, in the order of the act; the chair first.
PRESENT = [
    ("M.", "SAVY"), ("M.", "BOUSQUEL"), ("M.", "LARGUIER"), ("Mme", "MICHEL"), ("M.", "BRAEMER"),
    ("M.", "DE CHAMBRUN"), ("Mme", "VIGNERON"), ("Mme", "MERLET"), ("M.", "ROESCH"), ("M.", "GREPINET"),
    ("Mme", "MOULAOU"), ("Mme", "CAMBON"), ("Mme", "PLAYS"), ("M.", "GOEPFERT"), ("M.", "BOUISSEREN"),
    ("Mme", "DAMAIS"), ("Mme", "MOURIES"), ("M.", "BELHASSEN"),
]  # fmt: skip
POWERS = [
    (("M.", "ROQUES"), "DE CHAMBRUN"), (("M.", "GRAVIER"), "BRAEMER"), (("M.", "CASTELL"), "ROESCH"),
    (("Mme", "JULLIEN"), "VIGNERON"), (("Mme", "PRIE"), "LARGUIER"), (("M.", "LOPEZ"), "BOUSQUEL"),
    (("Mme", "PASDELOU"), "GREPINET"), (("Mme", "GAUZY CHABLE"), "PLAYS"),
]  # fmt: skip
ABSENT = [("Mme", "MACHERY"), ("M.", "MUNOZ"), ("M.", "SBIA")]

TITLE = "Convention de gestion de services numériques communs - autorisation de signature"
RAPPORTEUR = "VIGNERON"
MATIERE = ("5.7", "Institutions et vie politique/Intercommunalité")
RANK = 5

EXPOSE = """\
Depuis 2015, la Métropole met à la disposition des 31 communes une plateforme d’administration électronique qui couvre \
toute la chaîne de dématérialisation, derrière un seul portail sécurisé.

La nouvelle convention confie à la Métropole l’hébergement et la maintenance de la solution, l’accompagnement de la \
commune, la formation des utilisateurs et le support. Les frais sont forfaitaires, lissés sur trois ans et répartis \
selon la population municipale, après une participation de 50 % de la Métropole.

Administration électronique : la commune reconduit son adhésion, pour 580,41 € sur trois ans, soit 193,47 € par an.

Services en ligne : la commune reconduit son adhésion, pour 464,33 € sur trois ans, soit 154,78 € par an.

Marchés publics : la commune n’adhère pas à ce service. Données ouvertes : la commune reconduit son adhésion, gratuite.
"""
VISAS = ["Vu le code général des collectivités territoriales, et notamment son article L.2121-22 ;"]
DISPOSITIF = [
    "D’APPROUVER le principe de l’adhésion à la plateforme de services numériques ;",
    "DE DIRE que les crédits correspondants sont inscrits au budget 2019, chapitre 011, article 6135 ;",
    "D’AUTORISER la signature de la convention avec Montpellier Méditerranée Métropole ;",
    "D’AUTORISER le maire, ou son représentant habilité, à signer tout acte nécessaire à l’exécution.",
]
PUBLICATION_MENTION = "Acte rendu exécutoire après dépôt en préfecture et publication le ..."
ANNEXE_AMOUNTS = [
    ("E-demat, 3 ans", "580.81"), ("E-demat, par an", "193.60"), ("E-demat, par an, part de la commune", "96.80"),
    ("E-services, 3 ans", "464.65"), ("E-services, par an", "154.88"),
    ("E-services, par an, part de la commune", "77.44"),
]  # fmt: skip


@dataclass(frozen=True)
class Calendar:
    """When each step happens, in Paris; ``shift`` moves the whole story."""

    shift: timedelta = timedelta()

    def at(self, day: date, hour: int, minute: int) -> datetime:
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)

    @property
    def meeting_day(self) -> date:
        return MEETING_DAY + self.shift

    @property
    def preparation(self) -> datetime:
        return self.at(self.meeting_day - timedelta(days=10), 9, 0)

    @property
    def convocation(self) -> datetime:
        return self.at(self.meeting_day - timedelta(days=7), 10, 0)

    @property
    def meeting(self) -> datetime:
        return self.at(self.meeting_day, 18, 30)

    @property
    def signature(self) -> datetime:
        return self.at(self.meeting_day + timedelta(days=1), 9, 12)

    @property
    def transmission(self) -> datetime:
        return self.at(self.meeting_day + timedelta(days=2), 10, 4)

    @property
    def publication(self) -> datetime:
        return self.at(self.meeting_day + timedelta(days=10), 9, 0)

    @property
    def number(self) -> str:
        return f"{self.meeting_day:%y.%m.%d}.{RANK:02d}"


def calendar_ending_on(day: date) -> Calendar:
    """The same story, moved so that its last day, the publication, is ``day``."""
    return Calendar(day - (MEETING_DAY + timedelta(days=10)))


# The four items before it on the agenda are invented, so that the fifth gets its number.
OTHER_ITEMS = [
    "Approbation du procès-verbal de la séance précédente (point fictif)",
    "Désignation des membres d’une commission (point fictif)",
    "Subvention à une association sportive (point fictif)",
    "Tarifs de la salle municipale (point fictif)",
]
OTHER_EXPOSE = "Ce point est inventé pour la démonstration ; il précède la délibération réelle à l’ordre du jour."
OTHER_VISA = "Vu le code général des collectivités territoriales, et notamment son article L.2121-29 ;"
OTHER_MATIERE = ("5.2", "Institutions et vie politique/Fonctionnement des assemblées")
