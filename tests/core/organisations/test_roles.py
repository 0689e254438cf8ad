"""Own roles: composed within one's rights, given, changed, deleted only when never given, imported by name."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from parvis.core.identity.models import Account, Mandate, SecurityEvent
from parvis.core.identity.roles import ROLES, all_permissions
from parvis.core.journal.models import Entry
from parvis.core.organisations import own_roles
from parvis.core.organisations.models import Role
from parvis.core.organisations.tenancy import acting_for
from tests.conftest import needs_shared
from tests.core.organisations.conftest import BASE

pytestmark = pytest.mark.django_db


def form(**changes):
    return {"label": "Accueil", "description": "Au guichet", "permissions": ["actes.lire"], **changes}


def test_every_permission_of_a_role_has_a_french_name():
    held = frozenset().union(*(permissions for _, permissions in ROLES.values()))
    assert held <= all_permissions()


def test_a_role_is_composed_shown_and_traced(administrator, juvignac):
    page = administrator.post(f"{BASE}roles/nouveau/", form(), follow=True).content.decode()
    assert "Consulter les actes" in page
    with acting_for(juvignac):
        role = Role.objects.get()
        assert (role.slug, role.permissions) == ("accueil", ["actes.lire"])
        assert Entry.objects.get(action="role.cree").subject_id == str(role.pk)
        assert SecurityEvent.objects.get(event="manager.role.creation").organisation == juvignac


def test_a_role_named_like_another_is_refused(administrator, own_role, juvignac):
    own_role(juvignac, "Accueil", set())
    for label in ("ACCUEIL", "Maire ou président"):
        assert (
            "Un rôle s’appelle déjà" in administrator.post(f"{BASE}roles/nouveau/", form(label=label)).content.decode()
        )


@pytest.mark.parametrize("forged", ["administration.taches", "n.existe.pas", "administration.organisation"])
def test_a_right_one_does_not_hold_is_not_composed_by_a_forged_field(juvignac, agent_client, own_role, forged):
    """An administrator without the right on jobs; the last case holds the right and is the control."""
    role = own_role(juvignac, "Adjoint", {"administration.organisation", "administration.personnes"})
    account = Account.objects.create_user("adjoint@juvignac.test", given_name="A", family_name="A")
    with acting_for(juvignac):
        Mandate.objects.create(organisation=juvignac, account=account, own_role=role, start="2019-01-01")
    client = agent_client(juvignac, "elu", email="adjoint@juvignac.test")
    answer = client.post(f"{BASE}roles/nouveau/", form(permissions=[forged]))
    with acting_for(juvignac):
        made = Role.objects.filter(label="Accueil").exists()
    assert made == (forged == "administration.organisation"), answer.content.decode()


def test_nobody_composes_above_their_rights_even_past_the_form(juvignac, account_for, authority):
    account = account_for(juvignac, "chef_service")
    with acting_for(juvignac), pytest.raises(own_roles.RoleRefused, match="droit d’administration"):
        own_roles.compose("Piège", ["administration.organisation"], by=authority(juvignac, account))


def test_nobody_changes_a_role_they_hold(juvignac, agent_client, own_role):
    role = own_role(juvignac, "Adjoint", {"administration.organisation", "habilitations.lire"})
    client = agent_client(juvignac, "elu")
    with acting_for(juvignac):
        Mandate.objects.create(organisation=juvignac, account=client.account, own_role=role, start="2019-01-01")
    page = client.post(f"{BASE}roles/adjoint/modification/", form(label="Adjoint", permissions=["parapheur.signer"]))
    assert "Vous tenez ce rôle" in page.content.decode()
    with acting_for(juvignac):
        assert "parapheur.signer" not in Role.objects.get().permissions


def test_changing_a_role_cannot_remove_the_last_administrator(juvignac, account_for, own_role, authority):
    role = own_role(juvignac, "Adjoint", {"administration.organisation", "administration.personnes"})
    holder = Account.objects.create_user("seul@juvignac.test", given_name="S", family_name="S")
    boss = account_for(juvignac, "administrateur")
    with acting_for(juvignac):
        Mandate.objects.create(organisation=juvignac, account=holder, own_role=role, start="2019-01-01")
        by = authority(juvignac, boss)
        Mandate.objects.filter(account=boss).update(end="2019-01-01")
        with pytest.raises(Exception, match="dernier mandat d’administration"):
            own_roles.edit(role, label="Adjoint", permissions=["actes.lire"], by=by)


def test_a_role_that_was_given_is_not_deleted(administrator, juvignac, own_role, account_for):
    role = own_role(juvignac, "Accueil", set())
    with acting_for(juvignac):
        Mandate.objects.create(
            organisation=juvignac, account=account_for(juvignac, "elu"), own_role=role, start="2019-01-01"
        )
    page = administrator.post(f"{BASE}roles/accueil/suppression/", follow=True).content.decode()
    assert "Ce rôle a été donné" in page
    with acting_for(juvignac):
        Mandate.objects.filter(own_role=role).delete()
    administrator.post(f"{BASE}roles/accueil/suppression/")
    with acting_for(juvignac):
        assert not Role.objects.exists()


@pytest.mark.parametrize("action", ["", "modification/", "suppression/"])
def test_a_neighbours_role_is_missing(administrator, fabregues, own_role, action):
    own_role(fabregues, "Secret", {"actes.lire"})
    assert administrator.get(f"{BASE}roles/secret/{action}").status_code == 404
    assert administrator.post(f"{BASE}roles/secret/{action}", form()).status_code in (404, 405)
    with acting_for(fabregues):
        assert Role.objects.get().label == "Secret"


def test_the_data_protection_officer_sees_who_holds_a_role(juvignac, agent_client, account_for):
    account_for(juvignac, "maire", given_name="Alix", family_name="Exemple")
    officer = agent_client(juvignac, "dpo")
    page = officer.get(f"{BASE}roles/maire/").content.decode()
    assert "Alix Exemple" in page
    assert "Signer" in page
    assert officer.get(f"{BASE}roles/nouveau/").status_code == 403
    assert officer.get(f"{BASE}personnes/nouvelle/").status_code == 403


@needs_shared
def test_a_publik_export_brings_labels_and_no_right(administrator, juvignac, shared_dir):
    content = (shared_dir / "samples/e-services/imio/roles/roles.json").read_bytes()
    expected = {role["name"] for role in json.loads(content)["roles"]}
    for round_ in range(2):
        file = SimpleUploadedFile("roles.json", content, "application/json")
        page = administrator.post(f"{BASE}roles/import/", {"file": file}, follow=True).content.decode()
        assert ("0 rôles créés" in page) == (round_ == 1)
    with acting_for(juvignac):
        assert {" ".join(n.split()) for n in expected} == set(Role.objects.values_list("label", flat=True))
        assert all(role.permissions == [] for role in Role.objects.all())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "export de rôles"),
        (b"\xff\xfe\x00", "export de rôles"),
        (b"[1, 2]", "export de rôles"),
        (b'{"roles": {"a": 1}}', "export de rôles"),
        (b"[" * 200_000, "export de rôles"),
        (b'{"roles": [{"slug": "x"}]}', "n’a pas de nom"),
        (b'{"roles": [{"name": "' + b"x" * 200 + b'"}]}', "120 caractères"),
        (b'{"roles": [' + b'{"name":"a"},' * 600 + b'{"name":"a"}]}', "plus de 500"),
        (b" " * 600_000, "512 Ko"),
    ],
)
def test_a_bad_role_file_is_refused_in_words(content, sentence):
    with pytest.raises(own_roles.RoleRefused, match=sentence):
        own_roles.read_publik(content)
