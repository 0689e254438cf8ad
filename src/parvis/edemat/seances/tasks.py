"""Background jobs of meetings: one message per member, one token per statement, one document per deliberation."""

from procrastinate.contrib.django import app

from parvis.core import clock
from parvis.core.errors import DomainError
from parvis.core.jobs import job, labelled
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for


class TryAgain(DomainError):
    """The outside did not answer: the job is run again later."""


@job(queue="seances", in_transaction=False, label="Envoi d’une convocation")
def send_convocation(organisation_id: int, *, convocation_id: str) -> None:
    """Send one member's convocation; what happened is committed before the job asks to be run again."""
    from parvis.edemat.seances.services.convening import hand_to_relay  # services enqueue these jobs

    with acting_for(organisation_id):
        reason = hand_to_relay(convocation_id)
    if reason:
        raise TryAgain(reason, convocation=convocation_id)


@job(queue="seances", in_transaction=False, label="Envoi d’un avis aux membres")
def send_notice(organisation_id: int, *, avis_id: str) -> None:
    """Send one member what changes after the convocation."""
    from parvis.edemat.seances.services.notices import hand_notice_to_relay

    with acting_for(organisation_id):
        reason = hand_notice_to_relay(avis_id)
    if reason:
        raise TryAgain(reason, avis=avis_id)


@job(queue="seances", in_transaction=False, label="Horodatage d’une preuve d’envoi")
def stamp_statement(organisation_id: int, *, preuve_id: str) -> None:
    """Time-stamp a statement, again and again until an authority answers."""
    from parvis.edemat.seances.services.evidence import stamp

    if not stamp(organisation_id, preuve_id):
        raise TryAgain("Aucun service d’horodatage ne répond.", preuve=preuve_id)


def _establishment_exhausted(organisation_id: int, error: Exception, *, deliberation_id: str, **actor: str) -> None:
    from parvis.edemat.seances.services.deliberations import interrupt_establishment

    with acting_for(organisation_id):
        interrupt_establishment(deliberation_id)


@job(queue="seances", retry=3, label="Établissement d’une délibération", exhausted=_establishment_exhausted)
def establish_deliberation(organisation_id: int, *, deliberation_id: str, actor_kind: str, actor_id: str) -> None:
    """Compose one deliberation and run its checks, which reads its annexes."""
    from parvis.edemat.seances.services.deliberations import establish_asked

    establish_asked(deliberation_id, actor=Actor(actor_kind, actor_id))


@app.periodic(cron="5 * * * *")
@app.task(name="seances.terms", queue="maintenance", queueing_lock="seances.terms", pass_context=False)
@labelled("Fins de mandats dans les tableaux")
def follow_terms(timestamp: int = 0) -> None:
    """Every hour, the first one after midnight in Paris being the useful one: the tableaux that a term just left."""
    from parvis.edemat.seances.queries import bodies_with_holes

    for organisation in Organisation.objects.all():
        with acting_for(organisation):
            for organe in bodies_with_holes(clock.today()):
                close_ranks.enqueue(organisation, organe_id=str(organe.pk))


@job(queue="seances", label="Rangs du tableau après une fin de mandat")
def close_ranks(organisation_id: int, *, organe_id: str) -> None:
    """Close up the ranks of a body once a member's last day has passed."""
    from parvis.edemat.seances.models import Organe
    from parvis.edemat.seances.services import tableau

    tableau.close_ranks(Organe.objects.get(pk=organe_id))
