"""Saving, publishing and bringing back the look of an organisation."""

import io
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Final
from uuid import UUID

from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse

from parvis.core import clock
from parvis.core.branding import images
from parvis.core.branding.errors import NothingToPublish
from parvis.core.branding.look import FooterLink, Look, PictureAt, look_of, theme_of
from parvis.core.branding.models import VALUES, BrandingVersion
from parvis.core.documents import services as documents
from parvis.core.documents.identification import Format
from parvis.core.documents.models import Document
from parvis.core.identity.audit import audit
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor, record
from parvis.core.organisations.models import Organisation
from parvis.core.web.theming import check_accent, check_second

__all__ = ["look_of", "theme_of"]

DERIVATIONS: Final = {"logo": "charte-logo", "header": "charte-entete"}
LABELS: Final = {"logo": "Logo", "header": "Image d’en-tête"}
CLEAN: Final = {"logo": images.clean_logo, "header": images.clean_header}
State = BrandingVersion.State


# --- reading ----------------------------------------------------------------------------------------------
def versions(organisation: Organisation) -> list[BrandingVersion]:
    """Every version, newest first, with the people who made them."""
    rows = BrandingVersion.objects.filter(organisation=organisation)
    return list(rows.select_related("organisation", "logo", "header", "saved_by", "published_by"))


def current(organisation: Organisation) -> BrandingVersion:
    """What the editor shows: the draft, else what is published, else (unsaved) what the organisation began with."""
    rows = BrandingVersion.objects.filter(organisation=organisation).select_related("logo", "header", "saved_by")
    found = {version.state: version for version in rows.exclude(state=State.FORMER)}
    return found.get(State.DRAFT) or found.get(State.PUBLISHED) or _origin(organisation)


def _origin(organisation: Organisation) -> BrandingVersion:
    now = clock.now()
    return BrandingVersion(
        organisation=organisation,
        number=1,
        state=State.PUBLISHED,
        accent=organisation.accent,
        accent_2=organisation.accent_2,
        welcome_text=organisation.welcome_text,
        created_at=now,
        saved_at=now,
    )


def picture_url(document: Document, *, public: bool) -> str:
    """Address of a picture of the look: its digest is in it, so its content never changes."""
    extension = document.filename.rpartition(".")[2]
    name = "branding_public:picture" if public else "branding:picture"
    kwargs = {"organisation_slug": document.organisation.slug, "sha256": document.sha256, "extension": extension}
    return reverse(name, kwargs=kwargs)


def _picture_at(document: Document | None, *, public: bool) -> PictureAt | None:
    if document is None:
        return None
    size = document.health["pixels"]
    return PictureAt(picture_url(document, public=public), size[0], size[1])


def _look(version: BrandingVersion, *, public: bool) -> Look:
    return Look(
        number=version.number,
        logo=_picture_at(version.logo, public=public),
        logo_alt=version.logo_alt,
        header=_picture_at(version.header, public=public),
        footer_links=tuple(FooterLink(**link) for link in version.footer_links),
        footer_text=version.footer_text,
        sender_name=version.sender_name,
        reply_to=version.reply_to,
        signature=version.signature,
    )


def wearing(organisation: Organisation, version: BrandingVersion) -> Organisation:
    """A copy of ``organisation``, never to be saved, that looks as ``version`` says: what a preview draws."""
    dressed = copy(organisation)
    dressed.accent, dressed.accent_2 = version.accent, version.accent_2
    dressed.welcome_text = version.welcome_text
    place = {"organisation_slug": organisation.slug, "pk": version.pk}
    dressed.look = replace(_look(version, public=False), stylesheet=reverse("branding:theme", kwargs=place)).stored()
    return dressed


# --- pictures ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Received:
    """A picture that was cleaned and kept; ``removed`` names what was left out of it."""

    document: Document
    removed: tuple[str, ...]


def receive(organisation: Organisation, field: str, stream: BinaryIO) -> Received:
    """Clean and keep a picture for ``field`` ("logo", "header"); raises ``BrandingRefused``. Nothing shows it yet."""
    picture = CLEAN[field](stream)
    document = documents.store(
        organisation,
        io.BytesIO(picture.content),
        f"{field}.{picture.extension}",
        derivation=DERIVATIONS[field],
        label=LABELS[field],
        written_here=Format(picture.media_type, name=picture.extension.upper(), certain=True),
    )
    document.health = {"pixels": [picture.width, picture.height]}
    document.save(update_fields=["health"])
    return Received(document, picture.removed)


def kept_picture(organisation: Organisation, field: str, pk: str) -> Document | None:
    """A picture of this organisation that was received for ``field``, by its identifier; None for any other."""
    try:
        identifier = UUID(pk)
    except ValueError:
        return None
    rows = Document.objects.filter(organisation=organisation, derivation=DERIVATIONS[field])
    return rows.filter(pk=identifier).first()


# --- writing ----------------------------------------------------------------------------------------------
def save_draft(
    organisation: Organisation, values: Mapping[str, Any], *, account: Account | None, actor: Actor
) -> BrandingVersion:
    """Write ``values`` (columns of ``models.VALUES``) into the draft, begun if there was none.

    Raises ``ColourTooPale`` or ``SecondColourUnclear``. The caller holds ``lock``.
    """
    check_accent(values["accent"])
    check_second(values["accent_2"])
    draft = BrandingVersion.objects.filter(organisation=organisation, state=State.DRAFT).first()
    now = clock.now()
    if draft is None:
        draft = BrandingVersion(organisation=organisation, number=_next_number(organisation), created_at=now)
    for name in VALUES:
        setattr(draft, name, values[name])
    draft.accent, draft.accent_2 = draft.accent.lower(), draft.accent_2.lower()
    draft.saved_at, draft.saved_by = now, account
    draft.save()
    _record(draft, "charte.enregistree", actor)
    return draft


def lock(organisation: Organisation) -> None:
    """Make the savings and publications of an organisation follow one another until the transaction ends."""
    Organisation.objects.select_for_update(no_key=True).only("pk").get(pk=organisation.pk)


def _next_number(organisation: Organisation) -> int:
    """The number of a new version; what the organisation began with becomes version 1, to go back to."""
    rows = BrandingVersion.objects.filter(organisation=organisation)
    last = rows.aggregate(last=Max("number"))["last"]
    if last is None:
        origin = _origin(organisation)
        origin.published_at = origin.saved_at
        origin.save()
        last = origin.number
    return last + 1


def _record(version: BrandingVersion, action: str, actor: Actor, **details: Any) -> None:
    record(
        version.organisation,
        action,
        subject=("charte", version.pk),
        actor=actor,
        details={"number": version.number, **details},
    )


def publish(
    organisation: Organisation, pk: UUID, *, saved_at: str, account: Account, actor: Actor, request: HttpRequest
) -> BrandingVersion:
    """Put the draft ``pk`` online, as it was when it was looked at (``saved_at``, ISO 8601).

    Raises ``NothingToPublish`` when it was changed or published since.
    """
    lock(organisation)
    rows = BrandingVersion.objects.select_related("organisation", "logo", "header")
    draft = rows.filter(organisation=organisation, pk=pk, state=State.DRAFT).first()
    if draft is None:
        raise NothingToPublish("Ce brouillon a déjà été publié ou abandonné. Voyez la liste des versions.")
    if draft.saved_at.isoformat() != saved_at:
        raise NothingToPublish(
            "Ce brouillon a changé depuis que vous l’avez regardé : vérifiez de nouveau l’aperçu avant de le publier."
        )
    _put_online(draft, account, actor)
    audit("manager.branding.publication", request=request, organisation=organisation, data={"number": draft.number})
    return draft


def _put_online(draft: BrandingVersion, account: Account | None, actor: Actor) -> None:
    for picture in (draft.logo, draft.header):
        if picture is not None:
            documents.publish(picture, actor=actor)
    BrandingVersion.objects.filter(organisation=draft.organisation, state=State.PUBLISHED).update(state=State.FORMER)
    draft.state, draft.published_at, draft.published_by = State.PUBLISHED, clock.now(), account
    draft.save(update_fields=["state", "published_at", "published_by"])
    Organisation.objects.filter(pk=draft.organisation_id).update(
        accent=draft.accent,
        accent_2=draft.accent_2,
        welcome_text=draft.welcome_text,
        look=_look(draft, public=True).stored(),
    )
    _record(draft, "charte.publiee", actor)


def restore(
    organisation: Organisation, pk: UUID, *, account: Account, actor: Actor, request: HttpRequest
) -> BrandingVersion:
    """Put a former version online again, as a new version; a draft under way stays as it is.

    Raises ``NothingToPublish`` for a version that is not a former one.
    """
    lock(organisation)
    rows = BrandingVersion.objects.select_related("logo", "header")
    former = rows.filter(organisation=organisation, pk=pk, state=State.FORMER).first()
    if former is None:
        raise NothingToPublish("Cette version est déjà en ligne, ou n’a jamais été publiée.")
    now = clock.now()
    again = BrandingVersion(
        organisation=Organisation.objects.get(pk=organisation.pk),
        number=_next_number(organisation),
        state=State.FORMER,
        created_at=now,
        saved_at=now,
        saved_by=account,
        restored_from=former.number,
        **{name: getattr(former, name) for name in VALUES},
    )
    again.save()
    _put_online(again, account, actor)
    audit(
        "manager.branding.publication",
        request=request,
        organisation=organisation,
        data={"number": again.number, "restored_from": former.number},
    )
    return again


def discard(organisation: Organisation, pk: UUID, *, actor: Actor) -> bool:
    """Give the draft up; False when there was none."""
    lock(organisation)
    draft = BrandingVersion.objects.filter(organisation=organisation, pk=pk, state=State.DRAFT).first()
    if draft is None:
        return False
    _record(draft, "charte.abandonnee", actor)
    draft.delete()
    return True


def install(organisation: Organisation, values: Mapping[str, Any], pictures: Mapping[str, bytes]) -> BrandingVersion:
    """Publish a first look without anybody's hand, at the opening of a territory (acting for the organisation)."""
    lock(organisation)
    kept = {f"{name}_id": receive(organisation, name, io.BytesIO(raw)).document.pk for name, raw in pictures.items()}
    start = _origin(organisation).values()
    draft = save_draft(organisation, {**start, **values, **kept}, account=None, actor=Actor("system"))
    draft = BrandingVersion.objects.select_related("organisation", "logo", "header").get(pk=draft.pk)
    _put_online(draft, None, Actor("system"))
    return draft
