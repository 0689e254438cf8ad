from django.urls import path

from parvis.edemat.parapheur import views

app_name = "parapheur"
urlpatterns = [
    path("", views.dossiers, name="dossiers"),
    path("<uuid:pk>/", views.dossier, name="dossier"),
    path("<uuid:pk>/viser/", views.endorse, name="viser"),
    path("<uuid:pk>/signer/", views.sign, name="signer"),
    path("<uuid:pk>/refuser/", views.refuse, name="refuser"),
    path("<uuid:pk>/reprendre/", views.put_back, name="reprendre"),
    path("<uuid:pk>/avancement/", views.progress, name="avancement"),
]
