"""Words that French people put in passwords most often, which English lists lack."""

_WORDS = """
azerty azertyuiop azerty123 qsdfgh wxcvbn motdepasse passe bonjour bonsoir salut coucou soleil lune etoile amour
jetaime bisous bisou doudou loulou loulou34 chouchou chocolat chaton chien chat nounours princesse papillon
vacances ete hiver printemps automne janvier fevrier mars avril mai juin juillet aout septembre octobre novembre
decembre lundi mardi mercredi jeudi vendredi samedi dimanche marseille montpellier paris lyon toulouse bordeaux
nantes lille france bretagne occitanie herault mairie mairie34 commune metropole agent service secretariat accueil
bureau ordinateur internet portable telephone famille maman papa bebe cheval dauphin football rugby equipe champion
victoire liberte egalite fraternite republique bienvenue provisoire changeme changezmoi temporaire administrateur
administration utilisateur
"""

COMMON_FRENCH: tuple[str, ...] = tuple(_WORDS.split())
