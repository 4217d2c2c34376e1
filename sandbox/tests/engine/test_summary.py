"""What a failed `up` tells its user to do next."""

from pathlib import Path

import pytest
from cloudcommerce_sandbox.engine.events import Progress
from cloudcommerce_sandbox.engine.runner import Outcome
from cloudcommerce_sandbox.engine.state import StackState
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.summary import next_step, refuse_unfinished_creations, what_is_next

URN = "urn:pulumi:prod::shop::aws:ec2/securityGroup:SecurityGroup::valkey"


def outcome(message: str, *, interrupted: bool = False) -> Outcome:
    progress = Progress(errors=[(URN, message)], failed={URN: "create"})
    return Outcome(
        exit_code=1, progress=progress, complaint="", log=Path("log"), seconds=1.0, interrupted=interrupted
    )


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("message", ["error reading from server: EOF", "InvalidGroup.Duplicate: taken"])
def test_failure_in_doubt_names_recover_and_the_resource(message: str, interrupted: bool) -> None:
    said = next_step("staging", StackState(), outcome(message, interrupted=interrupted))

    assert "make recover STACK=staging" in said
    assert "operations recover --stack staging" in said
    assert "valkey" in said
    assert "Mend the cause" not in said


def test_pending_operation_names_recover() -> None:
    state = StackState(pending=({"type": "creating", "resource": {"urn": URN}},))

    assert "make recover STACK=prod" in next_step("prod", state, outcome("refused"))


def test_failure_without_doubt_is_mended_and_gone_on_from() -> None:
    said = next_step("prod", StackState(), outcome("InvalidParameterValue: no such size"))

    assert "recover" not in said
    assert "make up" in said


@pytest.mark.mission_M70
def test_up_refuses_to_make_again_what_a_killed_run_may_have_made() -> None:
    state = StackState(pending=({"type": "creating", "resource": {"urn": URN}},))
    with pytest.raises(SandboxError, match="may have made them: valkey") as refusal:
        refuse_unfinished_creations("prod", state)
    assert "make recover STACK=prod" in str(refusal.value.remedy)


@pytest.mark.parametrize("kind", ["updating", "deleting", "reading"])
def test_up_goes_on_over_what_it_can_repeat(kind: str) -> None:
    refuse_unfinished_creations("prod", StackState(pending=({"type": kind, "resource": {"urn": URN}},)))
    refuse_unfinished_creations("prod", StackState())


def test_next_commands_are_those_of_the_stack_that_was_applied() -> None:
    said = what_is_next("staging", StackState())

    assert all(f"make {name} STACK=staging" in said for name in ("preview", "shell", "down"))
    assert "refuses" not in said, "nothing of this stack is protected"


def test_next_commands_tell_of_protection() -> None:
    assert "`pulumi destroy` refuses" in what_is_next("prod", StackState(resources=({"protect": True},)))
