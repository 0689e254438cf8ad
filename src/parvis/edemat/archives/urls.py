from django.urls import path

from parvis.edemat.archives import views

app_name = "archives"
urlpatterns = [
    path("", views.transfers, name="list"),
    path("deposer/", views.deposit, name="deposit"),
    path("registre/", views.register, name="register"),
    path("<uuid:pk>/", views.transfer, name="transfer"),
    path("<uuid:pk>/avancement/", views.progress, name="progress"),
    path("<uuid:pk>/accepter/", views.accept, name="accept"),
    path("<uuid:pk>/refuser/", views.refuse, name="refuse"),
    path("<uuid:pk>/relancer/", views.restart, name="restart"),
    path("<uuid:pk>/fichiers/<uuid:file>/", views.file, name="file"),
]
