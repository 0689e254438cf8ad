"""The terms of art of the pages, each explained in one plain sentence: what ``<c-term>`` shows."""

from typing import Final

TERMS: Final = {
    "accusé de réception": (
        "Réponse du ministère, appelée aussi AR : elle prouve que la préfecture a reçu l’acte, et à quelle "
        "date. Elle porte l’identifiant unique de l’acte."
    ),
    "ATR": (
        "Réponse à un versement (« ArchiveTransferReply ») : le service d’archives y dit s’il prend en charge "
        "ce qui lui a été versé."
    ),
    "bordereau": "Page qui résume un acte et l’accusé de réception de la préfecture, à joindre ou à afficher.",
    "déféré": (
        "Recours du préfet devant le tribunal administratif contre un acte qu’il estime illégal, dans les deux mois."
    ),
    "exécutoire": (
        "Se dit d’un acte qui s’applique : il faut pour cela qu’il ait été publié ou notifié et, quand la loi "
        "le demande, reçu par la préfecture."
    ),
    "jeton": "Réponse signée d’une autorité d’horodatage, qui prouve qu’un document existait à cette date.",
    "jours francs": "Jours entiers entre deux dates : ni celui de l’envoi, ni celui de la séance ne comptent.",
    "matière": "Classement national des actes, du type « 5.7 » : il dit au contrôle de légalité de quoi traite l’acte.",
    "pouvoir": (
        "Écrit par lequel un membre absent confie son vote à un autre. Chacun n’en porte qu’un, sauf texte contraire."
    ),
    "preuve d’inclusion": (
        "Suite d’empreintes qui permet à quiconque de vérifier qu’une écriture figure bien au journal scellé, "
        "sans lire les autres."
    ),
    "quorum": (
        "Nombre de membres présents sans lequel l’assemblée ne peut pas délibérer : plus de la moitié de ceux "
        "qui sont en exercice, pouvoirs non compris."
    ),
    "portée": "Ce qu’un logiciel a le droit de lire ou de faire, et rien d’autre.",
    "sceau": (
        "Chaque nuit, une autorité extérieure date tout ce que le journal contient : rien ne peut ensuite y "
        "être changé sans que cela se voie."
    ),
    "SEDA": (
        "Standard d’échange de données pour l’archivage : la forme officielle des messages entre un service "
        "et ses archives."
    ),
    "type de pièce": "Code national, du type « 99_DE », qui dit à la préfecture ce qu’est chaque fichier envoyé.",
    "versement": "Remise de documents au service d’archives, qui en devient responsable une fois qu’il l’a acceptée.",
    "@CTES": "Système d’information de l’État par lequel la préfecture reçoit les actes des collectivités (« Actes »).",
}
