"""The editor refuses beside the field, proposes, keeps all that was typed, and loses nobody's work."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client

from parvis.core.branding import images
from parvis.core.branding.models import BrandingVersion
from parvis.core.documents.models import Document
from parvis.core.journal.models import Entry
from parvis.core.organisations.tenancy import acting_for
from parvis.core.web.theming import ink_contrast, worst_contrast
from tests.core.branding.drawing import LOGO, picture
from tests.core.branding.hands import BASE, Editor

pytestmark = pytest.mark.django_db


def draft(organisation):
    with acting_for(organisation):
        return BrandingVersion.objects.select_related("logo", "header").get(
            organisation=organisation, state="brouillon"
        )


def logo(content: bytes = LOGO, name: str = "logo.svg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_everything_that_is_saved_is_in_the_draft_and_nothing_online(editor, juvignac, versions):
    response = editor.save(
        logo=logo(),
        header=SimpleUploadedFile("mairie.jpg", picture("JPEG")),
        accent="#0B5C63",
        welcome_text="Bonjour.\r\n\r\nEntrez.",
        footer_links="La commune | https://www.exemple.test/accueil\n\nTransports | https://tram.exemple.test",
        footer_text="1 place de la Mairie",
        sender_name="Mairie de Juvignac",
        reply_to="accueil@juvignac.test",
        signature="La mairie",
    )
    saved = draft(juvignac)
    assert response["Location"] == f"{BASE}{saved.pk}/"
    assert versions() == [(1, "publiee"), (2, "brouillon")]
    assert (saved.accent, saved.welcome_text) == ("#0b5c63", "Bonjour.\n\nEntrez.")
    assert saved.footer_links == [
        {"label": "La commune", "url": "https://www.exemple.test/accueil"},
        {"label": "Transports", "url": "https://tram.exemple.test"},
    ]
    assert (saved.logo.media_type, saved.header.media_type) == ("image/svg+xml", "image/webp")
    assert (saved.logo.public_since, saved.header.public_since) == (None, None)
    juvignac.refresh_from_db()
    assert (juvignac.accent, juvignac.look) == ("#7a2e5d", {})
    with acting_for(juvignac):
        assert list(Entry.objects.values_list("action", "details")) == [("charte.enregistree", {"number": 2})]


def test_saving_again_goes_on_with_the_same_draft_and_keeps_its_pictures(editor, juvignac, versions):
    editor.save(logo=logo())
    first = draft(juvignac)
    editor.save(signature="La mairie")
    again = draft(juvignac)
    assert (again.pk, again.logo_id, again.signature) == (first.pk, first.logo_id, "La mairie")
    editor.save(logo_removed="on")
    assert draft(juvignac).logo is None


def test_nothing_changed_writes_nothing(editor, versions):
    page = editor.client.post(BASE, editor.open(), follow=True).content.decode()
    assert "Rien n’a changé." in page
    assert versions() == []


def test_the_colours_being_chosen_are_measured_by_the_rule_that_saving_follows(editor, versions):
    page = editor.client.get(f"{BASE}contrastes/", {"accent": "#f0a000", "accent_2": "#111111"}).content.decode()
    assert "insuffisant" in page
    assert "La couleur #f0a000 est trop pâle" in page
    assert "Ni le blanc" not in page
    assert "insuffisant" not in editor.client.get(f"{BASE}contrastes/", {"accent": "#00485c"}).content.decode()
    assert editor.client.get(f"{BASE}contrastes/", {"accent": "rouge"}).status_code == 400
    assert versions() == []


def test_a_refused_colour_proposes_the_nearest_one_which_one_click_accepts(editor, juvignac, versions):
    fields = editor.open()
    refused = editor.save(fields, accent="#f0a000", accent_2="#808080", signature="À garder", logo=logo())
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "trop pâle" in page
    assert "Ni le blanc ni le noir" in page
    assert "À garder" in page
    assert versions() == []
    proposals = refused.context["proposals"]
    assert worst_contrast(proposals["accent"]) >= 4.5
    assert ink_contrast(proposals["accent_2"]) >= 4.5
    # The buttons send the proposal after the field of the same name: the last value counts.
    fields = editor.shown(refused)
    once = editor.save(fields, accent=["#f0a000", proposals["accent"]])
    assert once.status_code == 422
    accepted = editor.save(editor.shown(once), accent_2=[fields["accent_2"], proposals["accent_2"]])
    assert accepted.status_code == 302
    saved = draft(juvignac)
    assert (saved.accent, saved.accent_2) == (proposals["accent"], proposals["accent_2"])
    assert saved.signature == "À garder"
    assert saved.logo is not None, "the logo sent with the refused form was lost"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("accent", "red", "six chiffres hexadécimaux"),
        ("accent", "#12345;}", "six chiffres hexadécimaux"),
        ("footer_links", "Sans adresse", "Ligne 1"),
        ("footer_links", "A | http://exemple.test", "https://"),
        ("footer_links", "Bon | https://exemple.test\nA | javascript:alert(1)", "Ligne 2"),
        ("footer_links", "A | https://juvignac.fr@exemple.test/", "Ligne 1"),
        ("footer_links", 'A | https://exemple.test/"><script>', "Ligne 1"),
        ("footer_links", f"{'a' * 41} | https://exemple.test/", "40 caractères"),
        ("footer_links", "A | https://exemple.test\n" * 9, "Huit liens au plus"),
        ("sender_name", "Mairie <pirate@exemple.test>", "ni adresse"),
        ("sender_name", "Mairie, Trésor public", "ni adresse"),
        ("reply_to", "mairie", "incomplète"),
        ("reply_to", "a@b.test\nBcc: c@d.test", "incomplète"),
        ("welcome_text", "a" * 1201, "1200"),
        ("signature", "a" * 501, "500"),
    ],
)
def test_a_refused_field_says_why_and_keeps_what_was_typed(editor, versions, field, value, words):
    refused = editor.save(**{field: value, "footer_text": "À garder aussi"})
    assert refused.status_code == 422
    assert words in " ".join(refused.context["form"].errors[field])
    assert refused.context["form"][field].value() == value
    assert "À garder aussi" in refused.content.decode()
    assert versions() == []


def test_control_characters_and_hidden_ones_are_dropped(editor, juvignac):
    editor.save(sender_name="Mairie\u202e de\u200b Juvignac", signature="La\x07 mairie\r\nici")
    saved = draft(juvignac)
    assert (saved.sender_name, saved.signature) == ("Mairie de Juvignac", "La mairie\nici")


def test_a_dangerous_logo_is_refused_beside_its_field(editor, juvignac, versions):
    refused = editor.save(logo=logo(LOGO.replace(b"<circle", b"<script>alert(1)</script><circle")), signature="Ici")
    assert refused.status_code == 422
    assert "il contient un script" in " ".join(refused.context["form"].errors["logo"])
    assert "Ici" in refused.content.decode()
    with acting_for(juvignac):
        assert not Document.objects.exists()


def test_what_was_left_out_of_a_logo_is_said(editor):
    response = editor.client.post(
        BASE, {**editor.open(), "logo": logo(LOGO.replace(b"<circle", b"<metadata/><circle"))}, follow=True
    )
    assert "metadata" in response.content.decode()


class Streamed(io.RawIOBase):
    """The body of a form whose logo weighs 200 MB, made as it is read: none of it is ever whole anywhere."""

    BLOCK = b"\0" * 65536

    def __init__(self, head: bytes, blocks: int, tail: bytes) -> None:
        self.parts = self._flow(head, blocks, tail)
        self.size = len(head) + blocks * len(self.BLOCK) + len(tail)
        self.rest, self.largest = b"", 0

    def _flow(self, head, blocks, tail):
        yield head
        for _ in range(blocks):
            yield self.BLOCK
        yield tail

    def read(self, size=-1):
        assert size >= 0, "the whole body was asked for at once"
        self.largest = max(self.largest, size)
        while len(self.rest) < size:
            part = next(self.parts, b"")
            if not part:
                break
            self.rest += part
        given, self.rest = self.rest[:size], self.rest[size:]
        return given


def test_a_logo_of_200_mb_is_refused_as_it_arrives_and_the_rest_is_kept(
    editor, juvignac, tmp_path, settings, monkeypatch
):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    written = []
    kept = TemporaryFileUploadHandler.receive_data_chunk

    def counted(self, raw_data, start):
        written.append(len(raw_data))
        return kept(self, raw_data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", counted)
    mark = "frontiere"
    fields = "".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**editor.open(), "signature": "Tapée avec soin"}.items()
        if value is not False
    )
    # The file comes between two fields: what follows it is read too.
    before, _, after = fields.partition(f'--{mark}\r\nContent-Disposition: form-data; name="signature"')
    body = Streamed(
        before.encode()
        + f'--{mark}\r\nContent-Disposition: form-data; name="logo"; filename="l.png"\r\n\r\n'.encode()
        + b"\x89PNG\r\n\x1a\n",
        200_000_000 // 65536,
        f'\r\n--{mark}\r\nContent-Disposition: form-data; name="signature"{after}--{mark}--\r\n'.encode(),
    )
    refused = editor.client.generic(
        "POST",
        BASE,
        b"",
        **{
            "wsgi.input": body,
            "CONTENT_LENGTH": str(body.size),
            "CONTENT_TYPE": f"multipart/form-data; boundary={mark}",
        },
    )
    assert refused.status_code == 422, refused.context["form"].errors
    assert set(refused.context["form"].errors) == {"logo"}
    assert "2 Mo" in " ".join(refused.context["form"].errors["logo"])
    assert refused.context["form"]["signature"].value() == "Tapée avec soin"
    assert sum(written) <= images.MAX_LOGO
    assert body.largest <= 1_000_000
    assert list(tmp_path.glob("*.upload*")) == []


def test_a_file_under_a_name_that_the_form_has_not_is_thrown_away(editor, juvignac):
    assert editor.save(signature="x", autre=logo()).status_code == 302
    with acting_for(juvignac):
        assert not Document.objects.exists()


def test_the_form_is_protected_against_forgery(editor):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = editor.client.cookies
    assert strict.post(BASE, {"signature": "x"}).status_code == 403


# --- two people at once -----------------------------------------------------------------------------------
def test_the_second_save_says_what_the_first_changed_and_loses_nothing(editor, juvignac, agent_client):
    other = Editor(agent_client(juvignac, "administrateur", email="second@juvignac.test"))
    mine, theirs = editor.open(), other.open()
    other.save(theirs, signature="La leur", footer_text="Le leur")
    conflict = editor.save(mine, signature="La mienne", welcome_text="Le mien")
    assert conflict.status_code == 409
    page = conflict.content.decode()
    changes = {change.label: (change.theirs, change.clashes) for change in conflict.context["changes"]}
    assert changes == {"Signature": ("La leur", True), "Texte de bas de page": ("Le leur", False)}
    assert "pendant votre saisie" in page
    saved = draft(juvignac)
    assert (saved.signature, saved.footer_text, saved.welcome_text) == ("La leur", "Le leur", "")
    # What is shown holds both hands' work; sending it as it is writes it.
    shown = editor.shown(conflict)
    assert (shown["signature"], shown["footer_text"], shown["welcome_text"]) == ("La mienne", "Le leur", "Le mien")
    assert editor.save(shown).status_code == 302
    saved = draft(juvignac)
    assert (saved.signature, saved.footer_text, saved.welcome_text) == ("La mienne", "Le leur", "Le mien")


def test_a_picture_sent_in_a_conflict_is_kept(editor, juvignac, agent_client):
    other = Editor(agent_client(juvignac, "administrateur", email="second@juvignac.test"))
    mine = editor.open()
    other.save(footer_text="Le leur")
    conflict = editor.save(mine, logo=logo())
    assert conflict.status_code == 409
    editor.save(editor.shown(conflict))
    assert draft(juvignac).logo is not None


@pytest.mark.parametrize("base", ["", "forged", "eyJhIjoxfQ:1abc:def"])
def test_a_forged_base_overwrites_nothing_silently(editor, juvignac, base):
    editor.save(signature="La première")
    assert editor.save(base=base, signature="La seconde").status_code == 409
    assert draft(juvignac).signature == "La première"


# --- forged fields ----------------------------------------------------------------------------------------
def test_no_field_of_the_form_reaches_what_it_does_not_show(editor, juvignac, fabregues, versions):
    before = (juvignac.siren, juvignac.slug)
    editor.save(
        signature="x", state="publiee", number="99", organisation="2", organisation_id=str(fabregues.pk),
        published_at="2019-01-01", saved_by="1", look='{"sender_name": "Pirate"}', siren="000000000", slug="autre",
    )  # fmt: skip
    assert versions() == [(1, "publiee"), (2, "brouillon")]
    saved = draft(juvignac)
    assert (saved.organisation_id, saved.published_at) == (juvignac.pk, None)
    assert saved.saved_by_id == editor.client.account.pk
    juvignac.refresh_from_db()
    assert (juvignac.look, (juvignac.siren, juvignac.slug)) == ({}, before)


def test_a_picture_of_somebody_else_or_of_another_use_cannot_be_named(editor, juvignac, fabregues, agent_client):
    from parvis.core.documents import services as documents

    other = Editor(agent_client(fabregues, "administrateur"), "/o/fabregues/administration/charte/")
    other.save(logo=logo())
    with acting_for(juvignac):
        deed = documents.store(juvignac, b"%PDF-1.4 secret", "secret.pdf")
    for forged in (draft(fabregues).logo_id, deed.pk, "not-an-identifier"):
        refused = editor.save(logo_kept=str(forged))
        assert refused.status_code == 422
        assert "n’est plus disponible" in " ".join(refused.context["form"].errors["logo"])
