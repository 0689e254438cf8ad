"""What the page of an act shows: its route, what can be done now and by whom, its files and its journal."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.urls import reverse

from parvis.core import clock
from parvis.core.documents.models import Document
from parvis.core.journal.models import Entry
from parvis.core.routing.models import RouteStep
from parvis.core.web.templatetags.parvis import date_courte, date_heure, date_longue, date_moyenne, jour_heure, pluriel
from parvis.edemat.actes.enums import Nature, Status, TransactionKind
from parvis.edemat.actes.legal_dates import DefereDelay, last_appeal_day, online_until
from parvis.edemat.actes.models import ACKNOWLEDGED, Acte, Publication, Transaction
from parvis.edemat.actes.publication import known_by_notification, known_on, may_hold_personal_data
from parvis.edemat.actes.services import cancellation, letters

SINGULAR = {
    "1": "Délibération",
    "2": "Arrêté",
    "3": "Décision individuelle",
    "4": "Contrat",
    "5": "Document budgétaire",
    "6": "Acte",
}

TRANSMIT, PUBLISH, RESOLVE = "actes.transmettre", "actes.publier", "actes.transmettre"
CORRECT = "actes.preparer"

JOURNAL_LENGTH = 60

DATED = ("actes.transmission", "actes.acquittement")
"""Steps whose summary only repeats the date that is shown."""


@dataclass(frozen=True)
class Action:
    """The banner under the route: what comes next, and the button when the person may do it."""

    title: str
    text: str = ""
    state: str = "now"
    verb: str = ""
    url: str = ""
    other_verb: str = ""
    other_url: str = ""


@dataclass(frozen=True)
class File:
    """One line of the document card."""

    label: str
    document: Document
    note: str = ""
    signature: str = ""


@dataclass(frozen=True)
class Letter:
    """One letter of the préfecture, its answer, and what may be done with it ("" where nothing)."""

    letter: Transaction
    answer: Transaction | None
    read_url: str
    answer_url: str
    close_url: str
    send_url: str
    receipt_url: str

    @property
    def restarts(self) -> bool:
        """True while the answer that starts the préfet's delay again is due."""
        return self.letter.kind in letters.QUESTIONS and not (self.answer and self.answer.received_on)


class Dossier:
    """One act as a person who holds ``permissions`` sees it; everything is read once."""

    def __init__(self, acte: Acte, permissions: frozenset[str]) -> None:
        self.acte = acte
        self.permissions = permissions

    # --- heading ---
    @property
    def subtitle(self) -> str:
        """« Délibération 19.07.01.05 · 5.7 Intercommunalité · 034-…-DE »."""
        matiere = f"{self.acte.matiere} {self.acte.matiere_label}".strip()
        return " · ".join(
            filter(None, [f"{SINGULAR[self.acte.nature]} {self.acte.numero}", matiere, self.acte.unique_id])
        )

    @property
    def crumbs(self) -> list[dict[str, str]]:
        here = [{"label": "Actes", "url": self._url("list", pk=False)}]
        if self.acte.nature == Nature.DELIBERATION:
            meeting = f"Séance du {date_moyenne(self.acte.decision_date)}"
            here.append({"label": meeting, "url": ""})
        return here

    def _url(self, name: str, *, pk: bool = True) -> str:
        place: dict[str, Any] = {"organisation_slug": self.acte.organisation.slug}
        return reverse(f"actes:{name}", kwargs=place | ({"pk": self.acte.pk} if pk else {}))

    # --- state ---
    @cached_property
    def transaction(self) -> Transaction | None:
        return self.acte.transaction

    @property
    def trial(self) -> bool:
        """True when the latest transmission is a trial, which gives the act no force."""
        return self.transaction is not None and self.transaction.test

    @cached_property
    def publication(self) -> Publication | None:
        """The publication online, if any."""
        return self.acte.publications.online().select_related("stamped").defer("text", "search").first()

    @property
    def public_url(self) -> str:
        if not self.publication:
            return ""
        return reverse("actes_public:detail", args=[self.acte.organisation.slug, self.publication.pk])

    # --- route ---
    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """Steps for the cheminement; an act sent without a route shows the steps of this service alone."""
        if self.acte.route is None:
            return self._own_steps()
        return [
            self._step(step) for step in self.acte.route.steps.select_related("route", "organisation").order_by("rank")
        ]

    def _step(self, step: RouteStep) -> dict[str, Any]:
        """A publication whose documents are still being made is told as it is: done, though its step ends with them."""
        if step.code == "actes.publication" and step.state == RouteStep.State.CURRENT and self._known:
            label = "Notifiée" if known_by_notification(self.acte) else "Publiée"
            return {"label": label, "state": RouteStep.State.DONE, "lines": [self._when(step)], "url": ""}
        return {"label": step.label, "state": step.state, "lines": self._lines(step), "url": step.failure_page}

    @property
    def _known(self) -> bool:
        return self.publication is not None or known_by_notification(self.acte)

    def _lines(self, step: RouteStep) -> list[str]:
        if step.state == RouteStep.State.DONE and step.ended_at:
            said = "" if step.code in DATED else step.summary
            return list(filter(None, [self._when(step), said]))
        if step.state == RouteStep.State.CURRENT:
            since = f"depuis le {jour_heure(step.started_at)}" if step.started_at else ""
            return list(filter(None, [since, step.summary]))
        if step.state == RouteStep.State.DROPPED and step.ended_at:
            return [jour_heure(step.ended_at), step.summary]
        return [step.summary] if step.summary else []

    def _when(self, step: RouteStep) -> str:
        """The legal date of the step when the act knows it, else when the step ended."""
        if step.code == "actes.transmission" and self.acte.sent_at:
            return jour_heure(self.acte.sent_at)
        received, ended = self.acte.received_on, step.ended_at
        if step.code == "actes.acquittement" and ended and received != clock.paris(ended).date():
            return date_moyenne(received)
        if step.code == "actes.publication" and self.acte.published_on:
            return self._published
        if step.code == "actes.publication" and self.acte.notified_on:
            return date_moyenne(self.acte.notified_on)
        return jour_heure(step.ended_at)

    @property
    def _published(self) -> str:
        """When the act went online; the day alone when it was put online for an earlier day, or withdrawn."""
        online, day = self.publication, self.acte.published_on
        if online and clock.paris(online.published_at).date() == day:
            return jour_heure(online.published_at)
        return date_moyenne(day)

    def _own_steps(self) -> list[dict[str, Any]]:
        acte = self.acte
        done = [
            ("Transmise", "À transmettre", acte.sent_at, jour_heure(acte.sent_at) if acte.sent_at else ""),
            ("Acquittée", "À acquitter", acte.received_on, date_courte(acte.received_on)),
            ("Publiée", "À publier", acte.published_on, self._published if acte.published_on else ""),
        ]
        if acte.nature == Nature.INDIVIDUEL or (acte.notified_on and not acte.published_on):
            done[-1] = ("Notifiée", "À notifier", acte.notified_on, date_courte(acte.notified_on))
        steps, current = [], True
        for past, future, reached, when in done:
            if not reached and acte.status == Status.ANNULE:
                steps.append({"label": f"Non {past.lower()}", "state": "dropped", "lines": [cancellation.DONE]})
                continue
            state = "done" if reached else ("now" if current else "waiting")
            current = bool(reached) and current
            steps.append({"label": past if reached else future, "state": state, "lines": [when] if when else []})
        return steps

    # --- what is under way ---
    @property
    def awaits(self) -> bool:
        """True while something comes by itself: the State's receipt, or the documents that a job is making."""
        if self.acte.status in (Status.POSTE, Status.EN_ATTENTE, Status.TRANSMIS):
            return True
        return (self.acte.received_on == clock.today() and "bordereau" not in self._derived) or self._documents_to_come

    @property
    def asks_every(self) -> int:
        """Seconds between two looks of the page: documents take seconds; the State, minutes or days."""
        documents = self.acte.status not in (Status.POSTE, Status.EN_ATTENTE, Status.TRANSMIS)
        tried = self.transaction.attempt_started_at if self.transaction else None
        return 3 if documents or tried is None or clock.now() - tried < timedelta(minutes=2) else 30

    @property
    def _documents_to_come(self) -> bool:
        if self.acte.route is None or not self._known:
            return False
        return self.acte.route.steps.filter(code="actes.publication", state=RouteStep.State.CURRENT).exists()

    @cached_property
    def fingerprint(self) -> str:
        """Changes when the page has something new to show of what is under way."""
        said = self.transaction.delivery_message if self.transaction else ""
        states = [f"{step['label']}{step['state']}" for step in self.steps]
        known = [self.acte.status, len(self._derived), said, self._documents_to_come, self.asks_every, *states]
        return sha256("|".join(map(str, known)).encode()).hexdigest()[:16]

    # --- next action ---
    @cached_property
    def action(self) -> Action | None:
        """What comes next, said for the person who reads."""
        acte, transaction = self.acte, self.transaction
        if doubtful := acte.transactions.uncertain().order_by("id").first():
            return self._doubt(doubtful)
        match acte.status:
            case Status.ERREUR:
                return self._error(transaction)
            case Status.ANNULE:
                return Action(
                    "Transmission annulée",
                    "Ce numéro ne peut plus servir ; l’acte lui-même demeure.",
                    "waiting",
                )
            case Status.A_SIGNER:
                return Action("En attente de signature", "L’acte pourra partir dès qu’il sera signé.", "waiting")
            case Status.A_POSTER:
                return self._to_transmit()
            case Status.POSTE | Status.EN_ATTENTE:
                said = transaction.delivery_message if transaction else ""
                return Action(
                    "Envoi en cours", said or "L’acte part à la préfecture dans quelques instants.", "waiting"
                )
            case Status.TRANSMIS:
                return Action(
                    "En attente de l’accusé de réception",
                    f"Transmis le {date_heure(acte.sent_at)}. L’accusé vient en général en quelques minutes.",
                    "waiting",
                )
        return self._publication_action()

    def _doubt(self, doubtful: Transaction) -> Action:
        """The oldest exchange of the act whose outcome nobody knows, named unless it is the act's own transmission."""
        own = doubtful.kind == TransactionKind.ACTE
        place = {"organisation_slug": self.acte.organisation.slug, "pk": doubtful.pk}
        return self._offer(
            RESOLVE,
            Action(
                "Envoi incertain" if own else f"Envoi incertain : {doubtful.get_kind_display().lower()}",
                f"La préfecture a pu recevoir {'l’acte' if own else 'cet envoi'} sans que nous ayons sa réponse. Rien "
                "n’est renvoyé sans vous : vérifiez auprès de la préfecture ou attendez l’accusé de réception.",
                "danger",
                "Dire ce qu’il en est",
                reverse("actes:uncertain", kwargs=place),
            ),
        )

    def _to_transmit(self) -> Action:
        if self.blocking:
            points = pluriel(self.blocking, "point bloquant,points bloquants")
            text = f"{points} avant l’envoi : voyez les contrôles ci-dessous."
            action = Action("Corriger l’acte avant de le transmettre", text)
        else:
            text = "L’acte est prêt. La transmission est définitive : son numéro ne pourra plus servir."
            action = Action("Transmettre à la préfecture", text)
        return self._buttons(
            action, "" if self.blocking and CORRECT in self.permissions else "Transmettre à la préfecture"
        )

    def _error(self, transaction: Transaction | None) -> Action:
        detail = transaction.anomaly_detail or transaction.delivery_message if transaction else ""
        again = "Le même numéro peut servir de nouveau."
        text = f"Motif : « {detail} ». {again}" if detail else again
        return self._buttons(
            Action("Transmission en erreur", text, "danger"), "Contrôler et transmettre de nouveau", first=True
        )

    def _buttons(self, action: Action, verb: str, *, first: bool = False) -> Action:
        """``action`` with what the person may do of correcting and transmitting (``verb``, "" where it would be
        refused); correcting comes ``first`` or not."""
        correct, send = ("Corriger l’acte", self._url("correct")), (verb, self._url("transmit"))
        buttons = [correct] if CORRECT in self.permissions else []
        if verb and TRANSMIT in self.permissions:
            buttons.insert(len(buttons) if first else 0, send)
        if not buttons:
            return replace(action, state="danger" if action.state == "danger" else "waiting")
        (main, url), (other, other_url) = buttons[0], buttons[1] if len(buttons) > 1 else ("", "")
        return replace(action, verb=main, url=url, other_verb=other, other_url=other_url)

    def _publication_action(self) -> Action | None:
        acte = self.acte
        if acte.status not in ACKNOWLEDGED:
            return None
        if self.cancellation:
            return Action("Annulation demandée", "Elle prendra effet à l’accusé de la préfecture.", "waiting")
        if acte.published_on is None and may_hold_personal_data(acte):
            return self._notification_action()
        if acte.published_on is None:
            noun = SINGULAR[acte.nature].lower()
            article = "la " if acte.nature in ("1", "3") else "l’" if acte.nature in ("2", "6") else "le "
            force = "n’est pas exécutoire, la transmission est un essai : il" if self.trial else "devient exécutoire et"
            return self._offer(
                PUBLISH,
                Action(
                    "Publier sur le site de la commune",
                    f"L’acte {force} ouvre le délai de recours de deux mois. Le texte intégral reste en ligne au "
                    "moins deux mois.",
                    "now",
                    f"Publier {article}{noun}",
                    self._url("publish"),
                ),
            )
        if self.publication is None:
            return Action(
                "Retiré du site",
                "L’acte a été publié puis retiré ; sa date de publication reste acquise.",
                "waiting",
            )
        return Action(
            "En ligne sur le site de la commune",
            f"Publié le {date_longue(acte.published_on)}. Auteur : {self.publication.author_name}, "
            f"{self.publication.author_quality}. Il y reste au moins jusqu’au "
            f"{date_moyenne(online_until(acte.published_on))}.",
            "waiting",
            "Voir la page publique",
            self.public_url,
        )

    def _notification_action(self) -> Action:
        acte = self.acte
        if acte.notified_on:
            text = f"Exécutoire depuis le {date_longue(acte.executoire_on)}." if acte.executoire_on else ""
            return Action(f"Notifiée le {date_moyenne(acte.notified_on)}", text, "waiting")
        action = Action(
            "Notifier aux intéressés",
            "Cet acte concerne des personnes : il se notifie, il n’est pas publié par défaut. Notez la notification "
            "quand elles l’ont reçu ; une mise en ligne suppose d’en retirer les données personnelles.",
            "now",
            "Noter la notification",
            self._url("notify"),
            "Publier malgré tout",
            self._url("publish"),
        )
        return self._offer(PUBLISH, action)

    def _offer(self, permission: str, action: Action) -> Action:
        """``action`` with its button, or the same without it for those who may only read."""
        return action if permission in self.permissions else Action(action.title, action.text, "waiting")

    @property
    def publicity(self) -> str:
        """What brings the act to the knowledge of those concerned."""
        return "notification" if self.acte.nature == Nature.INDIVIDUEL else "publication"

    @cached_property
    def cancellation(self) -> Transaction | None:
        """The cancellation of the transmission, under way or done."""
        return cancellation.cancellation_of(self.acte)

    @property
    def may_cancel(self) -> bool:
        return TRANSMIT in self.permissions and not cancellation.why_not(self.acte)

    @property
    def may_note(self) -> bool:
        return PUBLISH in self.permissions

    @property
    def may_withdraw(self) -> bool:
        return self.publication is not None and PUBLISH in self.permissions

    # --- documents ---
    @cached_property
    def _derived(self) -> dict[str, Document]:
        """Latest document derived from the act, by the beginning of its derivation."""
        found: dict[str, Document] = {}
        for document in self.acte.document.derived.select_related("organisation").order_by("pk"):
            found[document.derivation] = document
            if document.derivation.startswith("tampon"):
                found["tampon"] = document
            elif document.derivation.startswith("certificat_executoire"):
                found["certificat"] = document
        return found

    @property
    def shown(self) -> File:
        """The file whose first page is shown: the stamped copy once it exists."""
        stamped = self._derived.get("tampon")
        return next((f for f in self._files if stamped and f.document.pk == stamped.pk), self._files[0])

    @property
    def files(self) -> list[File]:
        """The other files of the act."""
        return [file for file in self._files if file.document.pk != self.shown.document.pk]

    @cached_property
    def _files(self) -> list[File]:
        """Everything a person may want to open, the act first."""
        acte = self.acte
        signed = acte.original_id is not None and acte.original_id != acte.document_id
        verdict = acte.route.facts.get("signature", {}).get("verdict", "") if acte.route else ""
        label = SINGULAR[acte.nature] + (" signée" if signed and acte.nature == "1" else "")
        files = [
            File(
                label,
                acte.document,
                signature="signature valide" if verdict == "TOTAL_PASSED" else "",
            )
        ]
        pieces = acte.pieces.select_related("document__organisation").order_by("rank")
        files += [File(piece.posted_filename, piece.document, piece.code_pj) for piece in pieces]
        named = {"tampon": "Acte tamponné", "bordereau": "Bordereau d’acquittement"}
        named["certificat"] = "Certificat du caractère exécutoire"
        if self.transaction and self.transaction.ar:
            files.append(File("Accusé de réception", self.transaction.ar, date_courte(acte.received_on)))
        files += [File(text, self._derived[key]) for key, text in named.items() if key in self._derived]
        if self.transaction and self.transaction.archive:
            files.append(File("Enveloppe transmise", self.transaction.archive))
        return files

    # --- letters of the préfecture ---
    @cached_property
    def letters(self) -> list[Letter]:
        """What the préfecture has written about the act, newest first."""
        may = TRANSMIT in self.permissions
        return [self._letter(letter, may) for letter in letters.letters_of(self.acte)]

    def _letter(self, letter: Transaction, may: bool) -> Letter:
        answer = letters.answer_of(letter)
        place = {"organisation_slug": self.acte.organisation.slug}

        def url(name: str, pk: Any) -> str:
            return reverse(f"actes:{name}", kwargs=place | {"pk": pk}) if may else ""

        waits = letters.may_be_answered(letter)
        prepared = answer is not None and answer.status == Status.A_POSTER
        return Letter(
            letter,
            answer,
            read_url="" if letter.read_at else url("mark_read", letter.pk),
            answer_url=url("answer", letter.pk) if waits else "",
            close_url=url("close_letter", letter.pk) if answer is None and letter.kind in letters.QUESTIONS else "",
            send_url=url("send_answer", answer.pk) if answer and prepared else "",
            receipt_url=url("give_receipt", letter.pk) if letters.lacks_receipt(letter) else "",
        )

    # --- essentials ---
    @cached_property
    def defere(self) -> DefereDelay | None:
        return letters.defere_of(self.acte, [letter.letter for letter in self.letters])

    @property
    def appeal_until(self) -> date | None:
        known = known_on(self.acte)
        return last_appeal_day(known) if known else None

    @property
    def received(self) -> str:
        return date_moyenne(self.acte.received_on)

    @property
    def signatory(self) -> str:
        signature = self.acte.route.facts.get("signature", {}) if self.acte.route else {}
        signatory = signature.get("signatory", "")
        if isinstance(signatory, dict):
            return ", ".join(filter(None, [signatory.get("name"), signatory.get("title")]))
        return str(signatory)

    @property
    def vote(self) -> dict[str, Any]:
        return self.acte.route.facts.get("vote", {}) if self.acte.route else {}

    # --- checks ---
    @cached_property
    def checks(self) -> list[dict[str, Any]]:
        """Checks of the services before this one, then those made before sending; the failing ones first."""
        earlier = self.acte.route.facts.get("controles", []) if self.acte.route else []
        # The envelope and the message are each judged by the schema: one line when the same is said of both.
        once = {(check.get("code"), check.get("sentence")): check for check in [*earlier, *self.acte.checks]}
        return sorted(once.values(), key=lambda check: bool(check.get("ok")))

    @property
    def remarks(self) -> int:
        return sum(1 for check in self.checks if not check.get("ok") and check.get("severity") != "bloquant")

    @property
    def blocking(self) -> int:
        return sum(1 for check in self.checks if not check.get("ok") and check.get("severity") == "bloquant")

    # --- journal ---
    @cached_property
    def entries(self) -> list[Entry]:
        """The journal of the act, newest first."""
        return list(Entry.objects.about("acte", self.acte.pk).order_by("-seq")[:JOURNAL_LENGTH])
