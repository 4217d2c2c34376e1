"""The engine's log as people read it."""

import json
from typing import Any

import pytest
from cloudcommerce_sandbox.engine.transcript import readable

URN = "urn:pulumi:prod::shop::shop:data:Store$aws:rds/instance:Instance::orders"


def event(**content: Any) -> str:
    return json.dumps({"sequence": 1, "timestamp": 1795475935, **content}) + "\n"


def step(operation: str) -> dict[str, Any]:
    return {"metadata": {"op": operation, "urn": URN}}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (event(resourcePreEvent=step("create")), "23:18:55 create orders (aws:rds/instance:Instance)"),
        (event(resOutputsEvent=step("create")), "23:18:55 done: create orders (aws:rds/instance:Instance)"),
        (
            event(resOpFailedEvent=step("update")),
            "23:18:55 failed: update orders (aws:rds/instance:Instance)",
        ),
        (
            event(diagnosticEvent={"severity": "warning", "urn": URN, "message": "slow\n"}),
            "23:18:55 warning: orders: slow",
        ),
        (event(errorEvent={"error": "no disk"}), "23:18:55 error: no disk"),
        (
            event(summaryEvent={"result": "failed", "durationSeconds": 3, "resourceChanges": {"create": 2}}),
            "23:18:55 failed after 3 s: 2 create",
        ),
        (event(resOutputsEvent=step("same")), None),
        (event(cancelEvent={}), None),
        (event(diagnosticEvent={"severity": "debug", "message": "secret"}), None),
        ("error: no such stack\n", "error: no such stack"),
        ('{"not": "an event"}\n', '{"not": "an event"}'),
        ('{"half', '{"half'),
    ],
)
def test_a_line_says_what_happened(line: str, text: str | None) -> None:
    assert readable(line) == text
