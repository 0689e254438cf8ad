"""Shape of what an agent types about a meeting; the rules themselves are in the services."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from parvis.core import clock
from parvis.core.referentials.latin1 import to_latin1
from parvis.core.referentials.legality import MAX_OBJECT
from parvis.core.referentials.matieres import matieres_of
from parvis.core.web.uploads import BoundedFileField
from parvis.edemat.seances.formats.presences import Composition
from parvis.edemat.seances.formats.scrutin import Mode, Voice
from parvis.edemat.seances.models import Convocation, Elu, Organe, Point, Seance

SESSIONS = [("ordinaire", "Ordinaire"), ("extraordinaire", "Extraordinaire")]
DURATIONS = [(n, f"{n // 60} h {n % 60:02d}" if n % 60 else f"{n // 60} h") for n in (60, 90, 120, 180, 240, 300)]
MAX_ANNEXE = 100 * 1024 * 1024


class SeanceForm(forms.Form):
    """Date, place and chair of a meeting in preparation."""

    organe = forms.ModelChoiceField(Organe.objects.none(), label="Assemblée", empty_label=None)
    day = forms.DateField(label="Date", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    hour = forms.TimeField(label="Heure", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    duration_minutes = forms.TypedChoiceField(label="Durée prévue", choices=DURATIONS, coerce=int, initial=120)
    place = forms.CharField(label="Lieu", max_length=255)
    session = forms.ChoiceField(label="Session", choices=SESSIONS)
    president = forms.ModelChoiceField(Elu.objects.none(), label="Présidence", required=False)
    urgency = forms.BooleanField(label="Convocation en urgence", required=False)
    urgency_motive = forms.CharField(
        label="Motif de l’urgence",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Le conseil se prononce sur l’urgence à l’ouverture ; un jour franc reste dû.",
    )

    def __init__(self, *args: Any, seance: Seance | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organes = self.fields["organe"]
        assert isinstance(organes, forms.ModelChoiceField)
        organes.queryset = Organe.objects.all()
        chairs = self.fields["president"]
        assert isinstance(chairs, forms.ModelChoiceField)
        chairs.queryset = Elu.objects.in_office(clock.today()).select_related("organe")
        chairs.empty_label = "Premier du tableau"
        if seance:
            del self.fields["organe"]
            chairs.queryset = seance.organe.elus.in_office(seance.day)
            starts = seance.starts_in_paris
            self.initial = {
                "day": starts.date(),
                "hour": starts.time(),
                "duration_minutes": seance.duration_minutes,
                "place": seance.place,
                "session": seance.session,
                "president": seance.president_id,
                "urgency": seance.urgency,
                "urgency_motive": seance.urgency_motive,
            }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("urgency") and not data.get("urgency_motive", "").strip():
            self.add_error("urgency_motive", "L’urgence demande un motif (CGCT L2121-12).")
        if data.get("day") and data.get("hour"):
            data["starts_at"] = datetime.combine(data["day"], data["hour"], tzinfo=clock.PARIS)
            if data["starts_at"] <= clock.now():
                self.add_error("day", "La séance est à venir : choisissez une date et une heure futures.")
        return data

    @property
    def values(self) -> dict[str, Any]:
        """The fields as the services take them."""
        kept = {k: v for k, v in self.cleaned_data.items() if k not in ("organe", "day", "hour")}
        if kept["president"] is None:
            del kept["president"]
        return kept


def _motive() -> forms.CharField:
    return forms.CharField(
        label="Motif",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Il figure dans l’avis que chaque membre reçoit.",
    )


class CallOffForm(forms.Form):
    """Why a meeting is cancelled."""

    motive = _motive()


class RectifyForm(forms.Form):
    """The place and the hour of a convened meeting, as they should have been."""

    hour = forms.TimeField(label="Heure", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    place = forms.CharField(label="Lieu", max_length=255)
    motive = _motive()

    def __init__(self, *args: Any, seance: Seance, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seance = seance
        self.initial = {"hour": seance.starts_in_paris.time(), "place": seance.place}

    @property
    def values(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        data = self.cleaned_data
        starts = datetime.combine(self.seance.day, data["hour"], tzinfo=clock.PARIS)
        return {"place": data["place"], "motive": data["motive"], "starts_at": starts}


class AgainForm(forms.Form):
    """The day, hour and place of a meeting that follows another."""

    day = forms.DateField(label="Date", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    hour = forms.TimeField(label="Heure", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    place = forms.CharField(label="Lieu", max_length=255)

    def __init__(self, *args: Any, seance: Seance, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"hour": seance.starts_in_paris.time(), "place": seance.place}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("day") and data.get("hour"):
            data["starts_at"] = datetime.combine(data["day"], data["hour"], tzinfo=clock.PARIS)
            if data["starts_at"] <= clock.now():
                self.add_error("day", "La séance est à venir : choisissez une date et une heure futures.")
        return data

    @property
    def values(self) -> dict[str, Any]:
        """The fields as the services take them."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("day", "hour")}


class PutOffForm(AgainForm):
    """Another day for a meeting, and why."""

    motive = _motive()


class PointForm(forms.ModelForm):
    """The draft of an item."""

    class Meta:
        model = Point
        fields = [
            "title",
            "rapporteur",
            "expose",
            "visas",
            "considerants",
            "dispositif",
            "closing_mention",
            "nature",
            "matiere",
            "matiere_label",
        ]
        widgets = {
            "title": forms.TextInput(attrs={"data-limit": MAX_OBJECT}),
            "nature": forms.Select(choices=[("1", "Délibération")]),
            "expose": forms.Textarea(attrs={"rows": 10}),
            "visas": forms.Textarea(attrs={"rows": 3}),
            "considerants": forms.Textarea(attrs={"rows": 3}),
            "dispositif": forms.Textarea(attrs={"rows": 5}),
            "closing_mention": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, seance: Seance, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rapporteur = self.fields["rapporteur"]
        assert isinstance(rapporteur, forms.ModelChoiceField)
        rapporteur.queryset = seance.organe.elus.in_office(seance.day).order_by("rank")
        rapporteur.empty_label = "Aucun"
        self.labels = dict(matieres_of(seance.organisation))
        if self.labels:
            self._choose_matiere()
        self.fields["expose"].help_text = (
            "Sert aussi de note explicative de synthèse. Une ligne vide sépare deux paragraphes, "
            "un tiret ouvre une liste, ## un intertitre."
        )

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        if (length := len(to_latin1(title))) > MAX_OBJECT:
            raise forms.ValidationError(
                f"Le titre devient l’objet de l’acte transmis à la préfecture, limité à {MAX_OBJECT} caractères ; "
                f"il en compte {length} une fois écrit pour le ministère : raccourcissez-le."
            )
        return title

    def _choose_matiere(self) -> None:
        """A choice among the subjects in force, whose label is theirs; one no longer in force is told."""
        present = self.instance.matiere
        choices = [("", "Choisir la matière"), *((code, f"{code} {label}") for code, label in self.labels.items())]
        if present and present not in self.labels:
            choices.append((present, f"{present} (n’est plus en vigueur)"))
        self.fields["matiere"] = forms.ChoiceField(
            label="Matière",
            choices=choices,
            required=False,
            help_text="Dans la classification en vigueur de la préfecture.",
        )
        del self.fields["matiere_label"]

    def _labelled(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.labels and "matiere" in values:
            values["matiere_label"] = self.labels.get(values["matiere"], "")[:255]
        return values

    @property
    def values(self) -> dict[str, Any]:
        """The fields as the services take them."""
        return self._labelled(dict(self.cleaned_data))

    @property
    def changes(self) -> dict[str, Any]:
        """Those that were changed."""
        return self._labelled({name: self.cleaned_data[name] for name in self.changed_data})


class CorrectionForm(PointForm):
    """The words of a deliberation already voted."""

    class Meta(PointForm.Meta):
        fields = [name for name in PointForm.Meta.fields if name != "nature"]


class AnnexeForm(forms.Form):
    """A document to annex to an item."""

    title = forms.CharField(label="Intitulé", max_length=200)
    file = BoundedFileField(label="Fichier", limit=MAX_ANNEXE)
    to_prefecture = forms.BooleanField(label="Joindre au contrôle de légalité", required=False, initial=True)


PRESENT, POWER, ABSENT = "present", "pouvoir", "absent"


class PresenceForm(forms.Form):
    """The presence sheet: for each member, in the room, represented by somebody, or absent."""

    from_item = forms.IntegerField(
        label="À partir du point", min_value=0, max_value=999, widget=forms.HiddenInput, initial=0
    )

    def __init__(self, *args: Any, members: list[Convocation], now: Composition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.members = members
        holders = {power.giver: power.holder for power in now.powers}
        self._by_key = {str(one.pk): one for one in members}
        by_name = {one.name: one for one in members}
        choices = [("", "Choisir le mandataire"), *((str(one.pk), one.name) for one in members)]
        for one in members:
            state = PRESENT if one.name in now.presents else POWER if one.name in holders else ABSENT
            self.fields[self._state_name(one.pk)] = forms.ChoiceField(
                label=one.name,
                choices=[(PRESENT, "En séance"), (POWER, "Pouvoir"), (ABSENT, "Absent")],
                initial=state,
                error_messages={"invalid_choice": f"Dites si {one.name} est en séance, représenté ou absent."},
            )
            holder = holders.get(one.name)
            self.fields[self._holder_name(one.pk)] = forms.ChoiceField(
                label=f"Pouvoir de {one.name} à",
                choices=[choice for choice in choices if choice[0] != str(one.pk)],
                required=False,
                initial=str(by_name[holder].pk) if holder else "",
                error_messages={
                    "invalid_choice": f"{one.name} ne peut donner pouvoir qu’à un autre membre de la séance : "
                    "choisissez-le dans la liste."
                },
            )

    @staticmethod
    def _state_name(pk: UUID) -> str:
        return f"etat-{pk.hex}"

    @staticmethod
    def _holder_name(pk: UUID) -> str:
        return f"mandataire-{pk.hex}"

    def rows(self) -> list[tuple[Convocation, forms.BoundField, forms.BoundField]]:
        """Each member with the fields of their state and of the holder of their power."""
        return [(one, self[self._state_name(one.pk)], self[self._holder_name(one.pk)]) for one in self.members]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for one in self.members:
            name = self._holder_name(one.pk)
            if data.get(self._state_name(one.pk)) == POWER and not data.get(name) and name not in self.errors:
                self.add_error(name, f"Indiquez à qui {one.name} donne pouvoir.")
        return data

    @property
    def presents(self) -> list[Convocation]:
        return [one for one in self.members if self.cleaned_data.get(self._state_name(one.pk)) == PRESENT]

    @property
    def powers(self) -> list[tuple[Convocation, Convocation]]:
        return [
            (one, self._by_key[self.cleaned_data[self._holder_name(one.pk)]])
            for one in self.members
            if self.cleaned_data.get(self._state_name(one.pk)) == POWER
        ]


class VoteForm(forms.Form):
    """A ballot: its mode and its counts."""

    MODES = [
        (Mode.MAIN_LEVEE.value, "À main levée"),
        (Mode.PUBLIC.value, "Scrutin public"),
        (Mode.SECRET.value, "Scrutin secret"),
        (Mode.SANS_VOTE.value, "Prend acte, sans vote"),
        (Mode.NON_PRECISE.value, "Non précisé"),
    ]
    VOICES = [
        (Voice.INCONNUE.value, "Non connu"),
        (Voice.POUR.value, "Pour"),
        (Voice.CONTRE.value, "Contre"),
        (Voice.ABSTENTION.value, "Abstention"),
    ]
    mode = forms.ChoiceField(label="Mode de scrutin", choices=MODES)
    pour = forms.IntegerField(label="Pour", min_value=0, initial=0)
    contre = forms.IntegerField(label="Contre", min_value=0, initial=0)
    abstention = forms.IntegerField(label="Abstentions", min_value=0, initial=0)
    blancs = forms.IntegerField(label="Blancs", min_value=0, initial=0)
    nuls = forms.IntegerField(label="Nuls", min_value=0, initial=0)
    nppv = forms.IntegerField(label="Ne prennent pas part au vote", min_value=0, initial=0)
    chair_voice = forms.ChoiceField(label="Sens du vote du président", choices=VOICES)


class ResendForm(forms.Form):
    """Another address for a member whom the convocation did not reach."""

    address = forms.EmailField(label="Nouvelle adresse")
    motive = forms.CharField(label="Motif, si le délai est passé", required=False, max_length=1000)


class HandedForm(forms.Form):
    """The day a paper convocation was sent or handed."""

    day = forms.DateField(label="Remise le", widget=forms.DateInput(attrs={"type": "date"}))
    hour = forms.TimeField(label="à", widget=forms.TimeInput(attrs={"type": "time"}))

    @property
    def handed_at(self) -> datetime:
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["hour"], tzinfo=clock.PARIS)
