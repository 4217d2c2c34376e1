"""A process that is kept running, where its record can't be trusted."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cloudcommerce_sandbox.kubernetes import __main__ as follower_process
from cloudcommerce_sandbox.kubernetes import component
from cloudcommerce_sandbox.kubernetes.component import Command, Component, end_all

from sandbox.tests.control_planes import until


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A cluster's folder; whatever still runs with it at the end of the test is killed."""
    made = tmp_path / "cluster"
    made.mkdir()
    yield made
    for pid in running(made):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command(folder: Path, *more: str) -> Command:
    sleep = "import time; time.sleep(600)"
    return Command(executable=Path(sys.executable), arguments=("-c", sleep, str(folder), *more))


def running(folder: Path) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if os.fsencode(folder) in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def test_process_whose_record_is_cleared_away_is_still_known(folder: Path) -> None:
    kept = Component("sleeper", folder)
    kept.keep(command(folder))
    pid = kept.pid
    shutil.rmtree(folder)
    folder.mkdir()

    assert kept.pid == pid
    assert end_all(folder) == 0
    kept.end(at_once=True)

    assert running(folder) == []


def test_adopted_process_whose_record_is_cleared_away_is_still_known(folder: Path) -> None:
    Component("sleeper", folder).keep(command(folder))
    successor = Component("sleeper", folder)
    assert successor.keep(command(folder))
    shutil.rmtree(folder / "processes")

    assert successor.keep(command(folder))
    until(lambda: len(running(folder)) == 1)  # what begins shows no command line for a moment

    successor.end(at_once=True)
    assert running(folder) == []


def test_process_that_can_not_be_recorded_does_not_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(component, "write_atomically", full_disk)
    kept = Component("sleeper", folder)

    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            kept.keep(command(folder))
        kept.started = 0.0

    assert running(folder) == []


def test_follower_that_is_told_to_end_lets_a_process_be_recorded_first(folder: Path) -> None:
    program = (
        "import os, signal, sys, threading, time\n"
        f"from {follower_process.__name__} import _leave\n"
        "from cloudcommerce_sandbox.kubernetes.component import STARTING\n"
        "from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, _leave)\n"
        "def start():\n"
        "    with STARTING:\n"
        "        Path(sys.argv[1], 'begun').touch()\n"
        "        time.sleep(1)\n"
        "        Path(sys.argv[1], 'recorded').touch()\n"
        "threading.Thread(target=start).start()\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(folder)]) as follower:
        until((folder / "begun").exists)
        told = time.monotonic()
        follower.terminate()

        assert follower.wait(timeout=20) == 0
        assert time.monotonic() > told + 0.5
        assert (folder / "recorded").exists()
