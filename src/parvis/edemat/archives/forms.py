"""Forms of the archives."""

from django import forms

from parvis.core.web.uploads import BoundedFileField
from parvis.edemat.archives.services.deposit import MAX_PACKAGE


class DepositForm(forms.Form):
    """A package to deposit; its content is judged by the intake, not here."""

    paquet = BoundedFileField(
        limit=MAX_PACKAGE,
        way_out="Répartissez le paquet en plusieurs.",
        label="Paquet à verser",
        help_text="Une archive ZIP : un bordereau SEDA 2.x à sa racine et les fichiers qu’il annonce.",
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
        max_length=255,
        allow_empty_file=False,
        error_messages={
            "required": "Choisissez le paquet à verser.",
            "empty": "Ce fichier est vide. Exportez de nouveau le paquet depuis votre logiciel.",
            "max_length": "Le nom du fichier dépasse 255 caractères. Renommez-le.",
        },
    )


class RefusalForm(forms.Form):
    """Why a person refuses a transfer."""

    motif = forms.CharField(
        label="Motif du refus",
        widget=forms.Textarea(attrs={"rows": 4}),
        min_length=10,
        max_length=500,
        help_text="Il sera écrit dans la réponse envoyée au service versant.",
        error_messages={
            "required": "Indiquez le motif du refus.",
            "min_length": "Le motif doit dire ce qui ne va pas, en quelques mots.",
        },
    )
