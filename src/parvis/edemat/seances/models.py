"""State of a deliberating body: its members, meetings, convocations, presences, powers, ballots and
deliberations.

What the law forbids is forbidden by the database too: two powers on one holder, a number used twice, counts
of a
ballot that do not make its voters.
"""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.organisations.models import TenantModel
from parvis.edemat.seances.formats.lettres import date_courte
from parvis.edemat.seances.formats.presences import Kind
from parvis.edemat.seances.formats.regimes import REGIMES, Regime
from parvis.edemat.seances.formats.scrutin import MODE_LABELS, Mode, Result, Voice

LONG, SHORT = 1000, 255


class Organe(TenantModel):
    """A deliberating body of an organisation, with the pattern of its numbers."""

    name = models.CharField("nom", max_length=SHORT)
    chair_title = models.CharField("qualité du président", max_length=80, default="Maire")
    number_pattern = models.CharField("modèle de numéro", max_length=60, default="#AA#.#MM#.#JJ#.#00#")
    reset_key = models.CharField("remise à un", max_length=40, default="#AA##MM##JJ#")
    tribunal = models.CharField("tribunal administratif", max_length=120, default="Montpellier")
    place = models.CharField("lieu habituel", max_length=SHORT, blank=True)
    seats = models.PositiveSmallIntegerField(
        "effectif légal", null=True, blank=True, help_text="Fixé au dernier renouvellement général (CGCT L2121-2)."
    )

    class Meta:
        verbose_name = "assemblée"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="organe_name")]

    def __str__(self) -> str:
        return self.name

    def regime_on(self, day: date) -> Regime:
        """The ordinary legal regime in force on `day`; LookupError when none was recorded."""
        row = self.regimes.filter(Q(until__isnull=True) | Q(until__gte=day), since__lte=day).order_by("-since").first()
        if row is None:
            raise LookupError(f"no regime of {self.pk} on {day}")
        return row.regime


class OrganeRegime(TenantModel):
    """The legal regime of a body between two dates: a commune may cross 3 500 inhabitants."""

    organe = models.ForeignKey(Organe, models.PROTECT, related_name="regimes")
    code = models.CharField("régime", max_length=20, choices=[(r.code, r.label) for r in REGIMES.values()])
    since = models.DateField("depuis le")
    until = models.DateField("jusqu’au", null=True, blank=True)

    class Meta:
        verbose_name = "régime d’une assemblée"
        ordering = ["organe", "since"]
        constraints = [
            models.UniqueConstraint(fields=["organe", "since"], name="organe_regime_since"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="organe_regime_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organe} : {self.get_code_display()}"

    @property
    def regime(self) -> Regime:
        return REGIMES[self.code]


class Channel(models.TextChoices):
    DEMATERIALISE = "dematerialise", "Courrier électronique"
    PAPIER = "papier", "Papier, à sa demande"


class EluQuerySet(models.QuerySet["Elu"]):
    def in_office(self, day: date) -> "EluQuerySet":
        return self.filter(Q(term_end__isnull=True) | Q(term_end__gte=day), term_start__lte=day)

    def on_tableau(self) -> "EluQuerySet":
        """Those in office today or soon to be: the ranks of the tableau are theirs, to the last day of their term."""
        return self.filter(Q(term_end__isnull=True) | Q(term_end__gte=clock.today()))

    def lasting(self) -> "EluQuerySet":
        """Those whose term has no end written: the same person, or the same account, is once among them."""
        return self.filter(term_end__isnull=True)


class Elu(TenantModel):
    """A member of a body, in the order of the tableau. No more personal data than the convention allows."""

    class Civility(models.TextChoices):
        MADAME = "Mme", "Madame"
        MONSIEUR = "M.", "Monsieur"

    organe = models.ForeignKey(Organe, models.PROTECT, related_name="elus")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="elus")
    civility = models.CharField("civilité", max_length=4, choices=Civility.choices)
    given_name = models.CharField("prénom", max_length=80, blank=True)
    family_name = models.CharField("nom", max_length=80)
    function = models.CharField("fonction", max_length=160, blank=True)
    group = models.CharField("groupe politique", max_length=SHORT, blank=True)
    email = models.EmailField("adresse électronique", blank=True)
    channel = models.CharField("convocation par", max_length=15, choices=Channel.choices, default=Channel.DEMATERIALISE)
    postal_address = models.CharField("adresse choisie pour le papier", max_length=254, blank=True)
    rank = models.PositiveSmallIntegerField("rang au tableau")
    term_start = models.DateField("début du mandat")
    term_end = models.DateField("fin du mandat", null=True, blank=True)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name="en remplacement de"
    )

    objects = EluQuerySet.as_manager()

    class Meta:
        verbose_name = "élu"
        ordering = ["organe", "rank"]
        constraints = [
            models.CheckConstraint(
                condition=Q(term_end__isnull=True) | Q(term_end__gte=F("term_start")), name="elu_term_dates"
            ),
            models.CheckConstraint(condition=~Q(channel="dematerialise", email=""), name="elu_address"),
            models.UniqueConstraint(
                fields=["organe", "rank"], condition=Q(term_end__isnull=True), name="elu_rank_on_tableau"
            ),
            models.UniqueConstraint(
                fields=["organe", "account"], condition=Q(term_end__isnull=True), name="elu_account_once"
            ),
        ]
        indexes = [models.Index(fields=["account"], name="elu_account")]

    def __str__(self) -> str:
        return self.short_name

    @property
    def short_name(self) -> str:
        """The name as minutes print it: "M. DE CHAMBRUN"."""
        return f"{self.civility} {self.family_name.upper()}"

    @property
    def long_name(self) -> str:
        return " ".join(filter(None, [self.civility, self.given_name, self.family_name.upper()]))

    @property
    def signature_name(self) -> str:
        return " ".join(filter(None, [self.given_name, self.family_name.upper()]))


class SeanceQuerySet(models.QuerySet["Seance"]):
    def coming(self) -> "SeanceQuerySet":
        return self.exclude(state__in=Seance.OVER).order_by("starts_at", "id")

    def past(self) -> "SeanceQuerySet":
        return self.filter(state__in=Seance.OVER).order_by("-starts_at", "-id")


class Seance(FSMModelMixin, TenantModel):
    """One meeting. Its members are frozen as convocations on the day it is convened."""

    class State(models.TextChoices):
        EN_PREPARATION = "en_preparation", "En préparation"
        CONVOQUEE = "convoquee", "Convoquée"
        EN_COURS = "en_cours", "En cours"
        LEVEE = "levee", "Levée"
        CLOSE = "close", "Close"
        SANS_QUORUM = "sans_quorum", "Quorum non atteint"
        ANNULEE = "annulee", "Annulée"
        REPORTEE = "reportee", "Reportée"

    CALLED_OFF = (State.ANNULEE, State.REPORTEE)
    OVER = (State.LEVEE, State.CLOSE, State.SANS_QUORUM, *CALLED_OFF)

    organe = models.ForeignKey(Organe, models.PROTECT, related_name="seances", verbose_name="assemblée")
    session = models.CharField("session", max_length=40, default="ordinaire", blank=True)
    starts_at = models.DateTimeField("début")
    duration_minutes = models.PositiveSmallIntegerField("durée prévue, en minutes", default=120)
    place = models.CharField("lieu", max_length=SHORT)
    state = FSMField("état", max_length=15, choices=State.choices, default=State.EN_PREPARATION, protected=True)
    urgency = models.BooleanField("convocation en urgence", default=False)
    urgency_motive = models.CharField("motif de l’urgence", max_length=LONG, blank=True)
    urgency_voted = models.BooleanField("urgence admise par l’assemblée", null=True, blank=True)
    second_of = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="second",
        verbose_name="seconde convocation de",
    )
    report_of = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reported_to", verbose_name="report de"
    )
    president = models.ForeignKey(
        Elu, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="présidence"
    )
    secretary = models.ForeignKey(
        Elu, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="secrétaire de séance"
    )
    revision = models.PositiveIntegerField("révision", default=0)
    convocation_document = models.ForeignKey(
        "documents.Document", models.PROTECT, null=True, editable=False, related_name="+"
    )
    invitation_document = models.ForeignKey(
        "documents.Document", models.PROTECT, null=True, editable=False, related_name="+"
    )
    convoked_at = models.DateTimeField("convoquée le", null=True, editable=False)
    opened_at = models.DateTimeField("ouverte le", null=True, editable=False)
    ended_at = models.DateTimeField("levée le", null=True, editable=False)

    objects = SeanceQuerySet.as_manager()

    class Meta:
        verbose_name = "séance"
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organe", "starts_at"],
                condition=~Q(state__in=["annulee", "reportee"]),
                name="seance_once",
            ),
            models.CheckConstraint(condition=Q(urgency=False) | ~Q(urgency_motive=""), name="seance_urgency_motive"),
            models.CheckConstraint(
                condition=Q(state="en_preparation") | Q(convoked_at__isnull=False), name="seance_convoked"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-starts_at", "-id"], name="seance_recent")]

    def __str__(self) -> str:
        return f"{self.organe.name} du {date_courte(self.day)}"

    @property
    def day(self) -> date:
        """The day of the meeting in Paris, the one that delays and numbers are counted from."""
        return clock.paris(self.starts_at).date()

    @property
    def starts_in_paris(self) -> datetime:
        return clock.paris(self.starts_at)

    @property
    def regime(self) -> Regime:
        """The regime of this meeting: that of a second convocation, or the body's own on that day."""
        return REGIMES["seconde_convocation"] if self.second_of_id else self.organe.regime_on(self.day)

    @property
    def convocation_pdf(self) -> Document:
        """The convocation as sent; the meeting must have been convened."""
        if self.convocation_document is None:
            raise LookupError(f"meeting {self.pk} was not convened")
        return self.convocation_document

    @property
    def invitation_ics(self) -> Document:
        """The calendar invitation of the chair; the meeting must have been convened."""
        if self.invitation_document is None:
            raise LookupError(f"meeting {self.pk} was not convened")
        return self.invitation_document

    @transition(field=state, source=State.EN_PREPARATION, target=State.CONVOQUEE)
    def convoke(self) -> None:
        """The convocations leave."""

    @transition(field=state, source=State.CONVOQUEE, target=State.EN_COURS)
    def open(self) -> None:
        """The chair opens the meeting."""

    @transition(field=state, source=State.CONVOQUEE, target=State.SANS_QUORUM)
    def disperse(self) -> None:
        """Too few members came: the same items will be put to a second meeting."""

    @transition(field=state, source=State.CONVOQUEE, target=State.ANNULEE)
    def call_off(self) -> None:
        """The meeting will not be held."""

    @transition(field=state, source=State.CONVOQUEE, target=State.REPORTEE)
    def put_off(self) -> None:
        """The meeting will be held another day, under another convocation."""

    @transition(field=state, source=State.EN_COURS, target=State.LEVEE)
    def rise(self) -> None:
        """The chair closes the debates."""

    @transition(field=state, source=State.LEVEE, target=State.CLOSE)
    def close(self) -> None:
        """Every deliberation has left for signature."""


class Point(TenantModel):
    """An item of the agenda with the draft put to the body."""

    class Outcome(models.TextChoices):
        INSCRIT = "inscrit", "Inscrit"
        VOTE = "vote", "Voté"
        RENVOYE = "renvoye", "Renvoyé à une autre séance"
        RETIRE = "retire", "Retiré"

    seance = models.ForeignKey(Seance, models.PROTECT, related_name="points")
    rank = models.PositiveSmallIntegerField("rang")
    title = models.CharField("titre", max_length=LONG)
    rapporteur = models.ForeignKey(
        Elu, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="rapporteur"
    )
    expose = models.TextField("exposé des motifs", blank=True)
    visas = models.TextField("visas", blank=True, help_text="Un par ligne.")
    considerants = models.TextField("considérants", blank=True, help_text="Un par ligne.")
    dispositif = models.TextField(
        "dispositif", blank=True, help_text="Un article par ligne, son verbe en capitales : D’APPROUVER…"
    )
    closing_mention = models.TextField("mention finale", blank=True)
    nature = models.CharField("nature de l’acte", max_length=2, default="1")
    matiere = models.CharField("matière", max_length=12, blank=True, help_text="À deux niveaux, par exemple 5.7.")
    matiere_label = models.CharField("intitulé de la matière", max_length=SHORT, blank=True)
    quoted_amounts = models.JSONField("montants cités", default=list, blank=True)
    annexed_amounts = models.JSONField("montants des annexes", default=list, blank=True)
    outcome = models.CharField("suite", max_length=10, choices=Outcome.choices, default=Outcome.INSCRIT)

    class Meta:
        verbose_name = "point de l’ordre du jour"
        ordering = ["seance", "rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["seance", "rank"], name="point_rank", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=Q(rank__gte=1), name="point_rank_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.title}"


class Annexe(TenantModel):
    """A document annexed to an item."""

    point = models.ForeignKey(Point, models.PROTECT, related_name="annexes")
    rank = models.PositiveSmallIntegerField("rang")
    title = models.CharField("intitulé", max_length=200)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    to_prefecture = models.BooleanField("joindre au contrôle de légalité", default=True)

    class Meta:
        verbose_name = "annexe"
        ordering = ["point", "rank"]
        constraints = [models.UniqueConstraint(fields=["point", "rank"], name="annexe_rank")]

    def __str__(self) -> str:
        return self.title


class Convocation(TenantModel):
    """A member convened to a meeting: the frozen name, channel and address, and what became of the
    sending."""

    class State(models.TextChoices):
        EN_FILE = "en_file", "En file d’envoi"
        REMIS_AU_RELAIS = "remis_au_relais", "Envoyée"
        REBOND = "rebond", "Non distribuée"
        LU = "lu", "Lue"
        A_PORTER = "a_porter", "À remettre sur papier"
        PORTEE = "portee", "Remise sur papier"

    seance = models.ForeignKey(Seance, models.PROTECT, related_name="convocations")
    elu = models.ForeignKey(Elu, models.PROTECT, related_name="convocations")
    rank = models.PositiveSmallIntegerField("rang au tableau")
    name = models.CharField("nom", max_length=200)
    channel = models.CharField("canal", max_length=15, choices=Channel.choices)
    address = models.CharField("adresse", max_length=254, blank=True)
    state = models.CharField("état", max_length=16, choices=State.choices)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    message_id = models.CharField(max_length=255, blank=True)
    last_error = models.CharField("dernier incident", max_length=500, blank=True)
    sent_at = models.DateTimeField("envoyée le", null=True)
    read_at = models.DateTimeField("lue le", null=True)

    class Meta:
        verbose_name = "convocation"
        ordering = ["seance", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["seance", "elu"], name="convocation_once"),
            models.UniqueConstraint(fields=["seance", "name"], name="convocation_name"),
            models.CheckConstraint(
                condition=~Q(state__in=["remis_au_relais", "lu", "portee"]) | Q(sent_at__isnull=False),
                name="convocation_sent_at",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Preuve(TenantModel):
    """An evidence statement of a meeting and its time-stamp token; rows are chained and never deleted."""

    class Kind(models.TextChoices):
        ENVOI = "envoi", "Envoi des convocations"
        RENVOI = "renvoi", "Nouvel envoi"
        LECTURE = "lecture", "Accusé de réception"
        MODIFICATION = "modification", "Modification"
        POUVOIR = "pouvoir", "Pouvoir"
        RECTIFICATIF = "rectificatif", "Avis rectificatif"
        ANNULATION = "annulation", "Annulation ou report"

    seance = models.ForeignKey(Seance, models.PROTECT, related_name="preuves")
    rank = models.PositiveIntegerField("rang")
    kind = models.CharField("nature", max_length=15, choices=Kind.choices)
    convocation = models.ForeignKey(Convocation, models.PROTECT, null=True, related_name="preuves")
    statement = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    made_at = models.DateTimeField("établie le")
    token = models.ForeignKey("documents.Document", models.PROTECT, null=True, related_name="+")
    stamped_at = models.DateTimeField("horodatée le", null=True)
    serial = models.CharField("numéro du jeton", max_length=80, blank=True)
    authority = models.CharField("autorité", max_length=200, blank=True)

    class Meta:
        verbose_name = "preuve"
        ordering = ["seance", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["seance", "rank"], name="preuve_rank"),
            models.CheckConstraint(
                condition=Q(token__isnull=True, stamped_at__isnull=True)
                | Q(token__isnull=False, stamped_at__isnull=False),
                name="preuve_token_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.rank}"


class Avis(TenantModel):
    """What a member is told after the convocation: a correction, a cancellation, a report; and its sending."""

    class Kind(models.TextChoices):
        RECTIFICATIF = "rectificatif", "Avis rectificatif"
        ANNULATION = "annulation", "Avis d’annulation"
        REPORT = "report", "Avis de report"

    class State(models.TextChoices):
        EN_FILE = "en_file", "En file d’envoi"
        ENVOYE = "envoye", "Envoyé"
        REBOND = "rebond", "Non distribué"
        A_PORTER = "a_porter", "À remettre sur papier"
        PORTE = "porte", "Remis en main propre"
        DEPASSE = "depasse", "Remplacé par un avis suivant"

    WAITING = (State.EN_FILE, State.REBOND, State.A_PORTER)

    convocation = models.ForeignKey(Convocation, models.PROTECT, related_name="avis")
    kind = models.CharField("nature", max_length=15, choices=Kind.choices)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField("numéro d’ordre")
    changes = models.JSONField("ce qui change", default=list)
    state = models.CharField("état", max_length=10, choices=State.choices)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    sent_at = models.DateTimeField("envoyé le", null=True)

    class Meta:
        verbose_name = "avis"
        ordering = ["convocation", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["convocation", "sequence"], name="avis_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["envoye", "porte"]) | Q(sent_at__isnull=False), name="avis_sent_at"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} à {self.convocation}"


class Liste(TenantModel):
    """The list of the deliberations examined at a meeting, published within the week (CGCT L2121-25).

    ``rows`` hold what it says (numero, objet, decision), so that the public page reads nothing else.
    """

    seance = models.OneToOneField(Seance, models.PROTECT, related_name="liste")
    organe_name = models.CharField("assemblée", max_length=SHORT)
    day = models.DateField("date de la séance")
    rows = models.JSONField("délibérations", default=list)
    document = models.ForeignKey("documents.Document", models.PROTECT, related_name="+")
    published_at = models.DateTimeField("mise en ligne le")

    class Meta:
        verbose_name = "liste des délibérations"
        verbose_name_plural = "listes des délibérations"
        ordering = ["-day", "-id"]
        indexes = [models.Index(fields=["organisation", "-day", "-id"], name="liste_recent")]

    def __str__(self) -> str:
        return f"Liste des délibérations, {self.organe_name} du {date_courte(self.day)}"


class Mouvement(TenantModel):
    """A line of the presence journal: who, what, from which item on. Corrected by a new line, never
    rewritten."""

    seance = models.ForeignKey(Seance, models.PROTECT, related_name="mouvements")
    convocation = models.ForeignKey(Convocation, models.PROTECT, related_name="mouvements")
    rank = models.PositiveIntegerField("ordre")
    kind = models.CharField("nature", max_length=15, choices=[(kind.value, kind.value) for kind in Kind])
    from_item = models.PositiveSmallIntegerField("à partir du point", default=0)
    holder = models.ForeignKey(Convocation, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField("à")

    class Meta:
        verbose_name = "mouvement"
        ordering = ["seance", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["seance", "rank"], name="mouvement_rank"),
            models.CheckConstraint(
                condition=Q(kind="pouvoir_donne", holder__isnull=False)
                | (~Q(kind="pouvoir_donne") & Q(holder__isnull=True)),
                name="mouvement_holder",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.convocation} : {self.kind}"


class PouvoirQuerySet(models.QuerySet["Pouvoir"]):
    def standing(self) -> "PouvoirQuerySet":
        return self.filter(revoked_at__isnull=True)


class Pouvoir(TenantModel):
    """A written power: one giver, one holder, always revocable (CGCT L2121-20)."""

    seance = models.ForeignKey(Seance, models.PROTECT, related_name="pouvoirs")
    giver = models.ForeignKey(Convocation, models.PROTECT, related_name="pouvoirs_donnes")
    holder = models.ForeignKey(Convocation, models.PROTECT, related_name="pouvoirs_portes")
    received_at = models.DateTimeField("reçu le")
    revoked_at = models.DateTimeField("révoqué le", null=True)

    objects = PouvoirQuerySet.as_manager()

    class Meta:
        verbose_name = "pouvoir"
        ordering = ["seance", "giver__rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["holder"], condition=Q(revoked_at__isnull=True), name="pouvoir_one_per_holder"
            ),
            models.UniqueConstraint(
                fields=["giver"], condition=Q(revoked_at__isnull=True), name="pouvoir_one_per_giver"
            ),
            models.CheckConstraint(condition=~Q(giver=F("holder")), name="pouvoir_two_people"),
        ]

    def __str__(self) -> str:
        return f"{self.giver} → {self.holder}"


class Scrutin(TenantModel):
    """The ballot on an item, with the composition of the body computed when it was taken."""

    point = models.OneToOneField(Point, models.PROTECT, related_name="scrutin")
    mode = models.CharField("mode", max_length=15, choices=[(mode.value, MODE_LABELS[mode]) for mode in Mode])
    en_exercice = models.PositiveSmallIntegerField()
    presents = models.PositiveSmallIntegerField()
    pouvoirs = models.PositiveSmallIntegerField()
    hors_vote = models.PositiveSmallIntegerField("voix retirées du vote", default=0)
    nppv = models.PositiveSmallIntegerField("ne prennent pas part au vote", default=0)
    votants = models.PositiveSmallIntegerField()
    pour = models.PositiveSmallIntegerField(default=0)
    contre = models.PositiveSmallIntegerField(default=0)
    abstention = models.PositiveSmallIntegerField(default=0)
    blancs = models.PositiveSmallIntegerField(default=0)
    nuls = models.PositiveSmallIntegerField(default=0)
    chair_voice = models.CharField(max_length=12, choices=[(v.value, v.value) for v in Voice])
    result = models.CharField("résultat", max_length=12, choices=[(r.value, r.value) for r in Result])
    mention = models.CharField("mention", max_length=SHORT)
    composition = models.JSONField("composition")
    taken_at = models.DateTimeField("à")

    class Meta:
        verbose_name = "scrutin"
        constraints = [
            models.CheckConstraint(
                condition=Q(votants=F("presents") + F("pouvoirs") - F("hors_vote") - F("nppv")),
                name="scrutin_votants",
            ),
            models.CheckConstraint(
                condition=Q(mode="sans_vote", pour=0, contre=0, abstention=0, blancs=0, nuls=0)
                | (
                    ~Q(mode="sans_vote")
                    & Q(votants=F("pour") + F("contre") + F("abstention") + F("blancs") + F("nuls"))
                ),
                name="scrutin_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.point} : {self.mention}"


class Compteur(TenantModel):
    """The sequence of a body's numbers for one value of its reset key; locked while a number is drawn."""

    organe = models.ForeignKey(Organe, models.PROTECT, related_name="compteurs")
    reset_value = models.CharField(max_length=40)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "compteur"
        constraints = [models.UniqueConstraint(fields=["organe", "reset_value"], name="compteur_once")]

    def __str__(self) -> str:
        return f"{self.organe} {self.reset_value} : {self.last}"


class Deliberation(TenantModel):
    """What the body decided on an item: its number, its document, and the verdict of the checks."""

    class Work(models.TextChoices):
        """Where the job that composes and checks the document stands; empty when there is none."""

        DEMANDE = "demande", "En cours d’établissement"
        INTERROMPU = "interrompu", "Établissement interrompu"

    point = models.OneToOneField(Point, models.PROTECT, related_name="deliberation")
    number = models.CharField("numéro", max_length=15)
    actes_number = models.CharField("numéro à la préfecture", max_length=15)
    nature = models.CharField("nature", max_length=2)
    day = models.DateField("date de la séance")
    checks = models.JSONField("contrôles", default=list)
    document = models.ForeignKey("documents.Document", models.PROTECT, null=True, related_name="+")
    work = models.CharField("établissement", max_length=10, choices=Work.choices, blank=True, default="")
    route = models.OneToOneField("routing.Route", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField("établie le")

    class Meta:
        verbose_name = "délibération"
        ordering = ["-day", "number"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="deliberation_number"),
            models.UniqueConstraint(
                fields=["organisation", "nature", "day", "actes_number"], name="deliberation_actes_number"
            ),
            models.CheckConstraint(
                condition=Q(route__isnull=True) | Q(document__isnull=False),
                name="deliberation_routed_document",
            ),
        ]

    def __str__(self) -> str:
        return f"Délibération n° {self.number}"

    @property
    def faults(self) -> list[dict[str, object]]:
        """The blocking checks that are not met."""
        return [check for check in self.checks if check["severity"] == "bloquant" and not check["ok"]]

    @property
    def remarks(self) -> list[dict[str, object]]:
        """The warnings to show."""
        return [check for check in self.checks if check["severity"] == "avertissement" and not check["ok"]]
