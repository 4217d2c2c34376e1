"""Suites that fail, print too much, or are stopped; none of the services' own runs here."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cloudcommerce_sandbox.console import Steps

from services.local import servers
from services.local.errors import ShopError
from services.stores import together
from services.testing import __main__ as command_line
from services.testing import suites, workspace
from services.testing.running import Runner
from services.testing.suites import Step, Suite


def suite(directory: Path, name: str, *steps: Step) -> Suite:
    return Suite(name=name, directory=directory, steps=steps, environment={"OWN": "own"})


def shell(name: str, script: str, *, silent: bool = False) -> Step:
    return Step(name=name, command=["sh", "-c", script], silent=silent)


def test_each_step_runs_and_those_that_fail_are_told_with_what_they_said(tmp_path: Path) -> None:
    chosen = [
        suite(tmp_path, "first", shell("bad", "echo the reason; exit 3"), shell("good", "touch ran")),
        suite(
            tmp_path,
            "second",
            shell("chatty", "echo main.go", silent=True),
            shell("quiet", "true", silent=True),
        ),
        suite(tmp_path, "third", Step(name="absent", command=["no-such-program"])),
    ]
    with Steps() as steps:
        failures = Runner(tmp_path, steps).run(chosen, {one.name: {} for one in chosen}, jobs=2)

    assert [(one.title, one.code) for one in failures] == [
        ("first: bad", 3), ("second: chatty", 0), ("third: absent", 127),
    ]  # fmt: skip
    assert failures[0].log.read_text() == "the reason\n"
    assert "no-such-program does not start" in failures[2].log.read_text()
    assert (tmp_path / "ran").exists()


def test_a_suite_has_its_own_variables_and_those_of_its_stores(tmp_path: Path) -> None:
    chosen = [suite(tmp_path, "only", shell("prints", 'test "$OWN $TEST_REDIS_URL" = "own redis://there/1"'))]
    with Steps() as steps:
        failures = Runner(tmp_path, steps).run(
            chosen, {"only": {"TEST_REDIS_URL": "redis://there/1"}}, jobs=1
        )

    assert failures == []


def test_a_failure_is_the_command_s_failure_and_ends_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = suite(tmp_path, "user", shell("tests", "seq 1000; echo '[bold]the reason'; exit 1"))
    result = _invoke(tmp_path, monkeypatch, failing)

    assert result.exit_code == 1
    shown = result.output.splitlines()
    assert "[bold]the reason" in shown
    # Of 1001 lines those at the end, and where the others are.
    assert "1000" in shown
    assert "602" in shown
    assert "601" not in shown
    assert any("first 601 lines are in" in line for line in shown)
    assert "failed user: tests (exit code 1)" in shown[-1]


def test_success_is_the_command_s_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _invoke(tmp_path, monkeypatch, suite(tmp_path, "user", shell("tests", "true")))

    assert result.exit_code == 0, result.output
    assert "user: tests" in result.output


def _invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: Suite) -> Result:
    folder, urls = workspace.opened(tmp_path / "work"), {"mongodb": "mongodb://m", "redis": "redis://r"}
    monkeypatch.setattr(workspace, "opened", lambda: folder)
    monkeypatch.setattr(together, "running", lambda _kinds: contextlib.nullcontext(urls))
    monkeypatch.setattr(suites, "prepare", lambda _service, _folder: prepared)
    return CliRunner().invoke(command_line.main, ["user"])


def test_an_unknown_service_is_refused_with_those_that_there_are() -> None:
    result = CliRunner().invoke(command_line.main, ["ordr"])

    assert result.exit_code == 2
    assert all(service in result.output for service in suites.SERVICES)


def test_a_store_that_is_not_installed_stops_the_run_before_any_suite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(servers, "_RABBITMQ", Path("/nowhere/rabbitmq-server"))
    with pytest.raises(ShopError, match="rabbitmq-server"), together.running(["rabbitmq", "postgres"]):
        pytest.fail("it runs without a broker")


def test_two_runs_at_a_time_are_refused(tmp_path: Path) -> None:
    second = workspace.opened(tmp_path / "tests")
    with (
        workspace.opened(tmp_path / "tests"),
        pytest.raises(ShopError, match="wait for their end"),
        second,
    ):
        pytest.fail("both run")
    with workspace.opened(tmp_path / "tests") as again:
        assert again.temporary.exists()
    assert not again.temporary.exists()


def test_each_service_has_a_redis_database_of_its_own() -> None:
    urls = {
        "postgres": "postgresql://p",
        "redis": "redis://r",
        "mongodb": "mongodb://m",
        "rabbitmq": "amqp://q",
    }
    found = [suites.store_variables(service, urls) for service in suites.SERVICES]

    assert len({one["TEST_REDIS_URL"] for one in found}) == len(suites.SERVICES)
    assert all(value.startswith(tuple(urls.values())) for one in found for value in one.values())


_HANG = """
import signal
import sys
from pathlib import Path
from cloudcommerce_sandbox.console import Steps
from services.testing.running import Runner
from services.testing.suites import Step, Suite
# Who runs the tests in the background has Ctrl-C ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
folder = Path(sys.argv[1])
hang = Step(name="hang", command=["sh", "-c", "sh -c 'echo $$ > pid; sleep 600; :' & wait"])
with Steps() as steps:
    Runner(folder, steps).run([Suite(name="only", directory=folder, steps=[hang])], {"only": {}}, 1)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_of_a_suite_outlives_the_run(tmp_path: Path, how: signal.Signals) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", _HANG, str(tmp_path)], cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    file = tmp_path / "pid"
    grandchild = int(_eventually(lambda: file.read_text().strip() if file.exists() else ""))
    run.send_signal(how)

    assert run.wait(20) != 0
    _eventually(lambda: "gone" if _is_gone(grandchild) else "")


def _eventually(look: Callable[[], str]) -> str:
    deadline = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()
