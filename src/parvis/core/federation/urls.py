"""Login through FranceConnect, ProConnect and directories, under ``/federation/``."""

from django.urls import path

from parvis.core.federation.views import account, arrivals, login

app_name = "federation"
urlpatterns = [
    path("choix/", login.choose, name="choose"),
    path("nouveau-compte/", login.create, name="create"),
    path("agent/", login.agent, name="agent"),
    path("relier/", account.link, name="link"),
    path("relier/abandon/", account.forget, name="forget"),
    path("mes-identites/", account.identities, name="identities"),
    path("deconnexion/", account.leaving, name="departures"),
    path("jwks/", login.jwks, name="jwks"),
    path("qu-est-ce-que-franceconnect/", login.about, {"provider": "franceconnect"}, name="about_franceconnect"),
    path("qu-est-ce-que-proconnect/", login.about, {"provider": "proconnect"}, name="about_proconnect"),
    path("<slug:provider>/bouton.svg", login.drawing, name="drawing"),
    path("franceconnect/", login.start, {"provider": "franceconnect"}, name="franceconnect"),
    path("proconnect/", login.start, {"provider": "proconnect"}, name="proconnect"),
    path("annuaire/", arrivals.again, name="directory_again"),
    path("annuaire/relier/", arrivals.link, name="directory_link"),
    path("<slug:provider>/", arrivals.start, name="directory"),
    path("<slug:provider>/retour/", login.callback, name="callback"),
    path("<slug:provider>/sortie/", account.logged_out, name="logged_out"),
    path("<slug:provider>/delier/", account.unlink, name="unlink"),
]
