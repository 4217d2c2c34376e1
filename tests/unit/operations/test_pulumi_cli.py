"""The `pulumi` that is driven here is a script that answers as the real one was seen to answer."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from operations.errors import OperationError, StackLockedError, StateError
from operations.pulumi_cli import PulumiCli
from tests.unit.operations.stack_on_disk import STACK_URN, record, state

LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or
delete the lock file with `pulumi cancel`.
  file:///x.json: created by me@here (pid 7) at 2026-11-23T22:23:27Z"""


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a `pulumi` that prints an answer; returns a function that takes the answer."""

    def install(stdout: str = "", stderr: str = "", code: int = 0) -> PulumiCli:
        (tmp_path / "out").write_text(stdout)
        (tmp_path / "err").write_text(stderr)
        script = tmp_path / "pulumi"
        script.write_text(
            f'#!/bin/sh\ncd "{tmp_path}"\necho "$@" >> calls\n'
            'while [ $# -gt 0 ]; do [ "$1" = --save-plan ] && cp plan "$2"; shift; done\n'
            f"cat out; cat err >&2; exit {code}\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return PulumiCli("prod", tmp_path)

    return install


def calls(pulumi: PulumiCli) -> list[str]:
    return (pulumi.directory / "calls").read_text().splitlines()


def test_an_export_keeps_secrets_encrypted(pulumi: Any) -> None:
    cli = pulumi(state().text())
    assert cli.export_state().urns == state().urns
    assert calls(cli) == ["stack export --stack prod"], "no --show-secrets"


def test_a_damaged_export_is_no_state(pulumi: Any) -> None:
    with pytest.raises(StateError, match="not JSON"):
        pulumi('{"version": 3, "deplo').export_state()


def test_a_lock_is_recognized_with_its_holder(pulumi: Any) -> None:
    with pytest.raises(StackLockedError, match=r"me@here \(pid 7\)"):
        pulumi(stderr=LOCKED, code=255).import_state(state())


def test_other_failures_repeat_pulumis_own_words(pulumi: Any) -> None:
    with pytest.raises(OperationError, match=r"(?s)pulumi stack export.*no stack named 'prod' found"):
        pulumi(stderr="error: no stack named 'prod' found", code=255).export_state()


def test_without_pulumi_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperationError, match="not on PATH"):
        PulumiCli("prod", tmp_path).export_state()


def test_an_output_that_is_missing_names_those_that_are_there(pulumi: Any) -> None:
    cli = pulumi('{"vpcId": "vpc-1"}')
    assert cli.output("vpcId") == "vpc-1"
    with pytest.raises(OperationError, match=r"no output 'audit' \(it has: vpcId;"):
        cli.output("audit")


def test_a_plan_comes_from_one_preview(pulumi: Any) -> None:
    vpc = record("aws:ec2/vpc:Vpc", "core", inputs={"cidrBlock": "10.0.0.0/16"})
    cli = pulumi(json.dumps({"steps": [{"op": "create", "urn": vpc["urn"], "newState": vpc}]}))
    (cli.directory / "plan").write_text('{"resourcePlans": {}}')
    assert [each.urn for each in cli.plan().creates] == [vpc["urn"]]
    assert len(calls(cli)) == 1


def test_events_are_streamed_and_noise_between_them_is_passed_over(pulumi: Any) -> None:
    events: list[dict[str, Any]] = []
    pulumi('{"sequence": 1}\na plugin says hello\n"text"\n{"sequence": 2}\n').destroy(events.append)
    assert [event["sequence"] for event in events] == [1, 2]


def test_a_failed_destroy_says_what_the_engine_said(pulumi: Any) -> None:
    error = {"diagnosticEvent": {"severity": "error", "message": "DependencyViolation: subnet-1\n"}}
    with pytest.raises(OperationError, match="DependencyViolation: subnet-1"):
        pulumi(json.dumps(error) + "\n", code=1).destroy(lambda _: None)


def test_the_probe_for_a_lock_touches_the_root_only(pulumi: Any) -> None:
    cli = pulumi(state(record("aws:ec2/vpc:Vpc", "core", "vpc-1")).text().replace("\n", ""))
    cli.probe_lock()
    assert calls(cli)[1] == (
        f"refresh --yes --skip-preview --target {STACK_URN} --json --non-interactive --stack prod"
    )
