"""The server against its own OpenAPI document: whatever is sent, it answers as it says."""

from collections.abc import Callable

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from wheretaken.testing.served import Served

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_operation_keeps_to_the_document(
    serve: Callable[..., Served], mode: schemathesis.GenerationMode
) -> None:
    url = serve("--toolset", "all").url
    document = httpx2.get(f"{url}/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=url)
    load_all_checks()
    # What a schema cannot say (a query or a country, two corners apart, a place that exists) is refused too,
    # and a number that a model wrote as a text is taken.
    left_out = {"positive_data_acceptance", "negative_data_rejection"}
    checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in left_out]
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        json = "application/json" in operation.get_request_payload_content_types()
        if mode is schemathesis.GenerationMode.NEGATIVE and not json:
            continue  # nothing that can be said wrongly

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        def ask(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(checks=checks)

        ask()
    assert tried > 50
