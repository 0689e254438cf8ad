"""Shapes of what a person enters about an act; the rules themselves stand in the services."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.forms.boundfield import BoundField

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.referentials.legality import MAX_ANNEXES, MAX_ARCHIVE, MAX_OBJECT
from parvis.core.web.uploads import BoundedFileField, exceeds
from parvis.edemat.actes.enums import ANSWERS, Nature, NotificationMeans
from parvis.edemat.actes.formats.checks import Finding, objet_problem, refusals
from parvis.edemat.actes.formats.matieres import sort_key
from parvis.edemat.actes.formats.natures import NATURES
from parvis.edemat.actes.formats.outbound import SEVERAL
from parvis.edemat.actes.models import Acte, ActePiece, ActeSettings, Classification, Notification, Transaction
from parvis.edemat.actes.publication import may_hold_personal_data, proposed_author
from parvis.edemat.actes.services.configuration import SETTINGS
from parvis.edemat.actes.services.correction import print_is_ours
from parvis.edemat.actes.services.preparation import DEFAULT_ANNEXE, piece_types


class Ticks(forms.CheckboxSelectMultiple):
    """Check boxes whose control class stays on the boxes, not on what surrounds them."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["class"] = "ticks"
        return context


class Pieces(forms.ModelMultipleChoiceField):
    """Annexes by the name they were given."""

    def label_from_instance(self, obj: Any) -> str:
        return obj.posted_filename


class PublishForm(forms.Form):
    """Who takes the act, which annexes go online with it, and the care taken of people."""

    author_name = forms.CharField(
        label="Prénom et nom de l’auteur",
        max_length=150,
        help_text="Obligatoires en ligne (article R2131-1).",
    )
    author_quality = forms.CharField(label="Qualité de l’auteur", max_length=150, help_text="« Maire », par exemple.")
    annexes = Pieces(
        label="Annexes mises en ligne avec l’acte",
        queryset=ActePiece.objects.none(),
        required=False,
        widget=Ticks,
    )
    personal_data_reviewed = forms.BooleanField(
        label="Les données personnelles ont été retirées de l’acte et de ses annexes", required=False
    )

    def __init__(self, acte: Acte, *args: Any, **kwargs: Any) -> None:
        pieces = acte.pieces.order_by("rank")
        author = proposed_author(acte.organisation)
        kwargs["initial"] = {
            "author_name": author.name if author else "",
            "author_quality": author.quality if author else "",
            "annexes": pieces,
        } | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        annexes = self.fields["annexes"]
        assert isinstance(annexes, forms.ModelMultipleChoiceField)
        annexes.queryset = pieces
        if not pieces.exists():
            del self.fields["annexes"]
        if not may_hold_personal_data(acte):
            del self.fields["personal_data_reviewed"]


class NotifyForm(forms.Form):
    """When, to how many people and how an act was notified, and who certifies it; no name of those notified."""

    notified_on = forms.DateField(
        label="Date de la notification",
        help_text="Celle de la dernière personne, si elles sont plusieurs.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    persons = forms.IntegerField(label="Nombre de personnes notifiées", min_value=1, max_value=10_000, initial=1)
    means = forms.ChoiceField(label="Moyen", choices=NotificationMeans.choices)
    note = forms.CharField(label="Précision", max_length=300, required=False, help_text="N’y mettez ni nom ni adresse.")
    author_name = forms.CharField(label="Prénom et nom de qui certifie", max_length=150)
    author_quality = forms.CharField(label="Sa qualité", max_length=150, help_text="« Maire », par exemple.")

    def __init__(self, acte: Acte, *args: Any, **kwargs: Any) -> None:
        noted = Notification.objects.filter(acte=acte).first()
        author = proposed_author(acte.organisation)
        known = {name: getattr(noted, name) for name in self.base_fields} if noted else {}
        proposed = {"author_name": author.name, "author_quality": author.quality} if author else {}
        kwargs["initial"] = proposed | known | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)


class WithdrawForm(forms.Form):
    """Why a publication is taken down."""

    reason = forms.CharField(
        label="Motif du retrait",
        max_length=300,
        help_text="Conservé au journal. N’y mettez aucune donnée personnelle.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    despite_duty = forms.BooleanField(
        label="Le retrait avant deux mois protège des personnes ou exécute une décision de justice",
        required=False,
    )


class Addresses(forms.CharField):
    """E-mail addresses, one a line, as a list without repeats."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        given = dict.fromkeys(re.split(r"[\s,;]+", super().clean(value).strip()))
        addresses = [address for address in given if address]
        for address in addresses:
            try:
                validate_email(address)
            except forms.ValidationError as error:
                raise forms.ValidationError(f"« {address} » n’est pas une adresse électronique.") from error
        return addresses


class SettingsForm(forms.ModelForm):
    """How the organisation uses @CTES; the rules stand in ``services.configuration``."""

    notified_addresses = Addresses(
        label="Adresses prévenues de chaque accusé de réception",
        required=False,
        help_text="Une par ligne. Elles reçoivent l’accusé en pièce jointe.",
    )

    class Meta:
        model = ActeSettings
        fields = list(SETTINGS)
        widgets = {
            "suspended_since": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "suspension_reason": forms.Textarea(attrs={"rows": 2}),
        }
        labels = {
            "return_address": "Adresse de retour",
            "referent_name": "Référent : nom ou service",
            "referent_phone": "Référent : téléphone",
            "referent_email": "Référent : adresse électronique",
            "suspended_since": "Suspendue depuis le",
            "suspension_reason": "Motif de la suspension",
            "test": "Transmissions d’essai, sans valeur légale",
            "stamp_pages": "Pages tamponnées",
            "stamp_x_percent": "Tampon : distance du bord gauche, en % de la largeur",
            "stamp_y_percent": "Tampon : distance du haut, en % de la hauteur",
        }
        help_texts = {
            "return_address": "Reçoit les réponses de l’État. Elle doit être relevée par la plateforme.",
            "suspended_since": "Tant qu’une date est indiquée, rien ne part : les actes se déposent sur papier.",
            "suspension_reason": "Montré à qui voudrait transmettre.",
            "test": "Les enveloppes sont marquées « essai » : aucun acte transmis ainsi ne devient exécutoire.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("stamp_x_percent", "stamp_y_percent"):
            limits = [MinValueValidator(0, "De 0 à 100."), MaxValueValidator(100, "De 0 à 100.")]
            self.fields[name].validators.extend(limits)

    def clean(self) -> dict[str, Any]:
        entered = super().clean() or self.cleaned_data
        if not entered.get("suspended_since"):
            entered["suspension_reason"] = ""  # the reason of a suspension that is over
        return entered


class SeveralFiles(forms.FileInput):
    """A control that takes several files at once."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.getlist(name) if hasattr(files, "getlist") else files.get(name)


class Files(BoundedFileField):
    """Several files, as a list; [] when none is sent."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        sent = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(Files, self).clean(one, initial) for one in sent]


class Objet(forms.CharField):
    """The object of an act. What is too long can be typed and is refused with its length, never cut."""

    widget = forms.Textarea(attrs={"rows": 3, "data-limit": MAX_OBJECT})

    def validate(self, value: Any) -> None:
        super().validate(value)
        if problem := objet_problem(value):
            raise forms.ValidationError(problem)


class PieceFields(NamedTuple):
    """The controls of one annexe, and the annexe itself."""

    piece: ActePiece
    code_pj: BoundField
    replacement: BoundField
    drop: BoundField


class CorrectionForm(forms.Form):
    """How an act is described and what goes with it; the choices are those of the classification in force.

    ``holder`` is the act that has the number refused, for the page to lead to it.
    """

    holder: Acte | None = None

    objet = Objet(label="Objet")
    numero = forms.CharField(label="Numéro porté sur l’acte", max_length=60)
    numero_actes = forms.CharField(
        label="Numéro transmis",
        max_length=60,
        help_text="De 1 à 15 lettres majuscules sans accent, chiffres ou « _ ».",
    )
    decision_date = forms.DateField(
        label="Date de la décision", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    matiere = forms.ChoiceField(label="Matière")
    type_piece = forms.ChoiceField(label="Type de l’acte")
    added = Files(
        label="Annexes à ajouter",
        limit=MAX_ARCHIVE,
        required=False,
        help_text="PDF, JPG ou PNG, dans l’ordre de l’envoi.",
    )
    added_type = forms.ChoiceField(label="Type des annexes ajoutées", required=False)

    def __init__(self, acte: Acte, classification: Classification | None, *args: Any, **kwargs: Any) -> None:
        self.acte = acte
        self.pieces = list(acte.pieces.select_related("document__organisation").order_by("rank"))
        self.types = piece_types(classification, acte.nature)
        kwargs["initial"] = self._initial() | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        if print_is_ours(acte):
            del self.fields["numero"], self.fields["decision_date"]
        self._choose("matiere", _matieres(classification), acte.matiere)
        self._choose("type_piece", self.types, acte.type_piece)
        self._choose("added_type", self.types, DEFAULT_ANNEXE[acte.nature])
        for piece in self.pieces:
            named = f"l’annexe n° {piece.rank - 1}"
            self.fields[f"type_{piece.pk}"] = forms.ChoiceField(label=f"Type de {named}")
            self._choose(f"type_{piece.pk}", self.types, piece.code_pj)
            self.fields[f"file_{piece.pk}"] = BoundedFileField(
                label=f"Remplacer {named} par", limit=MAX_ARCHIVE, required=False
            )
            self.fields[f"drop_{piece.pk}"] = forms.BooleanField(label=f"Retirer {named}", required=False)

    def _initial(self) -> dict[str, Any]:
        acte = self.acte
        known = {"objet": acte.objet, "numero": acte.numero, "numero_actes": acte.numero_actes}
        known |= {"decision_date": acte.decision_date.isoformat(), "matiere": acte.matiere}
        known |= {"type_piece": acte.type_piece, "added_type": DEFAULT_ANNEXE[acte.nature]}
        return known | {f"type_{piece.pk}": piece.code_pj for piece in self.pieces}

    def _choose(self, name: str, choices: Iterable[tuple[str, str]], present: str) -> None:
        """The choices of the classification; the present value alone when there is none, « à choisir » if it fell."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        shown = [(code, f"{code} {label}") for code, label in choices] or [(present, present)]
        known = any(code == present for code, _ in shown)
        field.choices = shown if known else [("", "À choisir"), *shown]

    @classmethod
    def as_found(cls, acte: Acte, classification: Classification | None, findings: list[Finding]) -> "CorrectionForm":
        """The form of an act just examined, each finding that forbids the sending next to what it is about."""
        blank = cls(acte, classification)
        form = cls(acte, classification, blank.initial)
        form.full_clean()
        form.errors.clear()
        for finding in refusals(findings):
            if (field := form.place_of(finding.code)) is not None:
                form.add_error(field, finding.sentence)
        return form

    def place_of(self, code: str) -> str | None:
        """The field that a finding is about; None when it is not of the act but of the organisation's settings."""
        if found := re.fullmatch(r"(type_piece|fichier)_(\d+)", code):
            rank = int(found[2])
            piece = next((piece for piece in self.pieces if piece.rank == rank), None)
            if piece is None:
                return "type_piece"
            return f"{'type' if found[1] == 'type_piece' else 'file'}_{piece.pk}"
        places = {"numero": "numero_actes", "numero_libre": "numero_actes", "objet": "objet", "matiere": "matiere"}
        places |= {"classification": "matiere", "nombre_annexes": "added", "taille": "added", "date": "decision_date"}
        field = places.get(code)
        return field if field in self.fields else None

    def clean_added(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["added"]
        if len(files) + len(self.pieces) > MAX_ANNEXES:
            raise forms.ValidationError(f"{MAX_ANNEXES} annexes au plus peuvent partir : regroupez-les.")
        return files

    def clean(self) -> dict[str, Any]:
        """The files as they would leave are bounded together before any of them is kept."""
        entered = super().clean() or self.cleaned_data
        sent = [file for name in entered if name.startswith("file_") and (file := entered[name])]
        kept = [
            piece.document
            for piece in self.pieces
            if not entered.get(f"file_{piece.pk}") and not entered.get(f"drop_{piece.pk}")
        ]
        new = [*sent, *entered.get("added", [])]
        if new:
            _fit_together([self.acte.document, *kept, *new])
        return entered

    @property
    def described(self) -> list[BoundField]:
        """The controls of the act itself."""
        names = ("objet", "numero", "decision_date", "numero_actes", "matiere", "type_piece")
        return [self[name] for name in names if name in self.fields]

    @property
    def annexes(self) -> Iterator[PieceFields]:
        """The controls of each annexe."""
        for piece in self.pieces:
            yield PieceFields(piece, self[f"type_{piece.pk}"], self[f"file_{piece.pk}"], self[f"drop_{piece.pk}"])


class DepositForm(forms.Form):
    """An act made elsewhere: its file, what goes with it and how it is described.

    ``holder`` is the act that has the number refused, for the page to lead to it.
    """

    holder: Acte | None = None

    fichier = BoundedFileField(
        label="Fichier de l’acte",
        limit=MAX_ARCHIVE,
        help_text="Un PDF, déjà signé s’il doit l’être : il partira tel quel.",
    )
    nature = forms.ChoiceField(
        label="Nature",
        choices=[("", "À choisir"), *Nature.choices],
        help_text="Un acte individuel se notifie aux personnes qu’il nomme ; les autres se publient.",
    )
    numero = forms.CharField(label="Numéro porté sur l’acte", max_length=60)
    decision_date = forms.DateField(
        label="Date de la décision", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    objet = Objet(label="Objet", help_text=f"{MAX_OBJECT} caractères au plus : c’est la limite du ministère.")
    matiere = forms.ChoiceField(label="Matière")
    type_piece = forms.ChoiceField(label="Type de l’acte", required=False)
    annexes = Files(
        label="Annexes",
        limit=MAX_ARCHIVE,
        required=False,
        help_text=f"PDF, JPG ou PNG, dans l’ordre de l’envoi ; {MAX_ANNEXES} au plus.",
    )
    annexes_type = forms.ChoiceField(label="Type des annexes", required=False)

    DESCRIBED = ("nature", "numero", "decision_date", "objet", "matiere", "type_piece")

    def __init__(self, classification: Classification | None, *args: Any, number_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.types = {nature: piece_types(classification, nature) for nature in Nature.values}
        shown = [(code, f"{code} {label}") for code, label in _matieres(classification)]
        if shown:
            self._choose("matiere", [("", "À choisir"), *shown])
        else:
            self.fields["matiere"] = forms.RegexField(
                r"^[1-9](\.[0-9]{1,2}){1,4}$",
                label="Matière",
                help_text="Son code, par exemple 5.7 : la préfecture n’a pas encore donné sa classification.",
                error_messages={"invalid": "Donnez le code de la matière, par exemple 5.7."},
            )
        groups = [
            (label, [(code, f"{code} {name}") for code, name in self.types[nature]])
            for nature, label in Nature.choices
            if self.types[nature]
        ]
        self._choose("type_piece", [("", "Le type usuel de la nature"), *groups])
        self._choose("annexes_type", [("", "Le type usuel de la nature"), *groups])
        follows = {"hx-get": number_url, "hx-trigger": "input changed delay:400ms", "hx-target": "#numero-transmis"}
        self.fields["numero"].widget.attrs |= follows

    def _choose(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_decision_date(self) -> date:
        day: date = self.cleaned_data["decision_date"]
        if day > clock.today():
            raise forms.ValidationError("La date de la décision est à venir : indiquez celle de l’acte.")
        return day

    def clean_annexes(self) -> list[UploadedFile]:
        files: list[UploadedFile] = self.cleaned_data["annexes"]
        if len(files) > MAX_ANNEXES:
            raise forms.ValidationError(
                f"{MAX_ANNEXES} annexes au plus peuvent partir, vous en avez choisi {len(files)} : regroupez-les."
            )
        return files

    def clean(self) -> dict[str, Any]:
        """The types are of the nature chosen; the files are bounded together before any of them is kept."""
        entered = super().clean() or self.cleaned_data
        if nature := entered.get("nature"):
            known = [code for code, _ in self.types[nature]]
            for name in ("type_piece", "annexes_type"):
                if known and entered.get(name) and entered[name] not in known:
                    self.add_error(name, "Ce type n’est pas de la nature choisie : prenez-en un de son groupe.")
            if known and not entered.get("type_piece") and NATURES[nature].default_piece not in known:
                self.add_error("type_piece", "Cette nature n’a pas de type usuel : choisissez-en un dans son groupe.")
        _fit_together(filter(None, [entered.get("fichier"), *entered.get("annexes", [])]))
        return entered

    @property
    def facts(self) -> dict[str, str]:
        """What was entered, as the service of deposit takes it."""
        entered = self.cleaned_data
        named = {name: entered[name] for name in self.DESCRIBED if name != "decision_date"}
        return named | {"date": entered["decision_date"].isoformat()}

    @property
    def files_to_choose_again(self) -> bool:
        """True when files came with a form that is shown again: no browser keeps them."""
        return bool(self.files) and bool(self.errors)


def _fit_together(files: Iterable[UploadedFile | Document]) -> None:
    """Raise ``ValidationError``, with the size and the limit, for files that one archive cannot carry."""
    total = sum(file.size or 0 for file in files)
    if total > MAX_ARCHIVE:
        raise forms.ValidationError(
            f"L’ensemble des fichiers {exceeds(total, MAX_ARCHIVE)}, ce qu’un envoi à la préfecture peut porter : "
            "allégez-les ou annoncez des pièces sur papier."
        )


def _matieres(classification: Classification | None) -> list[tuple[str, str]]:
    """Matières of two levels or more, in numeric order."""
    known = classification.matieres if classification else []
    usable = [(m["code"], m["label"]) for m in known if "." in m["code"]]
    return sorted(usable, key=lambda matiere: sort_key(matiere[0]))


class AnswerForm(forms.Form):
    """How a letter is answered: the kind of answer, then its files, each with its type."""

    ROWS = 6

    kind = forms.ChoiceField(label="Votre réponse", widget=forms.RadioSelect)

    def __init__(self, letter: Transaction, classification: Classification | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert letter.acte is not None
        kinds = ANSWERS.get(letter.kind, ())
        field = self.fields["kind"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(kind), kind.label) for kind in kinds]
        field.initial = str(kinds[0]) if kinds else None
        types = piece_types(classification, letter.acte.nature)
        usual = DEFAULT_ANNEXE[letter.acte.nature]
        choices = [(code, f"{code} {label}") for code, label in types] or [(usual, usual)]
        self.rows = self.ROWS if SEVERAL in kinds else 1
        for rank in range(1, self.rows + 1):
            named = f"Fichier n° {rank}" if self.rows > 1 else "Fichier"
            self.fields[f"file_{rank}"] = BoundedFileField(
                label=named, limit=MAX_ARCHIVE, required=rank == 1, help_text=self._help(rank)
            )
            self.fields[f"type_{rank}"] = forms.ChoiceField(
                label=f"Type du {named.lower()}", choices=choices, required=False, initial=choices[0][0]
            )

    def _help(self, rank: int) -> str:
        if rank > 1:
            return ""
        return "PDF, JPG ou PNG ; un refus tient en un seul PDF." if self.rows > 1 else "Un PDF."

    def clean(self) -> dict[str, Any]:
        """The files of the answer are bounded together before any of them is kept."""
        entered = super().clean() or self.cleaned_data
        _fit_together([file for name in entered if name.startswith("file_") and (file := entered[name])])
        return entered

    @property
    def files_given(self) -> list[tuple[UploadedFile, str]]:
        """The files sent with their types, in order; the usual type where none was chosen."""
        given = [(self.cleaned_data.get(f"file_{n}"), self.cleaned_data[f"type_{n}"]) for n in range(1, self.rows + 1)]
        return [(file, code or self.fields["type_1"].initial) for file, code in given if file]


class SetAsideForm(forms.Form):
    """Why a message of the basket needs nothing."""

    reason = forms.CharField(
        label="Motif",
        max_length=300,
        help_text="Conservé avec le message.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AttachForm(forms.Form):
    """Which act a message of the basket is about; whoever sent it must be vouched for when nothing proves it."""

    acte = forms.CharField(label="Numéro ou identifiant unique de l’acte", max_length=60)
    accepter = forms.BooleanField(
        label="La préfecture m’a confirmé que ce message vient d’elle",
        help_text="Rien ne le prouve ici. Votre décision est inscrite au journal.",
        error_messages={"required": "Interrogez la préfecture, puis cochez cette case : rien ne prouve l’expéditeur."},
    )

    def __init__(self, *args: Any, proven: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if proven:
            del self.fields["accepter"]
