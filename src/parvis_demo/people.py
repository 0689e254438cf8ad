"""Installs the territory, the invented people, their second factor, the signing certificate and the nomenclature."""

from datetime import timedelta
from pathlib import Path

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command

from parvis.core import clock
from parvis.core.identity.models import Account, Mandate
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.trust import certificates
from parvis.edemat.actes.services.classification import request_classification
from parvis.edemat.actes.services.preparation import settings_of
from parvis_demo import looks, story
from parvis_demo.stage import Stage

TERRITORY = Path(__file__).with_name("territory.csv")


def install(stage: Stage, calendar: story.Calendar) -> tuple[Organisation, dict[str, Account]]:
    """Everything that must be there before the story; returns Juvignac and its people by role."""
    call_command("load_territory", TERRITORY)
    looks.dress("metropole", "juvignac", "fabregues")
    organisation = Organisation.objects.get(slug="juvignac")
    since = calendar.meeting_day - timedelta(days=5 * 365)
    people = {}
    for person in story.PEOPLE:
        account = Account.objects.create_user(
            person.email,
            story.PASSWORD,
            given_name=person.given_name,
            family_name=person.family_name,
            email_verified_at=clock.now(),
        )
        if not person.role:
            continue
        TOTP.activate(account, story.TOTP_SECRET)
        RecoveryCodes.activate(account)
        with acting_for(organisation):
            Mandate.objects.create(
                organisation=organisation, account=account, role=person.role, title=person.title, start=since
            )
        people[person.role] = account
    signer = stage.facts["signers"][0]
    with acting_for(organisation):
        certificates.enrol_pkcs12(
            organisation, Path(signer["pkcs12"]).read_bytes(), signer["password"], account=people["maire"]
        )
        chosen = settings_of(organisation)
        chosen.return_address = stage.facts["mailbox"]
        chosen.referent_name = "Secrétariat général (fictif)"
        chosen.referent_email = story.PEOPLE[0].email
        chosen.save()
        request_classification(organisation, actor=Actor("account", str(people["secretaire"].pk)))
    return organisation, people
