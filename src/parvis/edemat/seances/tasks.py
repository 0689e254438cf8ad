"""Background jobs of meetings: one message per member, one token per statement."""

from parvis.core.errors import DomainError
from parvis.core.jobs import job
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


@job(queue="seances", label="Horodatage d’une preuve d’envoi")
def stamp_statement(organisation_id: int, *, preuve_id: str) -> None:
    """Time-stamp a statement, again and again until an authority answers."""
    from parvis.edemat.seances.models import Preuve
    from parvis.edemat.seances.services.evidence import stamp

    if not stamp(Preuve.objects.get(pk=preuve_id)):
        raise TryAgain("Aucun service d’horodatage ne répond.", preuve=preuve_id)
