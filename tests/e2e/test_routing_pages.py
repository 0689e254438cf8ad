"""The page of a failed step in a real browser, on a phone and on a desk."""

import pytest

from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.services import open_route
from tests.e2e.browser import PHONE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def failed(juvignac):
    with acting_for(juvignac):
        open_route(
            juvignac, kind="deliberation", title="Convention de gestion de services numériques communs",
            reference="19.07.01.05", facts={},
            step_codes=["actes.transmission", "actes.acquittement", "actes.publication", "archives.versement"],
            actor=Actor("system", "essai"),
        )  # fmt: skip
    return juvignac


def test_from_the_desk_to_the_failed_step_and_back_to_work(browser_page, agent_client, failed):
    page = browser_page(width=PHONE, client=agent_client(failed, "secretaire"), scripts=False)
    page.goto("/bureau/")
    page.get_by_role("link", name="Relancer").click()
    page.get_by_role("heading", name="Étape en échec : à transmettre").wait_for()
    page.get_by_role("button", name="Relancer l’étape").click()
    page.get_by_text("L’étape est de nouveau en échec").wait_for()
