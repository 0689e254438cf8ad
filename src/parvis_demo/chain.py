"""The main job: one deliberation from its convocation to archive and open data, through Parvis' own services.

Each step is done by the person who would do it, at the date of the story; background jobs run in the real worker.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection

from parvis.core import clock
from parvis.core.identity.models import Account
from parvis.core.journal.services import Actor
from parvis.core.organisations.models import Organisation
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route, RouteStep
from parvis.edemat.actes.models import Acte
from parvis.edemat.actes.publication import proposed_author, publish
from parvis.edemat.actes.services.preparation import current_classification
from parvis.edemat.actes.services.transmission import transmettre
from parvis.edemat.parapheur.models import Dossier
from parvis.edemat.parapheur.services import ask_signature, endorse
from parvis.edemat.seances.formats.scrutin import Mode
from parvis.edemat.seances.models import Convocation, Deliberation, Elu, Organe, Seance
from parvis.edemat.seances.services import agenda, bodies, convening, deliberations, sitting, tableau
from parvis_demo import story
from parvis_demo.annexe import annexe_pdf
from parvis_demo.stage import Stage

T = TypeVar("T")
PATIENCE_SECONDS = 60


class StepTookTooLong(RuntimeError):
    """A background job did not finish: the worker's output says why."""


class Chain:
    """The story being lived: who acts, for whom, on which dates."""

    def __init__(self, stage: Stage, organisation: Organisation, people: dict[str, Account], when: story.Calendar):
        self.stage = stage
        self.organisation = organisation
        self.people = people
        self.when = when
        self.seance: Seance

    def actor(self, role: str) -> Actor:
        return Actor("account", str(self.people[role].pk))

    def at(self, instant: datetime) -> None:
        self.stage.set_clock(instant)

    def wait(self, condition: Callable[[], T | None], what: str) -> T:
        """Poll until ``condition`` gives something true, in a fresh transaction each time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with acting_for(self.organisation):
                if found := condition():
                    return found
            time.sleep(0.1)
        raise StepTookTooLong(f"« {what} » n’est pas arrivé en {PATIENCE_SECONDS} secondes.")

    # --- séance --------------------------------------------------------------------------------------------------
    def prepare(self) -> None:
        """The body, its members, the meeting and its five items."""
        self.at(self.when.preparation)
        secretary = self.actor("secretaire")
        with acting_for(self.organisation):
            organe = bodies.create_organe(
                self.organisation,
                name="Conseil municipal",
                since=self.when.meeting_day - timedelta(days=5 * 365),
                place="Salle du conseil, hôtel de ville",
                actor=secretary,
            )
            members = self._members(organe, secretary)
            seance = agenda.plan_seance(
                organe,
                starts_at=self.when.meeting,
                place="Salle du conseil, hôtel de ville",
                president=members[story.PRESENT[0][1]],
                actor=secretary,
            )
            for title in story.OTHER_ITEMS:
                agenda.add_point(
                    seance,
                    title=title,
                    rapporteur=members[story.PRESENT[1][1]],
                    expose=story.OTHER_EXPOSE,
                    visas=story.OTHER_VISA,
                    dispositif="D’APPROUVER la proposition du rapporteur.",
                    matiere=story.OTHER_MATIERE[0],
                    matiere_label=story.OTHER_MATIERE[1],
                    actor=secretary,
                )
            point = agenda.add_point(
                seance,
                title=story.TITLE,
                rapporteur=members[story.RAPPORTEUR],
                expose=story.EXPOSE,
                visas="\n".join(story.VISAS),
                dispositif="\n".join(story.DISPOSITIF),
                closing_mention=story.PUBLICATION_MENTION,
                matiere=story.MATIERE[0],
                matiere_label=story.MATIERE[1],
                annexed_amounts=[{"libelle": label, "valeur": value} for label, value in story.ANNEXE_AMOUNTS],
                actor=secretary,
            )
            agenda.add_annexe(
                point,
                title="Annexe 2 : participation de la commune",
                content=annexe_pdf(self.organisation),
                filename="Annexe 2 – participation de la commune.pdf",
                actor=secretary,
            )
            self.seance = seance

    def _members(self, organe: Organe, actor: Actor) -> dict[str, Elu]:
        givers = [giver for giver, _ in story.POWERS]
        members = {}
        for rank, (civility, name) in enumerate([*story.PRESENT, *givers, *story.ABSENT], start=1):
            members[name] = tableau.add_elu(
                organe,
                civility=civility,
                family_name=name,
                function="Maire" if rank == 1 else "",
                account=self.people["maire"] if rank == 1 else None,
                email=f"elu{rank:02d}@juvignac.test",
                term_start=self.when.meeting_day - timedelta(days=5 * 365),
                actor=actor,
            )
        return members

    def convoke(self) -> Seance:
        """The convocations leave by e-mail, with their evidence."""
        seance = self.seance
        self.at(self.when.convocation)
        with acting_for(self.organisation):
            convening.convoke(seance, actor=self.actor("secretaire"))

        def all_sent() -> bool:
            waiting = Convocation.objects.filter(seance=seance, sent_at__isnull=True)
            return not waiting.exists() and not seance.preuves.filter(token__isnull=True).exists()

        self.wait(all_sent, "l’envoi des convocations et sa preuve")
        return self._fresh(seance)

    def hold(self, seance: Seance) -> Deliberation:
        """Presences, powers, votes; the deliberations are numbered, the fifth is established."""
        secretary = self.actor("secretaire")
        self.at(self.when.meeting)
        with acting_for(self.organisation):
            by_name = {one.elu.family_name: one for one in seance.convocations.select_related("elu")}
            sitting.record_presence_sheet(
                seance,
                presents=[by_name[name] for _, name in story.PRESENT],
                powers=[(by_name[giver[1]], by_name[holder]) for giver, holder in story.POWERS],
                actor=secretary,
            )
            sitting.open_meeting(seance, actor=secretary)
            # The public act does not say how the council voted: so does the record.
            for point in seance.points.order_by("rank"):
                if point.rank == story.RANK:
                    sitting.record_unanimity(point, mode=Mode.NON_PRECISE, actor=secretary)
                else:
                    sitting.record_unanimity(point, mode=Mode.MAIN_LEVEE, actor=secretary)
        self.at(self.when.meeting + timedelta(hours=2))
        with acting_for(self.organisation):
            sitting.rise(self._fresh(seance), actor=secretary)
            found = Deliberation.objects.filter(point__seance=seance).order_by("point__rank")
            for deliberation in found:
                deliberations.establish(deliberation, actor=secretary)
            return found.get(point__rank=story.RANK)

    def _fresh(self, seance: Seance) -> Seance:
        with acting_for(self.organisation):
            return Seance.objects.select_related("organe", "organisation").get(pk=seance.pk)

    def send_to_signature(self, deliberation: Deliberation) -> Route:
        self.at(self.when.meeting + timedelta(hours=2, minutes=30))
        with acting_for(self.organisation):
            others = Deliberation.objects.filter(point__seance=deliberation.point.seance).exclude(pk=deliberation.pk)
            for other in others:
                deliberations.send_to_signature(other, actor=self.actor("secretaire"))
            return deliberations.send_to_signature(deliberation, actor=self.actor("secretaire"))

    # --- parapheur -----------------------------------------------------------------------------------------------
    def sign(self, route: Route) -> None:
        """One visa, one signature, each on the document that was shown."""
        self.at(self.when.signature - timedelta(minutes=30))
        with acting_for(self.organisation):
            dossier = Dossier.objects.select_related("document").get(route_step__route=route)
            endorse(dossier.pk, account=self.people["dgs"], sha256=dossier.document.sha256, actor=self.actor("dgs"))
        self.at(self.when.signature)
        with acting_for(self.organisation):
            ask_signature(
                dossier.pk, account=self.people["maire"], sha256=dossier.document.sha256, actor=self.actor("maire")
            )
        self.wait_step(route, "parapheur.signature")

    def wait_step(self, route: Route, code: str) -> RouteStep:
        def done() -> RouteStep | None:
            step = RouteStep.objects.get(route=route, code=code)
            if step.state == RouteStep.State.FAILED:
                raise RuntimeError(f"{code} : {step.summary}")
            return step if step.state == RouteStep.State.DONE else None

        return self.wait(done, code)

    # --- actes -----------------------------------------------------------------------------------------------------
    def wait_classification(self) -> None:
        """The nomenclature asked of the préfecture must have come back before anything is transmitted."""
        self.wait(lambda: current_classification(self.organisation), "la classification de la préfecture")

    def transmit(self, route: Route) -> Acte:
        self.at(self.when.transmission)
        with acting_for(self.organisation):
            acte = Acte.objects.get(route=route)
            transmettre(acte, actor=self.actor("secretaire"))
        self.wait_step(route, "actes.acquittement")
        self.wait(lambda: route.document("tamponne") and route.document("bordereau"), "le tampon et le bordereau")
        with acting_for(self.organisation):
            return Acte.objects.get(pk=acte.pk)

    def publish(self, acte: Acte, route: Route) -> None:
        self.at(self.when.publication)
        with acting_for(self.organisation):
            author = proposed_author(self.organisation)
            assert author is not None
            publish(acte, author=author, actor=self.actor("secretaire"), on=clock.today())
        self.wait_step(route, "actes.publication")

    # --- archive and open data -----------------------------------------------------------------------------------
    def archive(self, route: Route) -> None:
        self.wait_step(route, "archives.versement")
        # The reply joins the archive, as its second version, once the step is done.
        self.wait(lambda: self._idle("archives"), "la réponse conservée avec l’archive")

    @staticmethod
    def _idle(queue: str) -> bool:
        """True when no job of this queue waits or runs."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = %s AND status IN ('todo', 'doing')", [queue]
            )
            return cursor.fetchone() == (0,)

    def open_data(self, route: Route) -> None:
        self.wait_step(route, "opendata.deliberations")

    def facts(self, route: Route) -> dict[str, Any]:
        with acting_for(self.organisation):
            return Route.objects.get(pk=route.pk).facts
