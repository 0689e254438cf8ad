"""From the end of a meeting to the signature of its deliberation, refused once: locks come in one order."""

import pytest

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.edemat.parapheur import services as parapheur
from parvis.edemat.parapheur.models import Dossier
from parvis.edemat.seances import services as seances
from parvis.edemat.seances.models import Deliberation
from tests.edemat.locks import watched
from tests.edemat.parapheur.conftest import _trust, dgs, maire, pki  # noqa: F401
from tests.edemat.seances.conftest import make_council  # noqa: F401
from tests.edemat.seances.council import ACTOR
from tests.edemat.test_refused_deliberation import REASON, _quiet  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def _by(account) -> Actor:
    return Actor("account", str(account.pk))


def test_a_deliberation_refused_then_signed(juvignac, make_council, dgs, maire, run_jobs):  # noqa: F811
    with acting_for(juvignac):
        council = make_council(juvignac, size=3, points=1)
        council.convoke()
        council.deliver()
        council.open(presents=3, powers=0)
    with watched() as watch:
        with acting_for(juvignac):
            council.rise()
        with acting_for(juvignac):
            seances.establish(Deliberation.objects.get(), actor=ACTOR)
        with acting_for(juvignac):
            seances.send_to_signature(Deliberation.objects.get(), actor=ACTOR)
        with acting_for(juvignac):
            one = Dossier.objects.get()
            parapheur.refuse(one.pk, account=dgs, motive=REASON, sha256=one.document.sha256, actor=_by(dgs))
        with acting_for(juvignac):
            seances.correct(Deliberation.objects.get(), dispositif="D’APPROUVER la somme de 10 euros", actor=ACTOR)
        with acting_for(juvignac):
            seances.send_back(Deliberation.objects.get(), actor=ACTOR)
        with acting_for(juvignac):
            two = Dossier.objects.get(state=Dossier.State.VISA)
            parapheur.endorse(two.pk, account=dgs, sha256=two.document.sha256, actor=_by(dgs))
        with acting_for(juvignac):
            parapheur.ask_signature(two.pk, account=maire, sha256=two.document.sha256, actor=_by(maire))
        run_jobs(queue="parapheur")
    with acting_for(juvignac):
        assert Dossier.objects.get(pk=two.pk).state == "signed"
    assert watch.faults == []
    assert {"seances_seance", "parapheur_dossier", "routing_route", "journal_head"} <= {*watch.taken}
