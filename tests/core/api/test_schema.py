"""Schemathesis attacks every operation of the live description with a valid account, from a fixed seed, in bounds."""

import contextlib
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from parvis.core.organisations.tenancy import acting_for
from tests.core.api.test_operations import ALL, an_acte

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# The same cases at each run, few enough for every day.
BOUNDS = bounds(
    max_examples=12, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "forbidden"])
def test_every_answer_is_as_described(live_server, settings, api_account, juvignac, mode):
    from parvis.opendata.services import deliberations_dataset

    settings.PARVIS_API_CALLS_PER_ACCOUNT = settings.PARVIS_API_CALLS_PER_ADDRESS = 100_000
    account, secret = api_account(juvignac, *ALL)
    known = {"pk": str(an_acte(juvignac).pk), "identifiant": "deliberations"}
    with acting_for(juvignac):
        deliberations_dataset(juvignac)
    headers = {"Authorization": f"Bearer {account.identifier}.{secret}"}
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/v1/openapi.json", timeout=60)
    answers = Counter()
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        named = [parameter.name for parameter in operation.path_parameters]
        # Allowed values reach what exists; forbidden ones are left to schemathesis, in the path too.
        path = {name: known[name] for name in named} if mode is GenerationMode.POSITIVE and named else None
        _attack(operation.as_strategy(generation_mode=mode, path_parameters=path), headers, answers)
    if mode is GenerationMode.POSITIVE:
        # No made-up file is a sound PDF: preparing an act succeeds in test_operations.
        succeeding = {operation.label for operation in operations if operation.method.upper() in ("GET", "PATCH")}
        assert {label for label, kind in answers if kind == 2} == succeeding
    else:
        assert sum(number for (_, kind), number in answers.items() if kind == 4) > 50


def _attack(cases, headers, answers):
    """Send the cases and check every answer; an operation without parameters has nothing forbidden to send."""

    @given(case=cases)
    @BOUNDS
    def attack(case):
        response = case.call(headers=headers, timeout=60)
        answers[case.operation.label, response.status_code // 100] += 1
        case.validate_response(response, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):
        attack()
