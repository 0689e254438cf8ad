"""Pages of the simulated providers: plain, without any official sign."""

from html import escape

from parvis_sandbox.identity.people import Person

NAMES = {
    "franceconnect": "FranceConnect (simulé)",
    "proconnect": "ProConnect (simulé)",
    "annuaire": "Annuaire d’une commune (simulé)",
}


def page(title: str, body: str) -> bytes:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title></head><body><main><h1>{escape(title)}</h1>"
        f"<p>Identités inventées, sans valeur.</p>{body}</main></body></html>"
    ).encode()


def choice(kind: str, base: str, people: list[Person], service: str) -> bytes:
    """The page where one says who one is, or refuses."""
    buttons = "".join(
        f'<li><button name="login" value="{escape(p.login)}">{escape(p.label)}</button> {escape(p.login)}</li>'
        for p in people
    )
    return page(
        NAMES[kind],
        f"<p>Continuer vers {escape(service)} en tant que :</p>"
        f'<form method="post" action="{escape(base)}/choisir"><ul>{buttons}</ul></form>'
        f'<form method="post" action="{escape(base)}/refuser"><button>Refuser</button></form>',
    )


def error(kind: str, code: str, sentence: str) -> bytes:
    """The page of an error that the service never hears of."""
    return page(NAMES[kind], f"<p>{escape(sentence)}</p><p>Code d’erreur : <strong>{escape(code)}</strong></p>")
