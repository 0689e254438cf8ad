"""States and kinds of the archiving service, with their French names."""

from django.db import models


class State(models.TextChoices):
    """Where a transfer stands."""

    DEPOSE = "depose", "Déposé"
    EN_CONTROLE = "en_controle", "En cours de contrôle"
    NON_CONFORME = "non_conforme", "Refusé au contrôle"
    CONFORME = "conforme", "Conforme"
    A_VALIDER = "a_valider", "À valider"
    REFUSE = "refuse", "Refusé"
    ACCEPTE = "accepte", "Accepté"
    EN_STOCKAGE = "en_stockage", "En cours de stockage"
    ARCHIVE = "archive", "Archivé"
    ERREUR_TECHNIQUE = "erreur_technique", "Incident technique"
    ANNULE = "annule", "Annulé"


DEAD = (State.NON_CONFORME, State.REFUSE, State.ANNULE)
UNDECIDED = (State.DEPOSE, State.EN_CONTROLE, State.CONFORME, State.A_VALIDER)


class Origin(models.TextChoices):
    """Who made the package."""

    ROUTE = "cheminement", "Cheminement d’un document"
    DEPOSIT = "depot", "Dépôt d’un paquet"


class Outcome(models.TextChoices):
    """Result of a control, as in the intake report."""

    OK = "ok", "Conforme"
    WARNING = "avertissement", "Remarque"
    KO = "ko", "Non conforme"
    NOT_MADE = "non_fait", "Non fait"
