"""French sentences of the events that the archiving service writes to the journal."""

from parvis.core.journal.actions import register_action, register_subject

for _code, _label in {
    "archives.depose": "Paquet déposé aux archives",
    "archives.controle": "Versement contrôlé",
    "archives.refuse": "Versement refusé par le service d’archives",
    "archives.accepte": "Versement accepté par le service d’archives",
    "archives.pris_en_charge": "Archivé, copies relues",
    "archives.reponse_conservee": "Réponse et preuves jointes à l’archive",
    "archives.incident": "Incident technique pendant l’archivage",
    "archives.relance": "Versement relancé",
    "archives.annule": "Versement annulé",
}.items():
    register_action(_code, _label)

register_action("archives.communique", "Fichier archivé communiqué")
register_subject("versement", "Versement aux archives", "archives:transfer")
