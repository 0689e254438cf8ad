"""What a directory announces of itself, judged when an organisation proposes it: a sentence for each refusal."""

from collections.abc import Callable
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from parvis.core.errors import DomainError
from parvis.core.federation.discovery import OF_A_DIRECTORY, address, checked
from parvis.core.federation.outgoing import Line, Silent
from parvis.core.provider.outgoing import Unreachable

RSA_BITS: Final = 2048
Refused = Callable[[str, str], DomainError]
PARTS: Final = {
    "authorization_endpoint": "de la page de connexion",
    "token_endpoint": "des jetons",
    "jwks_uri": "des clés",
}


def check(issuer: str, algorithm: str, refused: Refused) -> None:
    """Ask the directory for its description and its keys; raises ``refused(sentence, field)`` at the first fault."""
    try:
        line = Line(issuer, public=True)
        told = line.get_json(address(issuer))
    except Silent as silent:
        raise refused(f"L’annuaire n’a pas pu être consulté. {_why(silent)}", "issuer") from silent
    if told.get("issuer") != issuer:
        named = str(told.get("issuer"))[:200]
        raise refused(
            f"Cet annuaire se nomme « {named} » : recopiez cette valeur, au caractère près, ou demandez à son"
            " administrateur l’émetteur propre à votre organisation.",
            "issuer",
        )
    try:
        facts = checked(issuer, told, OF_A_DIRECTORY)
    except Silent as silent:
        part = PARTS.get(str(silent.data.get("name")), "demandée")
        raise refused(
            f"L’adresse {part} est absente de la description de l’annuaire, ou mène à un autre serveur que l’émetteur.",
            "issuer",
        ) from silent
    _check_offer(told, algorithm, refused)
    try:
        keys = line.get_json(facts.jwks_uri).get("keys")
    except Silent as silent:
        raise refused(f"Les clés de l’annuaire n’ont pas pu être lues. {_why(silent)}", "issuer") from silent
    if not any(_usable(one, algorithm) for one in (keys if isinstance(keys, list) else [])):
        raise refused(
            f"L’annuaire ne publie aucune clé qui signe en {algorithm} : choisissez l’autre algorithme, ou demandez à"
            " son administrateur une clé assez longue (2 048 bits pour RSA).",
            "algorithm",
        )


def _check_offer(told: dict[str, Any], algorithm: str, refused: Refused) -> None:
    if "code" not in _list(told, "response_types_supported", ["code"]):
        raise refused(
            "L’annuaire n’offre pas la connexion par code (« authorization code »), seule acceptée.", "issuer"
        )
    if "authorization_code" not in _list(told, "grant_types_supported", ["authorization_code"]):
        raise refused(
            "L’annuaire n’offre pas la connexion par code (« authorization code »), seule acceptée.", "issuer"
        )
    if "client_secret_post" not in _list(told, "token_endpoint_auth_methods_supported", ["client_secret_basic"]):
        raise refused(
            "L’annuaire n’accepte pas que la plateforme donne son secret par « client_secret_post » : demandez à son"
            " administrateur de l’autoriser.",
            "issuer",
        )
    offered = _list(told, "id_token_signing_alg_values_supported", ["RS256"])
    if algorithm not in offered:
        names = ", ".join(str(one)[:20] for one in offered[:8]) or "aucun algorithme"
        raise refused(
            f"L’annuaire n’annonce pas de signature en {algorithm} (il annonce : {names}). Sont acceptés RS256 et"
            " ES256, jamais une signature absente ou faite avec le secret.",
            "algorithm",
        )


def _why(silent: Silent) -> str:
    cause = silent.__cause__
    if isinstance(cause, Unreachable):
        return cause.sentence
    told = str(silent.data.get("cause", ""))
    if told == "address refused":
        return "Son adresse doit commencer par « https:// »."
    if told.startswith("status "):
        return f"Il a répondu {told.removeprefix('status ').partition(',')[0]} au lieu de sa description."
    return "Sa réponse est trop longue, trop lente ou illisible."


def _list(told: dict[str, Any], name: str, otherwise: list[str]) -> list[Any]:
    value = told.get(name, otherwise)
    return value if isinstance(value, list) else []


def _usable(told: object, algorithm: str) -> bool:
    if not isinstance(told, dict) or not told.get("kid") or told.get("use", "sig") != "sig" or "d" in told:
        return False
    if told.get("alg", algorithm) != algorithm:
        return False
    try:
        key = KeySet.import_key_set({"keys": [told]}).keys[0]
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    if isinstance(key, RSAKey):
        return algorithm == "RS256" and key.public_key.key_size >= RSA_BITS
    return isinstance(key, ECKey) and algorithm == "ES256" and told.get("crv") == "P-256"
