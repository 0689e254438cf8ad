"""The directory of an organisation: what is refused when it is proposed, who approves it, what ends with it."""

import pytest

from parvis.core.authentication.secrets import decrypt
from parvis.core.federation.models import Directory, DirectoryDomain
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from tests.core.authentication.test_resets import as_operator

pytestmark = pytest.mark.django_db
PAGE = "/o/juvignac/administration/annuaire/"


@pytest.fixture
def administrator(agent_client, juvignac):
    return agent_client(juvignac, "administrateur")


@pytest.fixture
def platform(db):
    return as_operator("exploitation@plateforme.test")


def of(organisation) -> Directory | None:
    with acting_for(organisation):
        return Directory.objects.filter(organisation=organisation).first()


def decide(platform, directory, **answer):
    page = platform.get(f"/plateforme/annuaires/{directory.pk}/")
    return platform.post(f"/plateforme/annuaires/{directory.pk}/", {"vu": page.context["seen"], **answer})


def said(answer) -> str:
    assert answer.status_code == 422, answer.status_code
    return answer.content.decode()


def test_proposed_by_the_organisation_then_approved_by_the_platform(administrator, platform, juvignac, proposal):
    answer = administrator.post(PAGE + "modifier/", proposal(state="en_service", approved_at="2020-01-01"))
    assert answer["Location"] == PAGE
    directory = of(juvignac)
    assert directory.state == "propose"  # a forged field changes nothing
    assert directory.domains == ["juvignac-essai.fr"]
    assert administrator.get(f"/plateforme/annuaires/{directory.pk}/").status_code == 404
    page = platform.get(f"/plateforme/annuaires/{directory.pk}/").content.decode()
    assert directory.issuer in page
    assert decide(platform, directory, decision="approuver")["Location"] == "/plateforme/annuaires/"
    assert of(juvignac).state == "en_service"
    with acting_for(juvignac):
        assert DirectoryDomain.objects.get().domain == "juvignac-essai.fr"
        actions = set(Entry.objects.filter(subject_kind="annuaire").values_list("action", flat=True))
    assert actions == {"federation.annuaire_propose", "federation.annuaire_approuve"}


def test_the_secret_is_sealed_and_never_shown(administrator, platform, juvignac, proposal, directory_server):
    administrator.post(PAGE + "modifier/", proposal())
    directory = of(juvignac)
    assert directory_server.secret not in directory.secret
    assert decrypt(directory.secret) == directory_server.secret
    shown = f"/plateforme/annuaires/{directory.pk}/"
    for client, address in ((administrator, PAGE), (administrator, PAGE + "modifier/"), (platform, shown)):
        page = client.get(address).content.decode()
        assert directory_server.secret not in page
        assert directory.secret not in page
    refused = administrator.post(PAGE + "modifier/", proposal(domains="gmail.com"))
    assert directory_server.secret not in said(refused)


def test_an_empty_secret_keeps_the_one_of_today(administrator, juvignac, proposal):
    administrator.post(PAGE + "modifier/", proposal())
    before = of(juvignac).secret
    administrator.post(PAGE + "modifier/", proposal(secret="", client_id="autre"))
    after = of(juvignac)
    assert (after.secret, after.client_id) == (before, "autre")


def test_what_is_in_force_changes_at_the_approval_only(administrator, platform, juvignac, proposal):
    administrator.post(PAGE + "modifier/", proposal())
    decide(platform, of(juvignac), decision="approuver")
    administrator.post(PAGE + "modifier/", proposal(secret="", domains="juvignac-essai.fr\nccas-essai.fr"))
    directory = of(juvignac)
    assert directory.domains == ["juvignac-essai.fr"]
    assert directory.standing == "modification à approuver"
    stale = platform.post(f"/plateforme/annuaires/{directory.pk}/", {"vu": "0" * 64, "decision": "approuver"})
    assert stale.status_code == 409
    decide(platform, directory, decision="refuser", reason="Domaine inconnu.")
    assert of(juvignac).domains == ["juvignac-essai.fr"]
    assert "Domaine inconnu." in administrator.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("issuer", "http://annuaire.exemple.fr", "doit commencer par « https:// »"),
        ("issuer", "https://annuaire.exemple.fr/?a=b", "s’écrit sans « ? »"),
        ("domains", "gmail.com", "N’importe qui peut ouvrir une adresse"),
        ("domains", "pas un domaine", "n’est pas un nom de domaine"),
        ("id_claim", "email", "Choisissez celui qui ne change jamais"),
        ("id_claim", "un attribut", "Un nom d’attribut est attendu"),
        ("factor_claim", "acr", "ou ni l’un ni l’autre"),
        ("client_id", "é", "ni espace ni accent"),
        ("algorithm", "HS256", "Sélectionnez un choix valide"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(administrator, juvignac, proposal, field, value, sentence):
    assert sentence in said(administrator.post(PAGE + "modifier/", proposal(**{field: value})))
    assert of(juvignac) is None


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"iss_discovery": True}, "Cet annuaire se nomme"),
        ({"down": True}, "a répondu 503"),
        ({"discovery": {"token_endpoint": "https://ailleurs.exemple.fr/token"}}, "mène à un autre serveur"),
        ({"discovery": {"response_types_supported": ["id_token"]}}, "connexion par code"),
        ({"discovery": {"grant_types_supported": ["implicit"]}}, "connexion par code"),
        ({"discovery": {"id_token_signing_alg_values_supported": ["HS256", "none"]}}, "pas de signature en RS256"),
        ({"discovery": {"token_endpoint_auth_methods_supported": ["none"]}}, "client_secret_post"),
    ],
)
def test_what_the_directory_announces_is_judged(
    administrator, juvignac, proposal, directory_server, fault, sentence
):  # fmt: skip
    directory_server.fault(**fault)
    assert sentence in said(administrator.post(PAGE + "modifier/", proposal()))
    assert of(juvignac) is None


def test_our_own_network_is_never_asked_outside_a_demo(administrator, proposal, settings, directory_server):
    before = dict(directory_server.counts)
    settings.DEMO = False
    page = said(administrator.post(PAGE + "modifier/", proposal()))
    assert "nom de domaine complet" in page
    inside = proposal(issuer="https://localhost.localdomain")
    assert "n’a pas pu être consulté" in said(administrator.post(PAGE + "modifier/", inside))
    assert dict(directory_server.counts) == before


def test_a_name_that_leads_to_a_private_address_is_not_called(administrator, proposal, monkeypatch):
    import socket

    told = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    with monkeypatch.context() as names:
        names.setattr("parvis.core.provider.outgoing.socket.getaddrinfo", lambda *a, **k: told)
        page = said(administrator.post(PAGE + "modifier/", proposal(issuer="https://annuaire.exemple.fr")))
    assert "n’est pas publique" in page


def test_a_domain_and_an_issuer_belong_to_one_organisation(
    administrator, platform, agent_client, juvignac, fabregues, proposal
):
    neighbour = agent_client(fabregues, "administrateur")
    theirs = "/o/fabregues/administration/annuaire/modifier/"
    assert neighbour.post(theirs, proposal(domains="fabregues-essai.fr")).status_code == 302  # proposed before
    administrator.post(PAGE + "modifier/", proposal())
    decide(platform, of(juvignac), decision="approuver")
    assert "déjà celui d’une autre organisation" in said(neighbour.post(theirs, proposal()))
    answer = decide(platform, of(fabregues), decision="approuver")
    assert answer.status_code == 409
    assert "Cet émetteur est déjà celui" in answer.content.decode()
    assert of(fabregues).state == "propose"


def test_the_issuer_and_the_identifier_of_an_approved_directory_never_change(
    administrator, platform, juvignac, proposal
):
    administrator.post(PAGE + "modifier/", proposal())
    decide(platform, of(juvignac), decision="approuver")
    assert "ne changent plus" in said(administrator.post(PAGE + "modifier/", proposal(secret="", id_claim="sub")))


def test_nobody_but_the_administration_reaches_the_pages(agent_client, fabregues, juvignac):
    assert agent_client(juvignac, "lecteur").get(PAGE).status_code == 403
    assert agent_client(fabregues, "administrateur").get(PAGE).status_code == 404
