"""Code lists of the télétransmission of acts: natures, transaction types, S²low status codes, sending
states."""

from django.db import models


class Nature(models.TextChoices):
    """Nature of an act (ACTES schema, CodeNatureActe)."""

    DELIBERATION = "1", "Délibérations"
    REGLEMENTAIRE = "2", "Actes réglementaires"
    INDIVIDUEL = "3", "Actes individuels"
    CONTRAT = "4", "Contrats, conventions et avenants"
    BUDGETAIRE = "5", "Documents budgétaires et financiers"
    AUTRE = "6", "Autres"


class Status(models.IntegerChoices):
    """Status of a transaction, with the codes that métier software knows from S²low."""

    ERREUR = -1, "Erreur"
    ANNULE = 0, "Annulé"
    POSTE = 1, "Posté"
    EN_ATTENTE = 2, "En attente de transmission"
    TRANSMIS = 3, "Transmis"
    ACQUITTE = 4, "Acquittement reçu"
    VALIDE = 5, "Validé"
    REFUSE = 6, "Refusé"
    DOCUMENT_RECU = 7, "Document reçu"
    ACQUITTEMENT_ENVOYE = 8, "Acquittement envoyé"
    DOCUMENT_ENVOYE = 9, "Document envoyé"
    REFUS_ENVOI = 10, "Refus d’envoi"
    ACQUITTEMENT_DOCUMENT = 11, "Acquittement de document reçu"
    ENVOYE_SAE = 12, "Envoyé au système d’archivage"
    ARCHIVE = 13, "Archivé"
    ERREUR_ARCHIVAGE = 14, "Erreur lors de l’archivage"
    RECU_SAE = 15, "Reçu par le système d’archivage"
    DETRUIT = 16, "Détruit"
    A_POSTER = 17, "En attente d’être posté"
    A_SIGNER = 18, "En attente d’être signé"
    A_VERSER = 19, "En attente de versement à l’archivage"
    ERREUR_VERSEMENT = 20, "Erreur lors du versement à l’archivage"
    DOCUMENT_SANS_AR = 21, "Document reçu (sans accusé)"
    VERSEMENT_IMPOSSIBLE = 22, "Versement impossible (documents indisponibles)"


class TransactionKind(models.TextChoices):
    """Message métier that a transaction carries (type-sub-type)."""

    ACTE = "1-1", "Transmission d’un acte"
    COURRIER_SIMPLE = "2-1", "Courrier simple"
    DEMANDE_PIECES = "3-1", "Demande de pièces complémentaires"
    LETTRE_OBSERVATIONS = "4-1", "Lettre d’observations"
    REPONSE_COURRIER = "2-2", "Réponse au courrier simple"
    AR_DEMANDE_PIECES = "3-2", "Accusé de la demande de pièces"
    REFUS_PIECES = "3-3", "Refus des pièces complémentaires"
    PIECES = "3-4", "Envoi des pièces complémentaires"
    AR_LETTRE_OBSERVATIONS = "4-2", "Accusé de la lettre d’observations"
    REJET_OBSERVATIONS = "4-3", "Rejet des observations"
    REPONSE_OBSERVATIONS = "4-4", "Réponse aux observations"
    DEFERE = "5-1", "Déféré au tribunal administratif"
    ANNULATION = "6-1", "Annulation de la transmission"
    DEMANDE_CLASSIFICATION = "7-1", "Demande de classification"


LETTERS = (
    TransactionKind.COURRIER_SIMPLE,
    TransactionKind.DEMANDE_PIECES,
    TransactionKind.LETTRE_OBSERVATIONS,
    TransactionKind.DEFERE,
)
"""What the préfecture writes about an act."""

ANSWERS: dict[str, tuple[TransactionKind, ...]] = {
    TransactionKind.COURRIER_SIMPLE: (TransactionKind.REPONSE_COURRIER,),
    TransactionKind.DEMANDE_PIECES: (TransactionKind.PIECES, TransactionKind.REFUS_PIECES),
    TransactionKind.LETTRE_OBSERVATIONS: (TransactionKind.REPONSE_OBSERVATIONS, TransactionKind.REJET_OBSERVATIONS),
}
"""How each letter may be answered; a déféré is answered to the court."""

LETTER_RECEIPTS: dict[str, TransactionKind] = {
    TransactionKind.DEMANDE_PIECES: TransactionKind.AR_DEMANDE_PIECES,
    TransactionKind.LETTRE_OBSERVATIONS: TransactionKind.AR_LETTRE_OBSERVATIONS,
}
"""The receipt that leaves by itself when such a letter arrives."""


class Delivery(models.TextChoices):
    """How far the sending of an archive to the State has gone; « incertaine » is resolved by a return or a
    person."""

    A_CONSTRUIRE = "a_construire", "Archive à construire"
    PRETE = "prete", "Prête à l’envoi"
    EN_COURS = "en_cours", "Envoi en cours"
    ACCEPTEE = "acceptee", "Acceptée par le ministère"
    INCERTAINE = "incertaine", "Envoi incertain"
    ABANDONNEE = "abandonnee", "Envoi abandonné"


class InboundState(models.TextChoices):
    """What became of a mail received from the State."""

    RECU = "recu", "Reçu, à traiter"
    TRAITE = "traite", "Traité"
    BANETTE = "banette", "Banette d’erreur"
    ECARTE = "ecarte", "Écarté"


class InboundOutcome(models.TextChoices):
    """Effect of a processed mail."""

    ACQUITTEMENT = "acquittement", "Accusé de réception"
    ANOMALIE = "anomalie", "Anomalie"
    COURRIER = "courrier", "Courrier de la préfecture"
    REPONSE = "reponse", "Réponse reçue par la préfecture"
    CLASSIFICATION = "classification", "Classification"
    ANNULATION = "annulation", "Annulation reçue par la préfecture"
    INFORMATION = "information", "Information sans message métier"
    DOUBLON = "doublon", "Déjà reçu, sans effet"


class NotificationMeans(models.TextChoices):
    """How an act was brought to the people it names."""

    REMISE = "remise", "Remise en main propre, contre signature"
    LETTRE = "lettre", "Lettre recommandée avec accusé de réception"
    HUISSIER = "huissier", "Commissaire de justice"
    AGENT = "agent", "Agent assermenté ou police municipale"
    NUMERIQUE = "numerique", "Envoi recommandé électronique ou téléservice"
