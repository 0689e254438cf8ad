"""The help of the portal: one short page per question, for citizens or for agents, and its search.

Pages are templates of ``portal/help/``, named after their slug.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags

from parvis.core.portal.home import plain
from parvis.core.web.searching import Found

EVERYBODY: Final = "Pour tout le monde"
AGENTS: Final = "Pour les agents et les élus"


@dataclass(frozen=True)
class HelpPage:
    slug: str
    title: str
    summary: str
    audience: str

    @property
    def url(self) -> str:
        return reverse("portal:help_page", kwargs={"slug": self.slug})

    @property
    def template(self) -> str:
        return f"portal/help/{self.slug}.html"


PAGES: Final = {
    page.slug: page
    for page in (
        HelpPage("trouver", "Trouver un acte ou une donnée de ma commune", "Lire, chercher, télécharger.", EVERYBODY),
        HelpPage("compte", "Créer et gérer mon compte", "Inscription, données, suppression.", EVERYBODY),
        HelpPage("connexion", "Me connecter", "Mot de passe, clé d’accès, oubli, compte indisponible.", EVERYBODY),
        HelpPage("franceconnect", "Comprendre un message de FranceConnect", "Ce que veut dire chaque code.", EVERYBODY),
        HelpPage("second-facteur", "Le second facteur", "Application, clé d’accès, codes de secours.", EVERYBODY),
        HelpPage("bureau", "Mon bureau", "Ce qui m’attend, la recherche, changer d’organisation.", AGENTS),
        HelpPage("signer", "Viser et signer un document", "Le parapheur, en deux gestes.", AGENTS),
        HelpPage("transmettre", "Transmettre un acte à la préfecture", "Avant, pendant, après.", AGENTS),
    )
}

FRANCECONNECT_CODES: Final = (
    (
        "Y010004",
        "Les informations reçues ressemblent à l’état civil, avec un écart.",
        "Vérifiez nom de naissance, prénoms, date et lieu de naissance auprès du service qui vous identifie.",
    ),
    (
        "Y010006",
        "Plusieurs personnes répondent à ces informations.",
        "Complétez vos prénoms et votre lieu de naissance auprès du service qui vous identifie.",
    ),
    (
        "Y010007",
        "Le nom transmis est un nom d’usage ou de mariage.",
        "Faites inscrire votre nom de naissance auprès du service qui vous identifie.",
    ),
    (
        "Y010008",
        "L’état civil ne connaît pas ces informations.",
        "Vérifiez-les ; si elles sont exactes, demandez leur correction à l’Insee.",
    ),
    (
        "Y010015",
        "L’état civil indique que la personne est décédée.",
        "Si c’est une erreur, demandez la correction à l’Insee, par votre mairie.",
    ),
    (
        "Y020023",
        "Le service choisi pour vous identifier n’est pas accepté ici.",
        "Revenez en arrière et choisissez-en un autre dans la liste.",
    ),
    (
        "Y180001",
        "Votre compte est bloqué chez le service qui vous identifie.",
        "Adressez-vous à ce service, ou choisissez-en un autre.",
    ),
    (
        "Y030007",
        "La demande de connexion était incomplète.",
        "Rien ne vient de vous : recommencez, puis prévenez-nous si le message revient.",
    ),
    (
        "Y04EA6EF, Y04C013C",
        "Cette plateforme n’est pas reconnue par FranceConnect.",
        "Rien ne vient de vous : prévenez-nous, et connectez-vous d’une autre manière.",
    ),
)


def context() -> dict[str, object]:
    """What the templates of help pages read."""
    return {"codes": FRANCECONNECT_CODES}


@cache
def _words(slug: str) -> str:
    page = PAGES[slug]
    text = strip_tags(render_to_string(page.template, context()))
    return f" {plain(page.title)} {plain(page.summary)} {plain(text)}"


def pages_about(terms: str) -> list[HelpPage]:
    """The pages that hold every word of ``terms``; those whose title does come first."""
    wanted = plain(terms).split()
    if not wanted:
        return []
    found = [page for page in PAGES.values() if all(f" {word}" in _words(page.slug) for word in wanted)]
    return sorted(found, key=lambda page: not all(f" {word}" in f" {plain(page.title)}" for word in wanted))


def find_help(request: HttpRequest, terms: str, most: int) -> list[Found]:
    """Source of the search across everything."""
    return [Found(page.title, page.url, page.summary) for page in pages_about(terms)[:most]]
