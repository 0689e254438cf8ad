"""Hands that fill the editor's form."""

import re
from html import unescape

from parvis.core.branding.forms import BrandingForm
from parvis.core.branding.models import BrandingVersion
from parvis.core.organisations.tenancy import acting_for

BASE = "/o/juvignac/administration/charte/"


class Editor:
    """The form of the editor as a browser holds it: what it shows is sent back unless it is changed."""

    def __init__(self, client, base: str = BASE) -> None:
        self.client, self.base = client, base

    def open(self) -> dict[str, str]:
        response = self.client.get(self.base)
        assert response.status_code == 200
        return self.shown(response)

    def shown(self, response) -> dict[str, str]:
        form: BrandingForm = response.context["form"]
        return {field.name: field.value() or "" for field in form if field.name not in ("logo", "header")}

    def save(self, fields: dict | None = None, **changes):
        sent = {**(fields or self.open()), **changes}
        return self.client.post(self.base, {k: v for k, v in sent.items() if v not in (False, None)})

    def publish(self):
        with acting_for(self.organisation):
            draft = BrandingVersion.objects.get(organisation=self.organisation, state="brouillon")
        page = self.client.get(f"{self.base}{draft.pk}/").content.decode()
        saved_at = unescape(re.search(r'name="enregistre" value="([^"]+)"', page).group(1))
        return self.client.post(f"{self.base}{draft.pk}/publication/", {"enregistre": saved_at})
