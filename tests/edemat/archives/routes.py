"""A route that stands at its archiving step."""

from parvis.core.documents.services import store
from parvis.core.journal.services import Actor
from parvis.core.organisations.tenancy import acting_for
from parvis.core.routing.models import Route
from parvis.core.routing.services import attach, open_route
from parvis.edemat.archives.route_step import TransferStep
from tests.edemat.archives.dossiers import CONTENTS

ACTOR = Actor("system")
FACTS = {
    "acte": {
        "numero": "19.07.01.05",
        "nature": "1",
        "objet": "Convention de gestion de services numériques communs – autorisation de signature",
        "date": "2019-07-01",
        "matiere": "5.7",
        "matiere_label": "Intercommunalité",
        "type_piece": "99_DE",
    },
    "transmission": {
        "sent_at": "2019-07-03T10:00:00+02:00",
        "id_acte": "034-213401235-20190701-19_07_01_05-DE",
    },
    "ar": {"id_acte": "034-213401235-20190701-19_07_01_05-DE", "date_reception": "2019-07-03"},
    "publication": {"date": "2019-07-11", "executoire": "2019-07-11", "url": "http://localhost/"},
}


def route_of(organisation, *, facts=None, contents=CONTENTS) -> Route:
    """A route that stands at its archiving step, with the documents that the former steps would have left."""
    with acting_for(organisation):
        waiting, TransferStep.start = TransferStep.start, lambda self, step: None
        try:
            route = open_route(
                organisation,
                kind="deliberation",
                title=FACTS["acte"]["objet"],
                reference="19.07.01.05",
                step_codes=["archives.versement"],
                facts=FACTS if facts is None else facts,
                actor=ACTOR,
            )
        finally:
            TransferStep.start = waiting
        for role, (filename, content) in contents.items():
            if role != "journal":
                attach(route, role, store(organisation, content, filename), filename)
        step = route.steps.get()
        TransferStep().start(step)
    return route
