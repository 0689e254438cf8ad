"""Messages about an account name somebody whom its holder can really reach."""

import pytest

from parvis.core.authentication.notices import NOTICES
from parvis.core.identity.models import Account

FACTS = {"when": "aujourd’hui"}
WHO = {"usager": "mairie", "agent": "administre votre organisation", "exploitation": "exploitants de la plateforme"}


@pytest.mark.parametrize("population", WHO)
@pytest.mark.parametrize("kind", ["device", "password", "factor.added", "closed", "franceconnect.linked"])
def test_a_message_sends_people_to_somebody_they_have(kind, population):
    text = NOTICES[kind][1](Account(given_name="X", family_name="Y", population=population), FACTS)
    assert [who for who in WHO.values() if who in text] == [WHO[population]]
