"""Apache's mod_auth_mellon, written by others, logs people in and out through the SAML identity provider."""

import base64
import re
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests import apache
from tests.core.saml.conftest import key_pair, proved
from tests.e2e.browser import DESK, PHONE, assert_accessible, assert_fits, screenshot

pytestmark = [pytest.mark.django_db(transaction=True), apache.needs("auth_mellon")]

DESCRIPTION = """<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{base}/mellon/metadata">
<SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true"
 protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{key}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{base}/mellon/logout"/>
<AssertionConsumerService index="0" isDefault="true"
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{base}/mellon/postResponse"/>
</SPSSODescriptor></EntityDescriptor>"""

CONFIGURATION = """
# Without TLS a browser keeps no cookie of SameSite=None, which the module sets by itself.
SetEnvIf Request_URI "." MELLON_DISABLE_SAMESITE=1
<Location />
  MellonEnable info
  MellonEndpointPath /mellon
  MellonSPPrivateKeyFile {root}/sp.key
  MellonSPCertFile {root}/sp.crt
  MellonSPMetadataFile {root}/sp.xml
  MellonIdPMetadataFile {root}/idp.xml
  MellonSecureCookie Off
  MellonSignatureMethod rsa-sha256
  MellonSetEnv mail urn:oid:0.9.2342.19200300.100.1.3
</Location>
<Location /reserve/>
  MellonEnable auth
  Require valid-user
  Header always set X-Subject "expr=%{{reqenv:MELLON_NAME_ID}}"
  Header always set X-Mail "expr=%{{reqenv:MELLON_mail}}"
</Location>
"""


@pytest.fixture
def old_site(live_server, settings, juvignac, tmp_path):
    """The address of a site protected by mod_auth_mellon, in service for Juvignac."""
    from parvis.core.journal.services import Actor
    from parvis.core.organisations.tenancy import acting_for
    from parvis.core.saml import messages, services

    settings.BASE_URL, settings.PARVIS_SECRETS_DIR = live_server.url, tmp_path / "secrets"
    with apache.folder() as root:
        port = apache.free_port()
        base = f"http://localhost:{port}"
        key_pair(root)
        der = x509.load_pem_x509_certificate((root / "sp.crt").read_bytes()).public_bytes(Encoding.DER)
        description = DESCRIPTION.format(base=base, key=base64.b64encode(der).decode())
        (root / "sp.xml").write_text(description)
        (root / "idp.xml").write_bytes(messages.own_metadata())
        (root / "sp.key").chmod(0o644)
        (root / "pages" / "reserve").mkdir(parents=True)
        (root / "pages" / "reserve" / "index.html").write_text("<h1>Courrier de la commune</h1>")
        (root / "pages" / "index.html").write_text("<h1>Accueil du site</h1>")
        actor = Actor("system", "essai")
        values = {
            "name": "Courrier ancien", "contact": "dsi@exemple.fr", "name_id": "persistent",
            "attributes": ["mail"], "populations": ["agent"],
        }  # fmt: skip
        with acting_for(juvignac):
            site = services.register(juvignac, description.encode(), values, actor=actor)
        services.approve(site, seen=site.fingerprint, by=None, actor=actor)
        with apache.serving(root, port, ("auth_mellon",), CONFIGURATION.format(root=root)) as address:
            yield address
        shutil.copy(root / "error.log", tmp_path)


def test_mod_auth_mellon_logs_in_by_single_sign_on_and_logs_out(old_site, browser_page, agent_client, juvignac):
    page = browser_page(client=proved(agent_client(juvignac, "secretaire")))
    page.goto(f"{old_site}/reserve/")
    assert page.get_by_role("heading", level=1).inner_text() == "Courrier ancien souhaite vous connaître"
    for width in (PHONE, DESK):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, "saml-agreement")
    page.get_by_role("button", name="Accepter et continuer").click()
    page.wait_for_url(f"{old_site}/reserve/")
    assert page.get_by_role("heading", level=1).inner_text() == "Courrier de la commune"
    headers = page.request.get(f"{old_site}/reserve/").headers
    assert headers["x-mail"] == "secretaire@juvignac.test"
    assert re.fullmatch(r"[\w-]{40,}", headers["x-subject"])

    page.goto(f"{old_site}/mellon/logout?ReturnTo={old_site}/")
    page.wait_for_url(f"{old_site}/")
    page.goto(f"{old_site}/reserve/")  # neither the site nor the platform knows the person any more
    assert "/compte/login/" in page.url


def test_without_scripts_a_button_carries_the_answer(old_site, browser_page, agent_client, juvignac):
    page = browser_page(client=proved(agent_client(juvignac, "secretaire")), scripts=False, width=390)
    page.goto(f"{old_site}/reserve/")
    page.get_by_role("button", name="Accepter et continuer").click()
    page.get_by_role("button", name="Continuer vers Courrier ancien").click()
    page.wait_for_url(f"{old_site}/reserve/")
    assert page.get_by_role("heading", level=1).inner_text() == "Courrier de la commune"


def test_a_logout_of_the_portal_ends_the_session_of_mod_auth_mellon(
    old_site, live_server, browser_page, agent_client, juvignac
):
    page = browser_page(client=proved(agent_client(juvignac, "secretaire")))
    page.goto(f"{old_site}/reserve/")
    page.get_by_role("button", name="Accepter et continuer").click()
    page.wait_for_url(f"{old_site}/reserve/")
    page.goto(f"{live_server.url}/compte/logout/")
    page.get_by_role("main").get_by_role("button", name="Se déconnecter").click()
    page.get_by_text("Courrier ancien : vous êtes déconnecté.").wait_for()
    assert_accessible(page)
    page.goto(f"{old_site}/reserve/")
    assert "/compte/login/" in page.url
