"""The command line: help, JSON, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from operations import commands
from operations.cli import main
from operations.errors import OperationError
from operations.pulumi_cli import PulumiCli
from operations.removal.teardown import Outcome
from operations.state import Deployment
from tests.unit.operations.stack_on_disk import record, state

COMMANDS = ("audit", "recover", "teardown")


def test_help_lists_every_command_without_importing_any() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in (*COMMANDS, "bootstrap"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_takes_the_common_options(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert all(option in result.output for option in ("--stack", "--region", "--json"))


def test_an_unknown_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(main, ["tear-down"]).exit_code == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_failure_is_json_on_stdout_and_words_on_stderr(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: Any, **__: Any) -> str:
        raise OperationError("no stack named 'prod' found")

    monkeypatch.setattr(PulumiCli, "_run", refuse)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, [command, "--stack", "prod", "--json"])
    assert result.exit_code == commands.FAILURE
    assert json.loads(result.stdout) == {"error": "no stack named 'prod' found"}
    assert "no stack named" in result.stderr


@pytest.mark.usefixtures("aws")
def test_a_teardown_that_nobody_confirms_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def export(_: PulumiCli) -> Deployment:
        return state(record("aws:ec2/vpc:Vpc", "core", "vpc-1"))

    monkeypatch.setattr(PulumiCli, "export_state", export)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["teardown", "--stack", "prod"])
    assert result.exit_code == commands.FAILURE
    assert "stack's name, or `--yes`" in result.stderr
    assert not result.stdout, "nothing is shown to nobody"


def test_without_a_region_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        PulumiCli, "export_state", lambda _: Deployment({"version": 3, "deployment": {"manifest": {}}})
    )
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["recover", "--stack", "prod"])
    assert result.exit_code == commands.FAILURE
    assert "--region" in result.stderr


def test_a_failed_teardown_prints_what_is_left_and_then_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def export(_: PulumiCli) -> Deployment:
        return state()

    def tear_down(*_: Any) -> Outcome:
        return Outcome(1, (), (), {"vpc-1": "still in the state"}, "DependencyViolation")

    monkeypatch.setattr(PulumiCli, "export_state", export)
    monkeypatch.setattr(commands, "free_the_stack", lambda *_, **__: False)
    monkeypatch.setattr(commands, "tear_down", tear_down)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["teardown", "--stack", "prod", "--yes"])
    assert result.exit_code == commands.FAILURE
    assert "vpc-1" in result.stdout
    assert "DependencyViolation" in result.stderr
