"""Telling our processes from strangers that have got their numbers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudcommerce_sandbox import processes

MARK = "/some where/.sandbox/emulator.json"


@pytest.fixture(params=["as on Linux", "as on macOS"], autouse=True)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    if request.param == "as on macOS":
        monkeypatch.setattr(processes, "_PROC", tmp_path / "none")
    return str(request.param)


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", MARK]) as child:
        yield child
        child.kill()


def test_ours_is_told_from_a_stranger_with_its_number(sleeper: "subprocess.Popen[bytes]") -> None:
    assert processes.is_alive(sleeper.pid, running=MARK)
    assert not processes.is_alive(sleeper.pid, running="/other/.sandbox/emulator.json")
    assert not processes.end(sleeper.pid, running="/other/.sandbox/emulator.json")
    assert sleeper.poll() is None


def test_a_suspended_process_is_alive_and_one_that_has_ended_is_not(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    os.kill(sleeper.pid, signal.SIGSTOP)
    assert processes.is_alive(sleeper.pid, running=MARK)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie: it still has its number

    assert not processes.is_alive(sleeper.pid, running=MARK)


@pytest.mark.parametrize("pid", [0, -1, 2**40])
def test_numbers_that_no_process_has(pid: int) -> None:
    assert not processes.is_alive(pid, running="")
