"""Who sends: the authority as the envelope identifies it to the préfecture."""

import re
from dataclasses import dataclass

from parvis.core.errors import DomainError
from parvis.edemat.actes.formats.names import DEPARTEMENT, SIREN

EMAIL = re.compile(r"[_a-zA-Z0-9\-]+(\.[_a-zA-Z0-9\-]+)*@[a-zA-Z0-9\-]+(\.[a-zA-Z0-9\-]+)*\.[a-zA-Z]{2,6}")


class InvalidEmitter(DomainError):
    """An identification of the authority cannot be transmitted."""


def check_address(address: str) -> None:
    """Refuse an address that the ACTES schema does not admit (top-level domain of 2 to 6 letters)."""
    if not EMAIL.fullmatch(address):
        raise InvalidEmitter(
            f"L’adresse « {address} » est refusée par le schéma ACTES : son extension doit compter de 2 à 6 "
            "lettres "
            "et elle ne doit contenir que lettres, chiffres, « . », « - » et « _ ». Indiquez une autre "
            "adresse."
        )


@dataclass(frozen=True)
class Referent:
    """The person the préfecture may call; empty fields are left out of the envelope."""

    name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class Emitter:
    """An authority: SIREN, département (3 characters), arrondissement (1 digit), nature de collectivité (2
    digits)."""

    siren: str
    departement: str
    arrondissement: str
    nature: str
    return_addresses: tuple[str, ...]
    referent: Referent = Referent()

    def __post_init__(self) -> None:
        if not SIREN.fullmatch(self.siren):
            raise InvalidEmitter(f"Le SIREN « {self.siren} » doit compter neuf chiffres.")
        if not DEPARTEMENT.fullmatch(self.departement):
            raise InvalidEmitter(
                f"Le département « {self.departement} » doit s’écrire sur trois caractères, comme « 034 »."
            )
        if not re.fullmatch(r"[0-9]", self.arrondissement):
            raise InvalidEmitter(f"L’arrondissement « {self.arrondissement} » doit être un chiffre.")
        if not re.fullmatch(r"[0-9]{2}", self.nature):
            raise InvalidEmitter(f"La nature de collectivité « {self.nature} » doit compter deux chiffres.")
        if not self.return_addresses:
            raise InvalidEmitter(
                "Aucune adresse de retour n’est réglée : la préfecture ne saurait où répondre. "
                "Indiquez-la dans les réglages de la télétransmission."
            )
        for address in self.return_addresses:
            check_address(address)
        if self.referent.email:
            check_address(self.referent.email)
