"""Keeps one emulator running for the checkout."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox import emulator, processes
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.workspace.layout import Layout

_MODULE = "cloudcommerce_sandbox.emulator"
_HOST = "127.0.0.1"
_HEALTH_TIMEOUT_SECONDS = 5.0
_START_TIMEOUT_SECONDS = 60.0
_LOCK_WAIT_SECONDS = 120.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15

# A proxy that is set up for the internet must not see requests to this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator.

    Attributes:
        url: Its AWS endpoint.
        pid: Its process.
        incarnation: Changes at each start: what was in it before is gone.
    """

    url: str
    pid: int
    incarnation: str

    def get(self, path: str) -> Any:
        """Read from the emulator's control API.

        Args:
            path: Such as `health`.

        Returns:
            The decoded answer.

        Raises:
            OSError: There is no answer.
            ValueError: The answer is not JSON.
        """
        with _direct.open(f"{self.url}/sandbox-api/{path}", timeout=_HEALTH_TIMEOUT_SECONDS) as answer:
            return json.load(answer)


def running_emulator(layout: Layout) -> Emulator | None:
    """Return the checkout's emulator if it runs and answers.

    Args:
        layout: The sandbox.
    """
    known = _last_known(layout)
    if known is None:
        return None
    try:
        health = known.get("health")
    except (OSError, ValueError):
        return None
    return known if health.get("incarnation") == known.incarnation else None


def ensure_emulator(layout: Layout) -> tuple[Emulator, bool]:
    """Return the checkout's emulator, starting it unless it runs.

    Args:
        layout: The sandbox.

    Returns:
        The emulator, and whether it had to be started.

    Raises:
        SandboxError: It does not start.
    """
    with exclusive(layout.lock("emulator"), wait_seconds=_LOCK_WAIT_SECONDS):
        if found := running_emulator(layout):
            return found, False
        _end(layout)  # one that runs and does not answer
        return _start(layout), True


def stop_emulator(layout: Layout) -> bool:
    """End the checkout's emulator.

    Args:
        layout: The sandbox.

    Returns:
        Whether there was one.
    """
    with exclusive(layout.lock("emulator"), wait_seconds=_LOCK_WAIT_SECONDS):
        ended = _end(layout)
        layout.emulator.unlink(missing_ok=True)
        return ended


def runs_older_code(layout: Layout) -> bool:
    """Say whether the emulator's source has changed since it was started.

    It is not restarted for that: what it holds would be gone.

    Args:
        layout: The sandbox.
    """
    sources = Path(emulator.__path__[0]).rglob("*.py")
    return max(source.stat().st_mtime for source in sources) > layout.emulator.stat().st_mtime


def _start(layout: Layout) -> Emulator:
    layout.logs.mkdir(parents=True, exist_ok=True)
    log = layout.logs / "emulator.log"
    previous = _last_known(layout)
    # The same port again, so that a shell that is open keeps working; another one when somebody has taken it.
    ports = [_port(previous.url), 0] if previous else [0]
    for port in ports:
        layout.emulator.unlink(missing_ok=True)
        with log.open("ab") as output:
            child = subprocess.Popen(
                [
                    *(sys.executable, "-m", _MODULE, "--host", _HOST),
                    *("--port", str(port), "--ready-file", str(layout.emulator)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=layout.root,
                # It outlives this command, and Ctrl-C in its terminal.
                start_new_session=True,
            )
        if started := _wait(layout, child):
            return started
    raise SandboxError(
        f"The AWS emulator did not start (exit code {child.poll()}); the end of {log}:\n{_tail(log)}",
        "`make doctor` checks the machine; `make reset` forgets the sandbox's state.",
    )


def _wait(layout: Layout, child: "subprocess.Popen[bytes]") -> Emulator | None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if found := running_emulator(layout):
            return found
        if child.poll() is not None:
            return None
        time.sleep(_POLL_SECONDS)
    child.kill()
    child.wait()
    return None


def _end(layout: Layout) -> bool:
    known = _last_known(layout)
    return known is not None and processes.end(known.pid, running=_MODULE)


def _last_known(layout: Layout) -> Emulator | None:
    try:
        content = json.loads(layout.emulator.read_text())
        return Emulator(
            url=str(content["url"]), pid=int(content["pid"]), incarnation=str(content["incarnation"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[-1].rstrip("/"))


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return os.linesep.join(lines[-_LOG_LINES:])
