"""Names of organisations in a French sentence: « de la commune de Juvignac », « du CCAS de Juvignac », « du Crès »."""

from typing import Final

_FEMININE: Final = ("commune", "ville", "mairie", "métropole", "communauté", "régie", "caisse", "école")
_MASCULINE: Final = ("ccas", "cias", "centre", "syndicat", "sivom", "sivu", "conseil", "département", "établissement")
_VOWELS: Final = frozenset("aeiouyàâäéèêëîïôöùûü")


def with_article(name: str) -> str:
    """« Commune de Juvignac » -> « la commune de Juvignac »; a proper name stays as it is."""
    first, _, rest = name.partition(" ")
    word = first.casefold()
    if not rest or word not in (*_FEMININE, *_MASCULINE):
        ours = word == "la" and rest.partition(" ")[0].casefold() in _FEMININE  # « La Métropole », no name of a place
        return f"la {rest}" if ours else name
    said = first if first.isupper() else word
    if word[0] in _VOWELS:
        return f"l’{said} {rest}"
    return f"{'la' if word in _FEMININE else 'le'} {said} {rest}"


def of_it(name: str) -> str:
    """The same after « de », with what French makes of it: « du », « des », « d’ »."""
    said = with_article(name)
    for article, contracted in (("le ", "du "), ("Le ", "du "), ("les ", "des "), ("Les ", "des ")):
        if said.startswith(article):
            return contracted + said.removeprefix(article)
    return f"d’{said}" if said[:1].casefold() in _VOWELS else f"de {said}"
