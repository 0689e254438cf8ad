"""Services: a tree without loops, and heads who administer their own people and nobody else."""

import pytest

from parvis.core.identity.models import Mandate
from parvis.core.organisations.models import Department, Invitation
from parvis.core.organisations.tenancy import acting_for
from tests.core.organisations.conftest import BASE, invitation_form

pytestmark = pytest.mark.django_db


def test_a_service_is_made_moved_and_removed(administrator, juvignac):
    for name in ("Population", "État civil"):
        administrator.post(f"{BASE}services/nouveau/", {"name": name, "parent": "", "head": ""})
    with acting_for(juvignac):
        above, under = Department.objects.get(name="Population"), Department.objects.get(name="État civil")
    administrator.post(f"{BASE}services/{under.pk}/", {"name": "État civil", "parent": str(above.pk), "head": ""})
    page = administrator.get(f"{BASE}services/").content.decode()
    assert "rattaché à Population" in page
    loop = administrator.post(f"{BASE}services/{above.pk}/", {"name": "Population", "parent": str(under.pk)})
    assert "ne peut pas être rattaché" in loop.content.decode()
    kept = administrator.post(f"{BASE}services/{above.pk}/suppression/", follow=True).content.decode()
    assert "rattachez-les d’abord ailleurs" in kept
    administrator.post(f"{BASE}services/{under.pk}/suppression/")
    with acting_for(juvignac):
        assert [d.name for d in Department.objects.all()] == ["Population"]


def test_nobody_names_themselves_head(administrator, juvignac):
    form = {"name": "Finances", "parent": "", "head": str(administrator.account.pk)}
    assert "Personne ne se nomme" in administrator.post(f"{BASE}services/nouveau/", form).content.decode()


def test_a_neighbours_service_is_missing(administrator, fabregues):
    with acting_for(fabregues):
        theirs = Department.objects.create(organisation=fabregues, name="Secret")
    for action in ("", "suppression/"):
        assert administrator.get(f"{BASE}services/{theirs.pk}/{action}").status_code == 404
        assert administrator.post(f"{BASE}services/{theirs.pk}/{action}", {"name": "x"}).status_code == 404


def test_a_head_sees_and_manages_the_people_of_their_service_only(service_head, juvignac, account_for, mandate_of):
    elsewhere = account_for(juvignac, "elu", given_name="Élu", family_name="Dailleurs")
    page = service_head.get(f"{BASE}personnes/").content.decode()
    assert "Sacha Guichet" in page
    assert "Dailleurs" not in page
    assert service_head.get(f"{BASE}personnes/{elsewhere.pk}/").status_code == 404
    assert service_head.post(f"{BASE}personnes/{elsewhere.pk}/acces/", {"sens": "suspendre"}).status_code == 404
    assert service_head.post(f"{BASE}personnes/{mandate_of(juvignac, elsewhere).pk}/fin/").status_code == 404
    assert service_head.get(f"{BASE}roles/elu/").content.decode().count("Dailleurs") == 0
    service_head.post(f"{BASE}personnes/{service_head.agent_mandate.pk}/fin/")
    with acting_for(juvignac):
        assert Mandate.objects.get(pk=service_head.agent_mandate.pk).end is not None


def test_services_under_the_heads_own_are_theirs_too(service_head, juvignac):
    with acting_for(juvignac):
        below = Department.objects.create(organisation=juvignac, name="Guichet", parent=service_head.department)
        Mandate.objects.filter(pk=service_head.agent_mandate.pk).update(department=below)
    assert service_head.get(f"{BASE}personnes/{service_head.agent.pk}/").status_code == 200


@pytest.mark.parametrize("role", ["administrateur", "maire", "secretaire", "chef_service", "dpo"])
def test_a_head_gives_no_role_above_their_rights(service_head, juvignac, role):
    form = invitation_form(role=role, department=str(service_head.department.pk))
    assert service_head.post(f"{BASE}personnes/nouvelle/", form).status_code == 200
    with acting_for(juvignac):
        assert not Invitation.objects.exists()


def test_a_head_gives_what_is_delegated_in_their_own_service(service_head, juvignac, own_role):
    own_role(juvignac, "Guichet", {"actes.publier"}, heads_may_give=True)
    with acting_for(juvignac):
        other = Department.objects.create(organisation=juvignac, name="Finances")
    for department in ("", str(other.pk)):
        assert service_head.post(
            f"{BASE}personnes/nouvelle/", invitation_form(role="guichet", department=department)
        ).status_code == 200  # fmt: skip
    form = invitation_form(role="guichet", department=str(service_head.department.pk))
    assert service_head.post(f"{BASE}personnes/nouvelle/", form).status_code == 302


@pytest.mark.parametrize("page", ["roles/nouveau/", "services/", "personnes/imports/", "identite/", "revues/nouvelle/"])
def test_what_concerns_the_whole_organisation_is_not_a_heads(service_head, page):
    assert service_head.get(BASE + page).status_code == 403
    assert service_head.post(BASE + page).status_code in (403, 405)
