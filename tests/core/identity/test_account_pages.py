"""Pages of an account: what its holder may not change alone."""

from parvis.core.identity.models import Account


def test_nobody_gives_their_account_another_address(agent_client, juvignac):
    client = agent_client(juvignac, "lecteur")
    before = client.account.email
    for action in ("action_add", "action_primary"):
        answer = client.post("/compte/email/", {"email": "maire@ailleurs.test", action: ""})
        assert answer.status_code == 404
    assert Account.objects.get(pk=client.account.pk).email == before


def test_the_other_pages_of_an_account_are_there(agent_client, juvignac):
    client = agent_client(juvignac, "lecteur")
    for page in ("/compte/password/change/", "/mon-compte/securite/", "/compte/logout/"):
        assert client.get(page).status_code == 200, page
