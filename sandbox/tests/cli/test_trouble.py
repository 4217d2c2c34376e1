"""Trouble with files is told in one message that names the file, without a traceback."""

import errno
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from cloudcommerce_sandbox import files, processes, supervisor
from cloudcommerce_sandbox.cli.main import main
from cloudcommerce_sandbox.engine import state as states
from cloudcommerce_sandbox.engine.state import read_state
from cloudcommerce_sandbox.workspace.layout import CHECKOUT_VARIABLE, Layout

URN = "urn:pulumi:prod::fixture::random:index/randomPassword:RandomPassword::it"
SOUND = {"urn": URN, "type": "random:index/randomPassword:RandomPassword", "custom": True}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    (tmp_path / "Pulumi.yaml").write_text("name: fixture\nruntime: python\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    monkeypatch.setenv(CHECKOUT_VARIABLE, str(tmp_path))
    return Layout(tmp_path)


def told(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "→" in done.output
    return done.output.replace("\n", "")


def write_state(layout: Layout, latest: object) -> Path:
    path = states.stack_path(layout, "fixture", "prod")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"checkpoint": {"latest": latest}}))
    return path


@pytest.mark.parametrize("command", ["start", "stop"])
def test_file_in_the_place_of_the_folder_is_named(layout: Layout, command: str) -> None:
    layout.root.write_text("in the way")

    assert str(layout.root) in told(command)


def test_full_disk_names_the_file_and_asks_for_space(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def start(*_: object, **_options: object) -> None:
        files.write_atomically(layout.emulator_port, "1")

    monkeypatch.setattr("os.fchmod", full)
    monkeypatch.setattr(supervisor, "ensure_emulator", start)

    said = told("start")

    assert str(layout.emulator_port) in said
    assert "Free some space" in said
    assert [path.name for path in layout.root.iterdir()] == []


@pytest.mark.usefixtures("layout")
def test_fault_of_our_own_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(supervisor, "stop_emulator", broken)

    assert isinstance(CliRunner().invoke(main, ["stop"]).exception, KeyError)


@pytest.mark.parametrize("content", [b"name: gr\xf6\xdfe", b"", b"name:", b"[", b"- a", b"name: [a]"])
def test_project_file_that_is_none_is_named(layout: Layout, content: bytes) -> None:
    (layout.checkout / "Pulumi.yaml").write_bytes(content)

    assert "Pulumi.yaml" in told("status")


@pytest.mark.parametrize(
    "latest",
    [
        [5],
        {"resources": [5]},
        {"resources": [{"custom": True}]},
        {"resources": 5},
        {"resources": [{**SOUND, "urn": "text"}]},
        {"resources": [{**SOUND, "urn": 5}]},
        {"resources": [{**SOUND, "parent": "text"}]},
        {"resources": [{**SOUND, "type": None}]},
        {"resources": [SOUND], "pending_operations": [{}]},
        {"resources": [SOUND], "pending_operations": [{"resource": 5}]},
    ],
)
def test_damaged_state_is_told_and_not_taken_for_none(layout: Layout, latest: object) -> None:
    path = write_state(layout, latest)

    assert str(path) in told("status")
    assert read_state(layout, "fixture", "prod") is None


def test_resources_inside_of_components_are_sound(layout: Layout) -> None:
    parent = "urn:pulumi:prod::fixture::shop:data:Store::a"
    child = f"urn:pulumi:prod::fixture::shop:data:Store$shop:data:Part${SOUND['type']}::odd::$name"
    write_state(layout, {"resources": [{**SOUND, "urn": child, "parent": parent}]})
    state = read_state(layout, "fixture", "prod")
    assert state is not None
    assert [resource["urn"] for resource in state.custom()] == [child]


def test_truncated_and_deeply_nested_state_is_damaged(layout: Layout) -> None:
    path = write_state(layout, {"resources": [SOUND]})
    whole = path.read_text()
    assert read_state(layout, "fixture", "prod") is not None

    for content in (whole[:-5], "[" * 100_000, ""):
        path.write_text(content)
        assert read_state(layout, "fixture", "prod") is None


@pytest.mark.usefixtures("layout")
def test_logs_before_any_run_say_when_they_begin() -> None:
    done = CliRunner().invoke(main, ["logs"])

    assert done.exit_code == 0
    assert "first `make up`" in done.output
    assert "==" not in done.output


def test_only_logs_that_were_written_are_printed(layout: Layout) -> None:
    layout.logs.mkdir(parents=True)
    (layout.logs / "emulator.log").write_text("listening\n")

    said = CliRunner().invoke(main, ["logs", "--raw"]).output

    assert said == f"== {layout.logs / 'emulator.log'}\nlistening\n"


@pytest.mark.parametrize("arguments", [["--help"], ["charts", "--help"]])
def test_help_cuts_no_line(arguments: list[str]) -> None:
    _, _, said = CliRunner().invoke(main, arguments).output.partition("Commands:\n")

    assert said
    assert [line for line in said.splitlines() if line.endswith("...") or len(line) > 80] == []


@pytest.mark.parametrize("pid", [10**30, -1, 0])
def test_number_that_no_process_has(pid: int) -> None:
    assert not processes.is_alive(pid, running="")


def test_down_that_nobody_is_there_to_confirm_is_refused_before_anything_starts(layout: Layout) -> None:
    write_state(layout, {})

    said = told("down")

    assert "make down YES=1" in said
    assert "down --yes" in said
    assert not layout.tools.exists()


def test_reset_that_nobody_is_there_to_confirm_names_both_ways_and_forgets_nothing(layout: Layout) -> None:
    state = write_state(layout, {})

    said = told("reset")

    assert "make reset YES=1" in said
    assert "reset --yes" in said
    assert state.is_file()
