"""Administration of an organisation, under ``/o/<organisation>/administration/``."""

from django.urls import path

from parvis.core.organisations.views import departments, imports, people, reviews, roles, settings

app_name = "organisations"
urlpatterns = [
    path("", settings.overview, name="settings"),
    path("identite/", settings.identity, name="identity"),
    path("connexion/", settings.login_rules, name="login_rules"),
    path("personnes/", people.listing, name="people"),
    path("personnes/export.<str:extension>", people.export, name="people_export"),
    path("personnes/nouvelle/", people.invite, name="invite"),
    path("personnes/invitations/", people.invitation_list, name="invitations"),
    path("personnes/invitations/<uuid:pk>/renvoi/", people.resend, name="resend_invitation"),
    path("personnes/invitations/<uuid:pk>/retrait/", people.revoke, name="revoke_invitation"),
    path("personnes/imports/", imports.listing, name="imports"),
    path("personnes/imports/modele.csv", imports.template, name="import_template"),
    path("personnes/imports/<uuid:pk>/", imports.detail, name="import"),
    path("personnes/imports/<uuid:pk>/avancement/", imports.progress, name="import_progress"),
    path("personnes/imports/<uuid:pk>/confirmation/", imports.confirm, name="confirm_import"),
    path("personnes/imports/<uuid:pk>/abandon/", imports.abandon, name="abandon_import"),
    path("personnes/imports/<uuid:pk>/rapport.<str:extension>", imports.report, name="import_report"),
    path("personnes/<int:pk>/", people.person, name="person"),
    path("personnes/<int:pk>/acces/", people.access, name="access"),
    path("personnes/<uuid:pk>/", people.edit_mandate, name="edit_mandate"),
    path("personnes/<uuid:pk>/fin/", people.end_mandate, name="end_mandate"),
    path("roles/", roles.listing, name="roles"),
    path("roles/nouveau/", roles.new, name="new_role"),
    path("roles/import/", roles.import_file, name="import_roles"),
    path("roles/<slug:code>/", roles.detail, name="role"),
    path("roles/<slug:code>/modification/", roles.edit, name="edit_role"),
    path("roles/<slug:code>/suppression/", roles.delete, name="delete_role"),
    path("services/", departments.listing, name="departments"),
    path("services/nouveau/", departments.new, name="new_department"),
    path("services/<uuid:pk>/", departments.edit, name="edit_department"),
    path("services/<uuid:pk>/suppression/", departments.delete, name="delete_department"),
    path("revues/", reviews.listing, name="reviews"),
    path("revues/nouvelle/", reviews.new, name="new_review"),
    path("revues/<uuid:pk>/", reviews.detail, name="review"),
    path("revues/<uuid:pk>/confirmation/", reviews.confirm_many, name="confirm_many"),
    path("revues/<uuid:pk>/cloture/", reviews.close, name="close_review"),
    path("revues/<uuid:pk>/<uuid:line_pk>/", reviews.decide, name="decide"),
]
