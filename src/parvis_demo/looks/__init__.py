"""Invented looks for three organisations of the demo: logos and landscapes drawn for it, nobody's real emblems."""

import io
import math
from pathlib import Path

from PIL import Image, ImageDraw

from parvis.core.branding.services import install
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for

HERE = Path(__file__).parent
WELCOME = {
    "metropole": "Les services numériques des 31 communes et de la Métropole, avec un seul compte.",
    "juvignac": "Bienvenue. Vos démarches, les actes de la commune et ses données, à toute heure.",
    "fabregues": "Les services en ligne de Fabrègues.\n\nLa mairie vous répond aussi au guichet.",
}
FOOTER = {
    "metropole": "Siège inventé, 1 place de la Démonstration, 34000",
    "juvignac": "Mairie inventée, 1 place de l’Exemple, 34990. Ouverte du lundi au vendredi, de 9 h à 17 h.",
    "fabregues": "Mairie inventée, 2 rue du Modèle, 34690. Ouverte le samedi matin.",
}
# Sky, then hills from the farthest to the nearest.
LANDSCAPES = {
    "juvignac": ("#f4dfe9", "#d9a9c4", "#b06a93", "#d9a441"),
    "fabregues": ("#dff0ee", "#9cc9c4", "#e07a3f", "#3f8a86"),
    "metropole": ("#e3e9f4", "#aebcd8", "#6f86b4", "#d9a441"),
}


def landscape(sky: str, *hills: str) -> bytes:
    """A JPEG of 1600 × 600 pixels: a sky and its hills."""
    image = Image.new("RGB", (1600, 600), sky)
    draw = ImageDraw.Draw(image)
    for rank, colour in enumerate(hills):
        top = 220 + 120 * rank
        crest = [(x, top + 60 * math.sin(x / (230 - 40 * rank) + 1.7 * rank)) for x in range(0, 1601, 8)]
        draw.polygon([(0, 600), *crest, (1600, 600)], fill=colour)
    output = io.BytesIO()
    image.save(output, "JPEG", quality=88)
    return output.getvalue()


def dress(*slugs: str) -> None:
    """Publish the invented look of these organisations ("metropole", "juvignac", "fabregues")."""
    for slug in slugs:
        organisation = Organisation.objects.get(slug=slug)
        pictures = {"logo": (HERE / f"{slug}.svg").read_bytes(), "header": landscape(*LANDSCAPES[slug])}
        values = {
            "welcome_text": WELCOME[slug],
            "footer_text": FOOTER[slug],
            "footer_links": [{"label": "Site internet (inventé)", "url": f"https://www.{slug}.example/"}],
            "sender_name": organisation.name,
            "signature": f"{organisation.name}\n{FOOTER[slug]}",
        }
        with acting_for(organisation):
            install(organisation, values, pictures)
