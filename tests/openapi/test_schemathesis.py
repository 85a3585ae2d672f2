"""Requests made from the OpenAPI document: answers are as it says, and never an error of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.decisions.access import Role
from tests.support.dispatch import KEYS, Service, migrated, running_service

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 3
"""Of each operation, so that it takes seconds; more find more, when somebody looks for it."""


LEFT_OUT = re.compile("stream|session")
"""A stream never ends; signing in and out is by cookie."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Service]:
    with migrated("sqlite", tmp_path) as database, running_service(database, tmp_path) as service:
        yield service


def test_answers_are_as_the_document_says(running: Service) -> None:
    running.post_order()
    schema = schemathesis.openapi.from_url(f"{running.url}/openapi.json")
    tried, wrong = 0, []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if LEFT_OUT.search(operation.path):
            continue
        tried += 1
        try:
            _try(operation)
        except (FailureGroup, Failure, ExceptionGroup) as error:
            wrong.append(f"{operation.label}: {error}")

    assert not wrong, "\n\n".join(wrong)
    assert tried > 20


def _try(operation: APIOperation[Any, Any, Any, Any]) -> None:
    headers = {"Authorization": f"Bearer {KEYS[Role.ADMIN]}"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case: Case[Any]) -> None:
        if isinstance(case.query, dict):
            case.query.pop("wait", None)  # else it does wait
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=20)

    call()
