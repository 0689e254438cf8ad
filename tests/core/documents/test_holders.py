"""Who opens which document: the permission of the service that holds it, else it answers like a missing one."""

import pytest
from django.apps import apps

from parvis.core import clock
from parvis.core.documents import holders, services
from parvis.core.documents.models import Document
from parvis.core.identity.roles import ROLES
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route
from parvis.core.routing.services import attach
from tests.core.documents.test_pdf import make

pytestmark = pytest.mark.django_db

EVERYBODY = frozenset(ROLES) & {"secretaire", "dgs", "maire", "elu", "archiviste", "administrateur", "lecteur"}
AGENTS = EVERYBODY - {"elu"}
READERS = {
    "convocation": EVERYBODY - {"archiviste"},
    "convocation_ics": EVERYBODY - {"archiviste"},
    "convocation_preuve": EVERYBODY - {"archiviste"},
    "convocation_jeton": EVERYBODY - {"archiviste"},
    "original": EVERYBODY,
    "annexe": EVERYBODY,
    "signe": EVERYBODY,
    "rapport_validation": AGENTS,
    "enveloppe": AGENTS,
    "acte_xml": AGENTS,
    "ar": AGENTS,
    "courrier": AGENTS,
    "tamponne": AGENTS,
    "annexe_tamponnee": AGENTS,
    "bordereau": AGENTS,
    "certificat_executoire": AGENTS,
    "sip": AGENTS,
    "transfer": AGENTS,
    "atr": AGENTS,
    "journal": AGENTS,
    "role-inconnu": frozenset(),
}


@pytest.fixture
def route(juvignac):
    with acting_for(juvignac):
        return Route.objects.create(
            organisation=juvignac, kind="deliberation", title="Essai", reference="1", created_at=clock.now()
        )


PICTURED = {"original", "rapport_validation", "role-inconnu"}  # a picture takes time to draw


def opens(client, document, *, pictured: bool = True) -> bool:
    """Whether every address of the document answers; all answer alike."""
    address = f"/o/{document.organisation.slug}/documents/{document.pk}/"
    paths = ["", "empreinte/", *(["pages/1/?largeur=160"] if pictured else [])]
    statuses = {client.get(address + path).status_code for path in paths}
    assert statuses in ({200}, {404})
    return statuses == {200}


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_each_role_opens_what_its_services_hold(juvignac, route, agent_client, who):
    client = agent_client(juvignac, who)
    found = {}
    for role in READERS:
        with acting_for(juvignac):
            document = services.store(juvignac, make(), f"{role}.pdf")
            attach(route, role, document, role)
        found[role] = opens(client, document, pictured=role in PICTURED)
    assert found == {role: who in readers for role, readers in READERS.items()}


def test_a_document_held_by_nobody_answers_like_a_missing_one(juvignac, agent_client):
    with acting_for(juvignac):
        document = services.store(juvignac, make(), "perdu.pdf")
    client = agent_client(juvignac, "secretaire")
    missing = client.get("/o/juvignac/documents/0197c0de-0000-7000-8000-000000000000/")
    answer = client.get(f"/o/juvignac/documents/{document.pk}/")
    assert (answer.status_code, answer.content) == (missing.status_code, missing.content)
    assert answer.status_code == 404


def test_a_published_document_is_everybodys(juvignac, agent_client):
    with acting_for(juvignac):
        document = services.store(juvignac, make(), "public.pdf")
        services.publish(document)
    assert opens(agent_client(juvignac, "elu"), document)


def test_a_derived_document_follows_its_source_unless_it_is_held(juvignac, route, agent_client):
    with acting_for(juvignac):
        original = services.store(juvignac, make(), "a.pdf")
        attach(route, "original", original, "Original")
        copy = services.store(juvignac, make(), "b.pdf", source=original, derivation="copie")
        again = services.store(juvignac, make(), "c.pdf", source=copy, derivation="copie")
        slip = services.store(juvignac, make(), "d.pdf", source=original, derivation="bordereau")
        attach(route, "bordereau", slip, "Bordereau")
    elu, clerk = agent_client(juvignac, "elu"), agent_client(juvignac, "secretaire")
    assert [opens(elu, one) for one in (original, copy, again, slip)] == [True, True, True, False]
    assert opens(clerk, slip)


def test_every_column_that_holds_documents_says_who_opens_them():
    declared = {(h.model.lower(), h.column) for h in holders._holdings}
    columns = {
        (model._meta.label_lower, column.name)
        for model in apps.get_models()
        if model is not Document
        for column in model._meta.concrete_fields
        if column.related_model is Document
    }
    assert columns <= declared, columns - declared
