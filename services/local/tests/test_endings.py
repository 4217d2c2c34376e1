"""What is left when the shop ends, however it does: nothing."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from services.local import guest, ports
from services.local.home import Home

_GONE_SECONDS = 30.0


@pytest.mark.parametrize("how", ["interrupted", "killed below"])
def test_nothing_outlives_the_shop(home: Home, tools: Path, how: str) -> None:
    with guest.started(home, tools) as pid:
        listening = ports.current(home)
        ours = _below(pid)
        assert len(ours) > len(listening) / 2
        if how == "killed below":
            os.kill(next(one for one in ours if _name(one) == "process-compose"), signal.SIGKILL)
            _wait_until_gone([pid])

    _wait_until_gone(ours)
    assert not home.socket.exists()
    for name, port in listening.items():
        assert ports.is_free(port), f"{name} still listens on {port}"


def _below(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {pid})


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + _GONE_SECONDS
    while left := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, [(pid, _name(pid)) for pid in left]
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
