"""Profile page, events, export, namesakes, suspension, retention."""

import io
import json
import re
import uuid
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parvis.core.identity import contributions, duplicates, exporting, profile, retention, suspension
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account, AccountExport, Namesake, SecurityEvent
from parvis.core.journal.models import Entry
from parvis.core.organisations.mandates import MandateRefused
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for, identity_of
from tests.conftest import needs_shared
from tests.core.identity.life import browser_of, citizen, outbox  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return citizen()


# --- profile --------------------------------------------------------------------------------------------------
@needs_shared
def test_a_person_fills_their_profile_in(account):
    client = browser_of(account)
    given = {
        "nom_naissance": "Essai", "prenoms": "Camille, Andrée", "civilite": "madame", "sexe": "feminin",
        "naissance_date": "24/08/1962", "naissance_pays": "99100", "naissance_commune": "Montpellier",
        "telephone_mobile": "06 12 34 56 78", "adresse_voie": "2 rue de l’Aqueduc", "adresse_code_postal": "34990",
        "adresse_commune": "Juvignac",
    }  # fmt: skip
    assert client.post("/mon-compte/profil/", given).status_code == 302
    known = {name: a.value for name, a in profile.attributes_of(account).items()}
    assert known["naissance_date"] == {"text": "1962-08-24", "precision": "jour"}
    assert known["naissance_commune"] == "34172"
    assert known["telephone_mobile"] == "+33612345678"
    assert known["adresse"]["commune"] == "Juvignac"
    page = client.get("/mon-compte/").content.decode()
    assert "Montpellier (34172)" in page
    assert "24/08/1962" in page
    again = client.get("/mon-compte/profil/")
    data = {f.name: f.value() or "" for f in again.context["form"]}
    assert client.post("/mon-compte/profil/", data).status_code == 302  # what is shown can be sent back
    assert {name: a.value for name, a in profile.attributes_of(account).items()} == known


def test_a_forged_field_does_not_change_a_verified_value(account):
    profile.set_verified(account, "nom_naissance", "DUPONT", "franceconnect")
    client = browser_of(account)
    page = client.get("/mon-compte/profil/").content.decode()
    assert 'name="nom_naissance"' not in page
    assert "DUPONT" in page
    forged = {
        "nom_naissance": "Autre",
        "verified_at": "2019-01-01",
        "source": "agent",
        "is_platform_administrator": "1",
    }
    client.post("/mon-compte/profil/", {**forged, "nom_usage": "Martin"})
    known = profile.attributes_of(account)
    assert known["nom_naissance"].value == "DUPONT"
    assert known["nom_usage"].source == "declare"
    account.refresh_from_db()
    assert account.population == "usager"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nom_usage", "x" * 200), ("prenoms", "Léa\u200b"), ("naissance_date", "31/02/1962"),
        ("naissance_date", "hier"), ("telephone_mobile", "06 12"), ("adresse_voie", "rue sans commune"),
        ("sexe", "autre"), ("naissance_pays", "00000"), ("naissance_commune", "Nulle-Part"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_the_page(account, field, value):
    answer = browser_of(account).post("/mon-compte/profil/", {field: value})
    assert answer.status_code == 200
    assert "à corriger" in answer.content.decode()
    assert profile.attributes_of(account) == {}


def test_the_profile_works_without_the_official_lists(account, settings):
    settings.PARVIS_REFERENTIALS_DIR = None
    client = browser_of(account)
    assert "n’est pas installée" in client.get("/mon-compte/profil/").content.decode()
    client.post("/mon-compte/profil/", {"naissance_pays": "99100", "naissance_commune": "34172"})
    assert "34172 (code inconnu)" in client.get("/mon-compte/").content.decode()


# --- events ---------------------------------------------------------------------------------------------------
def test_a_person_reads_their_own_events_only(account):
    audit("user.login", account=account, method="password")
    other = citizen("autre@exemple.test")
    audit("user.mfa.enrol", account=other)
    page = browser_of(account).get("/mon-compte/evenements/").content.decode()
    assert "Connexion" in page
    assert "Second facteur ajouté" not in page
    for key in ("", "x", "2019-06-24.zz"):
        assert browser_of(account).get(f"/mon-compte/evenements/?apres={key}&avant={key}").status_code == 200


def test_an_administrator_does_not_read_other_peoples_events_as_their_own(agent_client, account_for, juvignac):
    client = agent_client(juvignac, "administrateur")
    audit("user.mfa.removal", account=account_for(juvignac, "secretaire"), organisation=juvignac)
    assert "Second facteur retiré" not in client.get("/mon-compte/evenements/").content.decode()


def test_events_are_kept_one_year_and_those_of_rights_three(account, frozen_clock):
    frozen_clock("2019-06-24T10:00+00:00")
    audit("user.login", account=account)
    audit("manager.role.membership.grant", account=account)
    audit("user.login.failure", outcome="failure")  # about nobody: no scope shows it, and it is forgotten too
    frozen_clock("2020-06-25T10:00+00:00")
    audit("user.logout", account=account)
    assert retention.forget()["events"] == 2
    with identity_of(account.pk):
        left = set(SecurityEvent.objects.values_list("event", flat=True))
    assert left == {"manager.role.membership.grant", "user.logout"}
    frozen_clock("2022-06-24T10:00+00:00")
    retention.forget()
    with identity_of(account.pk):
        assert not SecurityEvent.objects.exists()


# --- export ---------------------------------------------------------------------------------------------------
def test_the_export_holds_everything_and_nobody_else_reads_it(account, run_jobs, outbox):  # noqa: F811
    profile.declare(account, {"nom_naissance": "Essai", "telephone_mobile": "06 12 34 56 78"})
    client = browser_of(account)
    assert client.post("/mon-compte/donnees/").status_code == 302
    assert "en préparation" in client.get("/mon-compte/donnees/").content.decode()
    run_jobs()
    page = client.get("/mon-compte/donnees/").content.decode()
    with identity_of(account.pk):
        export = AccountExport.objects.get()
    path = f"/mon-compte/donnees/{export.pk}/compte.zip"
    assert path in page
    answer = client.get(path)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        data = json.loads(archive.read("mes-donnees.json"))
        text = archive.read("mes-donnees.html").decode()
    assert "+33612345678" in [line["valeur"] for line in data["profil"]]
    assert {c.code for c in contributions.contributions()} <= set(data)
    assert "Camille Essai" in text
    assert account.password not in json.dumps(data)
    assert outbox[-1].to == [account.email]
    other = browser_of(citizen("autre@exemple.test"))
    assert other.get(path).status_code == 404
    assert Client().get(path).status_code == 302
    assert client.get(f"/mon-compte/donnees/{uuid.uuid4()}/compte.zip").status_code == 404


def test_an_export_is_downloaded_with_a_fresh_proof_only(account, run_jobs, outbox):  # noqa: F811
    browser_of(account).post("/mon-compte/donnees/")
    run_jobs()
    with identity_of(account.pk):
        path = f"/mon-compte/donnees/{AccountExport.objects.get().pk}/compte.zip"
    stale = browser_of(account, proved=3600)
    assert stale.get(path)["Location"].startswith("/mon-compte/securite/confirmer/")
    assert stale.post("/mon-compte/donnees/").status_code == 303


def test_an_export_ends_after_seven_days(account, run_jobs, outbox, frozen_clock):  # noqa: F811
    frozen_clock("2019-06-24T10:00+00:00")
    exporting.ask(account)
    run_jobs()
    export = exporting.latest(account)
    assert exporting.archive_of(account, export.pk, "compte")
    frozen_clock("2019-07-01T10:00+00:00")
    assert exporting.latest(account) is None
    assert exporting.archive_of(account, export.pk, "compte") is None
    assert retention.forget()["exports"] == 1


def test_two_clicks_prepare_one_export(account):
    exporting.ask(account)
    with pytest.raises(exporting.ExportRefused):
        exporting.ask(account)


def test_another_package_adds_its_part(account, run_jobs, outbox, monkeypatch):  # noqa: F811
    monkeypatch.setattr(contributions, "_registered", dict(contributions._registered))
    contributions.register("demandes", "Demandes", lambda who: [{"objet": "Crèche", "compte": who.pk}])
    exporting.ask(account)
    run_jobs()
    assert exported(account, "compte")["demandes"] == [{"objet": "Crèche", "compte": account.pk}]


def exported(account, name):
    """What an archive of the present export says, None when there is no such archive."""
    content = exporting.archive_of(account, exporting.latest(account).pk, name)
    if content is None:
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read("mes-donnees.json"))


def test_each_organisation_has_an_archive_of_what_it_answers_for(account_for, juvignac, fabregues, run_jobs, outbox):  # noqa: F811
    agent = account_for(juvignac, "secretaire", email="partagee@mairies.test", title="Secrétaire")
    account_for(fabregues, "dgs", email="partagee@mairies.test", title="Directrice")
    audit("user.login", account=agent)
    audit("manager.access.suspension", account=agent, organisation=fabregues)
    exporting.ask(agent)
    run_jobs()
    ours, theirs = exported(agent, "organisation-juvignac"), exported(agent, "organisation-fabregues")
    assert [m["qualité"] for m in ours["mandats"]] == ["Secrétaire"]
    assert [m["qualité"] for m in theirs["mandats"]] == ["Directrice"]
    assert "evenements" not in ours
    assert len(theirs["evenements"]) == 1
    common = exported(agent, "compte")
    assert common["mandats"] == []
    assert fabregues.name not in json.dumps(common, ensure_ascii=False)
    assert exported(agent, "organisation-pignan") is None


# --- namesakes ------------------------------------------------------------------------------------------------
def person(email, given, family, born="", population="usager"):
    account = Account.objects.create_user(email, "x" * 20, given_name=given, family_name=family, population=population)
    if born:
        profile.declare(account, {"naissance_date": born})
    return account


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Camille Essai", "CAMILLE ESSAI", 1.0),
        ("Éléonore d’Exemple", "Eleonore D Exemple", 1.0),
        ("Camille Essai", "Camille Essay", 0.7),
        ("Camille Essai", "Dominique Autre", 0.0),
    ],
)
def test_names_are_compared_by_their_trigrams(one, other, alike):
    fold = duplicates.folded
    found = duplicates.similarity(duplicates.trigrams(fold(one)), duplicates.trigrams(fold(other)))
    assert found == pytest.approx(alike, abs=0.1)


def test_namesakes_are_noted_once_and_the_same_birth_date_counts():
    person("a@exemple.test", "Camille", "Essai", "1962-08-24")
    person("b@exemple.test", "Camille", "Essai")
    person("c@exemple.test", "Camille", "Essaidier", "1962-08-24")
    person("d@exemple.test", "Dominique", "Autre", "1962-08-24")
    duplicates.look_for()
    pairs = {(p.first.email[0] + p.second.email[0]): p for p in duplicates.pending()}
    assert set(pairs) == {"ab", "ac"}
    assert pairs["ac"].same_birth_date
    assert pairs["ac"].similarity < duplicates.THRESHOLD
    assert duplicates.look_for() == 0


def test_every_pair_above_the_threshold_is_found_by_the_prefix():
    import itertools

    given = ["Camille", "Camilla", "Kamille", "Dominique", "Dominica", "Jean-Pierre", "Jean Pierre", "Jeanne"]
    family = ["Essai", "Essay", "Lessai", "Dubois", "Dubosc"]
    people = [person(f"p{n}@exemple.test", *names) for n, names in enumerate(itertools.product(given, family))]
    duplicates.look_for()
    fold = duplicates.folded
    sets = {p.pk: duplicates.trigrams(fold(p.full_name)) for p in people}
    expected = {
        tuple(sorted(pair))
        for pair in itertools.combinations(sets, 2)
        if duplicates.similarity(sets[pair[0]], sets[pair[1]]) >= duplicates.THRESHOLD
    }
    assert expected
    assert set(Namesake.objects.values_list("first_id", "second_id")) == expected


def test_the_two_accounts_of_an_agent_are_no_namesakes():
    person("a@exemple.test", "Camille", "Essai")
    person("b@mairie.test", "Camille", "Essai", population="agent")
    duplicates.look_for()
    assert not Namesake.objects.exists()


def test_namesakes_are_shown_to_those_who_may_see_both(agent_client, account_for, juvignac, fabregues):
    twin = {"given_name": "Dominique", "family_name": "Jumeau"}
    account_for(juvignac, "secretaire", **twin)
    account_for(juvignac, "dgs", **twin)
    account_for(fabregues, "dgs", **twin)
    duplicates.look_for()
    assert Namesake.objects.count() == 3
    client = agent_client(juvignac, "administrateur")
    pairs = client.get("/o/juvignac/administration/comptes/").context["pairs"]
    assert [set(emails) for _, *emails in pairs] == [{"secretaire@juvignac.test", "dgs@juvignac.test"}]
    ours = pairs[0][0]
    foreign = Namesake.objects.exclude(pk=ours.pk).first()
    client.post(f"/o/juvignac/administration/comptes/doublons/{foreign.pk}/ecarter/")
    foreign.refresh_from_db()
    assert foreign.dismissed_at is None
    client.post(f"/o/juvignac/administration/comptes/doublons/{ours.pk}/ecarter/")
    assert client.get("/o/juvignac/administration/comptes/").context["pairs"] == []
    duplicates.look_for()
    assert duplicates.pending().count() == 2


def test_only_the_platform_sees_all_the_namesakes(agent_client, juvignac):
    person("a@exemple.test", "Camille", "Essai")
    person("b@exemple.test", "Camille", "Essai")
    duplicates.look_for()
    client = agent_client(juvignac, "administrateur")
    assert client.get("/plateforme/doublons/").status_code == 404
    Account.objects.filter(pk=client.account.pk).update(is_platform_administrator=True)
    page = client.get("/plateforme/doublons/")
    assert len(page.context["pairs"]) == 1
    pair, first, second = page.context["pairs"][0]
    assert {first, second} == {"a…@exemple.test", "b…@exemple.test"}
    assert client.post(f"/plateforme/doublons/{pair.pk}/ecarter/").status_code == 302
    assert not duplicates.pending().exists()


def test_an_agent_does_not_rename_themselves(account_for, juvignac):
    agent = account_for(juvignac, "secretaire")
    profile.declare(agent, {"prenoms": ["Jean-Luc"], "nom_naissance": "Savy"})
    agent.refresh_from_db()
    assert agent.full_name == "Camille Essai"
    profile.set_verified(agent, "nom_usage", "Vérifiée", "proconnect")
    assert agent.full_name == "Camille Vérifiée"


# --- suspension -----------------------------------------------------------------------------------------------
def test_an_administrator_suspends_and_reopens_an_account(agent_client, account_for, juvignac, run_jobs, outbox):  # noqa: F811
    administrator = agent_client(juvignac, "administrateur")
    agent = agent_client(juvignac, "secretaire")
    base = f"/o/juvignac/administration/comptes/{agent.account.pk}"
    assert administrator.get(f"{base}/suspendre/").status_code == 200
    administrator.post(f"{base}/suspendre/")
    assert agent.get("/mon-compte/").status_code == 302
    agent.account.refresh_from_db()
    assert agent.account.suspended_at is not None
    run_jobs()
    assert outbox[-1].to == [agent.account.email]
    with acting_for(juvignac):
        assert SecurityEvent.objects.filter(event="manager.user.deactivation", account=agent.account).exists()
    administrator.post(f"{base}/rouvrir/")
    agent.account.refresh_from_db()
    assert agent.account.suspended_at is None


def test_a_suspension_is_in_the_journal_of_the_organisation(account_for, juvignac):
    agent, administrator = account_for(juvignac, "secretaire"), account_for(juvignac, "administrateur")
    with acting_for(juvignac):
        suspension.suspend(agent, juvignac, by=administrator)
        suspension.reactivate(agent, juvignac, by=administrator)
        entries = Entry.objects.filter(subject_kind="compte", subject_id=str(agent.pk)).order_by("seq")
        assert [(e.action, e.actor_id) for e in entries] == [
            ("compte.suspendu", str(administrator.pk)),
            ("compte.rouvert", str(administrator.pk)),
        ]


def test_nobody_suspends_somebody_who_acts_elsewhere_nor_themselves(agent_client, account_for, juvignac, fabregues):
    administrator = agent_client(juvignac, "administrateur")
    shared = account_for(juvignac, "secretaire", email="partagee@mairies.test")
    account_for(fabregues, "dgs", email="partagee@mairies.test")
    for account in (shared, administrator.account):
        administrator.post(f"/o/juvignac/administration/comptes/{account.pk}/suspendre/")
        account.refresh_from_db()
        assert account.suspended_at is None


def test_the_last_administrator_is_not_suspended(account_for, juvignac):
    """As when two administrators suspend each other at once: the second one finds the first suspended."""
    first = account_for(juvignac, "administrateur")
    second = account_for(juvignac, "administrateur", email="seconde@juvignac.test")
    with acting_for(juvignac):
        suspension.suspend(first, juvignac, by=second)
        with pytest.raises(MandateRefused):
            suspension.suspend(second, juvignac, by=first)


def test_a_suspension_locks_the_organisation_before_the_account(account_for, juvignac):
    """Whoever gives a mandate holds the organisation when it refers to the account: the other way round they block."""
    first = account_for(juvignac, "administrateur")
    second = account_for(juvignac, "administrateur", email="seconde@juvignac.test")
    with acting_for(juvignac), CaptureQueriesContext(connection) as queries:
        suspension.suspend(first, juvignac, by=second)
    locks = [query["sql"] for query in queries if " FOR " in query["sql"] and "UPDATE" in query["sql"]]
    assert [re.search(r'FROM "?(\w+)', sql).group(1) for sql in locks][:2] == [
        Organisation._meta.db_table,
        Account._meta.db_table,
    ]


def test_an_administrator_of_another_organisation_sees_nobody(agent_client, account_for, juvignac, fabregues):
    agent = account_for(fabregues, "secretaire")
    administrator = agent_client(juvignac, "administrateur")
    for verb in ("suspendre", "rouvrir"):
        url = f"/o/juvignac/administration/comptes/{agent.pk}/{verb}/"
        assert administrator.get(url).status_code == administrator.post(url).status_code == 404
    agent.refresh_from_db()
    assert agent.suspended_at is None


def test_a_lecteur_does_not_suspend(agent_client, account_for, juvignac):
    agent = account_for(juvignac, "secretaire")
    client = agent_client(juvignac, "lecteur")
    assert client.post(f"/o/juvignac/administration/comptes/{agent.pk}/suspendre/").status_code == 403
