"""Reading the engine's events, also those that no engine sends."""

import json

import pytest
from cloudcommerce_sandbox.engine.events import Failure, Progress
from hypothesis import given
from hypothesis import strategies as st

URN = "urn:pulumi:prod::shop::cloudcommerce:data:Postgres$aws:rds/instance:Instance::orders"
STACK = "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"


def take(*events: dict[str, object]) -> Progress:
    progress = Progress()
    for number, event in enumerate(events):
        assert progress.take_line(json.dumps({"sequence": number, **event}))
    return progress


def step(kind: str, op: str, urn: str = URN) -> dict[str, object]:
    return {kind: {"metadata": {"op": op, "urn": urn, "type": "aws:rds/instance:Instance"}}}


def error(message: str, urn: str) -> dict[str, object]:
    return {"diagnosticEvent": {"message": message, "severity": "error", "urn": urn}}


def test_steps_are_counted_when_they_end_and_shown_while_they_run() -> None:
    progress = take(step("resourcePreEvent", "create"))
    assert progress.running == {URN: "create"}
    assert progress.counted() == "nothing done"

    progress = take(step("resourcePreEvent", "create"), step("resOutputsEvent", "create"))
    assert progress.running == {}
    assert progress.counted() == "1 created"
    assert progress.changed()


def test_replacement_is_one_change_and_unchanged_is_none() -> None:
    replaced = take(
        *(step("resOutputsEvent", op) for op in ("create-replacement", "replace", "delete-replaced"))
    )
    assert replaced.counted() == "1 replaced"

    assert not take(step("resOutputsEvent", "same")).changed()


def test_failure_names_resource_operation_and_message_and_comes_once() -> None:
    progress = take(
        step("resourcePreEvent", "create"),
        step("resOpFailedEvent", "create"),
        error("InvalidParameterValue: no", URN),
        error("InvalidParameterValue: no", URN),
        error("update failed", STACK),
    )

    [failure] = progress.failures()
    assert failure == Failure(urn=URN, operation="create", message="InvalidParameterValue: no")
    assert failure.resource == "orders (aws:rds/instance:Instance)"


def test_operation_that_failed_without_a_word_is_still_a_failure() -> None:
    [failure] = take(step("resOpFailedEvent", "delete")).failures()

    assert (failure.operation, failure.urn) == ("delete", URN)


def test_failure_of_the_whole_alone_is_kept() -> None:
    assert [failure.resource for failure in take(error("update failed", STACK)).failures()] == ["the program"]


def test_program_output_is_handed_on_and_debug_is_not() -> None:
    progress = take(
        {"diagnosticEvent": {"message": "hello\n\n", "severity": "info"}},
        {"diagnosticEvent": {"message": "internals", "severity": "debug"}},
        {"diagnosticEvent": {"message": "careful", "severity": "warning"}},
    )

    assert progress.messages == ["hello", "warning: careful"]


@pytest.mark.parametrize("line", ["", "error: no stack selected", "[]", "{}", "null", '"text"', "{"])
def test_line_that_is_no_event_is_left_to_the_caller(line: str) -> None:
    assert not Progress().take_line(line)


@given(st.text())
def test_no_text_breaks_the_reader(line: str) -> None:
    Progress().take_line(line)


@pytest.mark.parametrize(
    ("operation", "message", "doubt"),
    [
        ("create", "error reading from server: EOF", True),
        ("", "error reading from server: EOF", True),
        ("update", "rpc error: code = Unavailable desc = transport is closing", True),
        ("create", "InvalidGroup.Duplicate: The security group 'a' already exists", True),
        ("create", "EntityAlreadyExists. An attempt before had no answer: import or delete it", True),
        ("update", "A rule that already exists", False),
        ("create", "InvalidParameterValue: no such size", False),
        ("", "ValueError: as intended", False),
    ],
)
def test_failure_that_may_have_left_something_behind(operation: str, message: str, doubt: bool) -> None:
    assert Failure(urn="", operation=operation, message=message).in_doubt is doubt
