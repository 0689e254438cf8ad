from django.urls import path

from parvis.edemat.seances.views import members, planning, sitting

app_name = "seances"
urlpatterns = [
    path("", planning.seances, name="list"),
    path("nouvelle/", planning.create, name="create"),
    path("<uuid:pk>/", planning.detail, name="detail"),
    path("<uuid:pk>/modifier/", planning.edit, name="edit"),
    path("<uuid:pk>/points/nouveau/", planning.new_point, name="new_point"),
    path("points/<uuid:pk>/", planning.edit_point, name="edit_point"),
    path("points/<uuid:pk>/annexes/", planning.attach_annexe, name="attach_annexe"),
    path("<uuid:pk>/convoquer/", planning.confirm_convocation, name="convoke"),
    path("<uuid:pk>/preuves/", members.evidence, name="evidence"),
    path("<uuid:pk>/preuves/horodater/", members.stamp_again, name="stamp_again"),
    path("<uuid:pk>/ma-convocation/", members.my_convocation, name="my_convocation"),
    path("convocations/<uuid:pk>/renvoyer/", members.send_again, name="resend"),
    path("convocations/<uuid:pk>/remettre/", members.hand_on_paper, name="handed"),
    path("<uuid:pk>/presences/", sitting.save_presences, name="presences"),
    path("<uuid:pk>/quorum/", sitting.preview_quorum, name="quorum"),
    path("<uuid:pk>/bureau/", sitting.name_officers, name="officers"),
    path("<uuid:pk>/ouvrir/", sitting.open_sitting, name="open"),
    path("<uuid:pk>/urgence/", sitting.settle_urgency, name="urgency"),
    path("points/<uuid:pk>/vote/", sitting.save_vote, name="vote"),
    path("points/<uuid:pk>/renvoi/", sitting.put_off, name="postpone"),
    path("<uuid:pk>/lever/", sitting.end_sitting, name="rise"),
    path("<uuid:pk>/deliberations/", sitting.establish_all, name="establish"),
    path("deliberations/<uuid:pk>/signature/", sitting.to_signature, name="to_signature"),
]
