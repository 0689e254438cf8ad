"""A person's own account, under ``/mon-compte/``."""

from django.urls import path

from parvis.core.identity.views import account, address, deletion

app_name = "identity"
urlpatterns = [
    path("", account.overview, name="overview"),
    path("profil/", account.edit_profile, name="profile"),
    path("evenements/", account.events, name="events"),
    path("donnees/", account.export, name="export"),
    path("donnees/avancement/", account.export_progress, name="export_progress"),
    path("donnees/<uuid:pk>/<slug:name>.zip", account.download, name="export_download"),
    path("adresse/", address.ask, name="email"),
    path("adresse/confirmer/<str:token>/", address.confirm, name="email_confirm"),
    path("adresse/annuler/<str:token>/", address.undo, name="email_undo"),
    path("suppression/", deletion.ask, name="deletion"),
    path("suppression/<str:token>/", deletion.confirm, name="deletion_confirm"),
    path("suppression/<str:token>/attestation/", deletion.receipt, name="deletion_receipt"),
]
