"""Deliberating bodies and their members."""

from datetime import date

from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.edemat.seances.formats.numerotation import render_number, reset_value
from parvis.edemat.seances.formats.regimes import regime_of_commune
from parvis.edemat.seances.models import Channel, Elu, Organe, OrganeRegime


def create_organe(
    organisation: Organisation,
    *,
    name: str,
    since: date,
    actor: Actor,
    regime: str = "",
    chair_title: str = "Maire",
    place: str = "",
    number_pattern: str = "#AA#.#MM#.#JJ#.#00#",
    reset_key: str = "#AA##MM##JJ#",
) -> Organe:
    """Create a body under its regime (by default that of a council of a commune of this population).

    Raises NumberRefused when the numbering pattern could never give a number the State accepts.
    """
    reset_value(reset_key, since)
    render_number(number_pattern, since, 1, 1)
    organe = Organe.objects.create(
        organisation=organisation,
        name=name,
        chair_title=chair_title,
        place=place,
        number_pattern=number_pattern,
        reset_key=reset_key,
    )
    code = regime or regime_of_commune(organisation.population or 0).code
    OrganeRegime.objects.create(organisation=organisation, organe=organe, code=code, since=since)
    record(
        organisation,
        "seances.organe_cree",
        subject=("organe", organe.pk),
        actor=actor,
        details={"regime": code},
    )
    return organe


def add_elu(
    organe: Organe,
    *,
    civility: str,
    family_name: str,
    term_start: date,
    actor: Actor,
    given_name: str = "",
    email: str = "",
    channel: str = Channel.DEMATERIALISE,
    function: str = "",
    group: str = "",
    account: Account | None = None,
    rank: int | None = None,
) -> Elu:
    """Add a member at the end of the tableau, or at `rank`."""
    last = organe.elus.order_by("-rank").values_list("rank", flat=True).first() or 0
    elu = Elu.objects.create(
        organisation=organe.organisation,
        organe=organe,
        civility=civility,
        given_name=given_name,
        family_name=family_name,
        function=function,
        group=group,
        email=email,
        channel=channel,
        account=account,
        rank=rank or last + 1,
        term_start=term_start,
    )
    record(organe.organisation, "seances.elu_ajoute", subject=("elu", elu.pk), actor=actor)
    return elu
