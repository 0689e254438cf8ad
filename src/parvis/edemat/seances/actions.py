"""French names of the events that meetings write in the journal."""

from parvis.core.journal.actions import register_action, register_subject
from parvis.edemat.seances.models import Point

for _code, _label in {
    "seances.organe_cree": "Assemblée créée",
    "seances.organe_modifie": "Assemblée modifiée",
    "seances.regime_change": "Régime de l’assemblée changé",
    "seances.elu_ajoute": "Membre ajouté au tableau",
    "seances.elu_modifie": "Membre du tableau modifié",
    "seances.elu_fin_de_mandat": "Fin du mandat d’un membre",
    "seances.elu_remplace": "Membre remplacé",
    "seances.tableau_importe": "Tableau importé d’un fichier",
    "seances.prevue": "Séance prévue",
    "seances.modifiee": "Séance modifiée",
    "seances.point_inscrit": "Point inscrit à l’ordre du jour",
    "seances.point_modifie": "Projet modifié",
    "seances.ordre_du_jour_change": "Ordre du jour réordonné",
    "seances.point_supprime": "Point retiré de l’ordre du jour",
    "seances.annexe_jointe": "Annexe jointe",
    "seances.annexe_retiree": "Annexe retirée",
    "seances.convoquee": "Membres convoqués",
    "seances.preuve_etablie": "Preuve établie",
    "seances.preuve_horodatee": "Preuve horodatée",
    "seances.convocation_remise": "Convocation remise à la messagerie",
    "seances.convocation_refusee": "Convocation refusée par la messagerie",
    "seances.convocation_portee": "Convocation remise sur papier",
    "seances.presences_relevees": "Présences relevées",
    "seances.deport": "Un membre ne prend pas part au point",
    "seances.deport_annule": "Déport annulé",
    "seances.bureau_designe": "Présidence et secrétariat désignés",
    "seances.ouverte": "Séance ouverte",
    "seances.urgence_votee": "Urgence mise aux voix",
    "seances.vote": "Vote enregistré",
    f"seances.point_{Point.Outcome.RENVOYE}": "Point renvoyé à une autre séance",
    f"seances.point_{Point.Outcome.RETIRE}": "Point retiré",
    "seances.liste_publiee": "Liste des délibérations publiée",
    "seances.rectifiee": "Avis rectificatif envoyé",
    "seances.annulee": "Séance annulée",
    "seances.reportee": "Séance reportée",
    "seances.sans_quorum": "Quorum non atteint : seconde convocation",
    "seances.avis_remis": "Avis remis à la messagerie",
    "seances.avis_porte": "Avis remis en main propre",
    "seances.levee": "Séance levée",
    "seances.deliberation_numerotee": "Délibération numérotée",
    "seances.deliberation_etablie": "Délibération établie et contrôlée",
    "seances.deliberation_mise_a_la_signature": "Délibération mise à la signature",
    "seances.deliberation_corrigee": "Texte de la délibération corrigé",
    "seances.deliberation_renvoyee": "Délibération corrigée et renvoyée à la signature",
    "seances.close": "Séance close",
}.items():
    register_action(_code, _label)

register_subject("seance", "Séance", "seances:detail")
register_subject("convocation", "Convocation")
register_subject("deliberation", "Délibération")
register_subject("elu", "Membre de l’assemblée")
register_subject("organe", "Assemblée", "seances:organe")
register_subject("point", "Point de l’ordre du jour")
