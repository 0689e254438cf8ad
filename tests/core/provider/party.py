"""A site that logs its users in through Parvis, as the tests play it."""

import base64
import hashlib
import secrets
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from django.test import Client as Browser

from parvis.core.journal.services import Actor

ISSUER = "http://testserver"
BACK = "https://site.juvignac.test/retour"
ACTOR = Actor("system", "test")


def registration(**changes):
    """Values of a registration, as the form gives them: every claim of its scopes unless told otherwise."""
    from parvis.core.provider.claims import choices

    values = {
        "name": "Site de Juvignac",
        "description": "Le site de la commune",
        "logo_id": None,
        "home_url": "https://site.juvignac.test/",
        "contact": "webmestre@juvignac.test",
        "relation": "propre",
        "type": "confidential",
        "authentication": "secret",
        "jwks": None,
        "jwks_uri": "",
        "redirect_uris": [BACK],
        "post_logout_uris": ["https://site.juvignac.test/au-revoir"],
        "backchannel_logout_url": "",
        "scopes": ["openid", "profile", "email"],
        "agreement": "dispense",
        "acr": "",
        "populations": ["agent", "usager"],
        "members_only": False,
        "roles": [],
        "access_lifetime": 300,
        "id_lifetime": 300,
        "refresh_lifetime": 28800,
        **changes,
    }
    return {"claims": list(choices(values["scopes"])), **values}


class Site:
    """A relying party: what it registered, and how it calls the provider."""

    def __init__(self, service, secret):
        self.service, self.secret, self.client_id = service, secret, service.client_id
        self.redirect_uri, self.verifier = service.redirect_uris[0], ""
        self.http = Browser()

    def question(self, **changes):
        """Parameters of an authorization request; None takes one away. Keeps the verifier, state and nonce."""
        self.verifier, self.state, self.nonce = (secrets.token_urlsafe(40) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.service.scopes),
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {k: v for k, v in asked.items() if v is not None}

    def ask(self, browser, **changes):
        return browser.get("/identite/o/authorize?" + urlencode(self.question(**changes)))

    def code(self, browser, **changes):
        answer = self.ask(browser, **changes)
        found = answered(answer)
        assert "code" in found, (answer.status_code, found, answer.content[:500])
        assert found["state"] == self.state
        return found["code"]

    def exchange(self, code, **changes):
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.post("token", fields)

    def refresh(self, token, **changes):
        return self.post("token", {"grant_type": "refresh_token", "refresh_token": token, **changes})

    def post(self, endpoint, fields, secret=None):
        fields = {k: v for k, v in fields.items() if v is not None}
        if secret is None and self.secret is None:
            return self.http.post(f"/identite/o/{endpoint}", {"client_id": self.client_id, **fields})
        pair = base64.b64encode(f"{self.client_id}:{secret or self.secret}".encode()).decode()
        return self.http.post(f"/identite/o/{endpoint}", fields, headers={"Authorization": f"Basic {pair}"})

    def tokens(self, browser, **changes):
        answer = self.exchange(self.code(browser, **changes))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def userinfo(self, token):
        return self.http.get("/identite/o/userinfo", headers={"Authorization": f"Bearer {token}"})

    def claims(self, id_token):
        """Verify the ID token as the site must, by the published keys."""
        keys = jwt.PyJWKSet.from_dict(self.http.get("/.well-known/jwks.json").json())
        key = keys[jwt.get_unverified_header(id_token)["kid"]]
        return jwt.decode(id_token, key.key, algorithms=["RS256"], audience=self.client_id, issuer=ISSUER)


def answered(response):
    """Parameters that a redirection to the site carries."""
    assert response.status_code == 302, (response.status_code, response.content[:800])
    return {k: v[0] for k, v in parse_qs(urlsplit(response["Location"]).query).items()}


def login(account, *, seconds_ago=0, methods=(("password", None),)):
    """A browser where ``account`` logged in that long ago."""
    browser = Browser()
    browser.force_login(account)
    session = browser.session
    at = time.time() - seconds_ago
    session["account_authentication_methods_user"] = str(account.pk)
    session["account_authentication_methods"] = [
        {"method": m, "at": at, "email": account.email} | ({"type": kind} if kind else {}) for m, kind in methods
    ]
    session.save()
    browser.account = account
    return browser
