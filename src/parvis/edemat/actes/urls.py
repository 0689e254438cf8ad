"""Acts for agents, under ``/o/<organisation>/actes/``."""

from django.urls import path

from parvis.edemat.actes.views import acts, basket, correcting, depositing, letters, sending

app_name = "actes"

urlpatterns = [
    path("", acts.list_acts, name="list"),
    path("actes.<slug:extension>", acts.export, name="export"),
    path("deposer/", depositing.deposit, name="deposit"),
    path("deposer/numero/", depositing.number, name="number"),
    path("envois-incertains/", sending.uncertain_list, name="uncertain_list"),
    path("envois-incertains/<uuid:pk>/", sending.uncertain, name="uncertain"),
    path("banette/", basket.basket, name="basket"),
    path("banette/<uuid:pk>/", basket.message, name="message"),
    path("banette/<uuid:pk>/relire/", basket.replay, name="replay"),
    path("banette/<uuid:pk>/rattacher/", basket.attach, name="attach"),
    path("banette/<uuid:pk>/ecarter/", basket.set_aside, name="set_aside"),
    path("courriers/<uuid:pk>/lu/", letters.mark_read, name="mark_read"),
    path("courriers/<uuid:pk>/accuser/", letters.give_receipt, name="give_receipt"),
    path("courriers/<uuid:pk>/clore/", letters.close, name="close_letter"),
    path("courriers/<uuid:pk>/repondre/", letters.answer, name="answer"),
    path("reponses/<uuid:pk>/", letters.send_answer, name="send_answer"),
    path("reponses/<uuid:pk>/abandonner/", letters.drop_answer, name="drop_answer"),
    path("<uuid:pk>/", acts.detail, name="detail"),
    path("<uuid:pk>/corriger/", correcting.correct, name="correct"),
    path("<uuid:pk>/transmettre/", sending.transmit, name="transmit"),
    path("<uuid:pk>/demander-la-classification/", sending.ask_for_classification, name="request_classification"),
    path("<uuid:pk>/annuler/", sending.cancel, name="cancel"),
    path("<uuid:pk>/publier/", acts.publish, name="publish"),
    path("<uuid:pk>/notifier/", acts.notify, name="notify"),
    path("<uuid:pk>/retirer/", acts.withdraw, name="withdraw"),
]
