"""Keeps one emulator running for the checkout."""

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox import emulator, processes
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.workspace.layout import Layout

OWNER_VARIABLE = "CLOUDCOMMERCE_SANDBOX_OWNER"
"""Number of a process without which an emulator that is started now has no use: the tests' own."""

_MODULE = "cloudcommerce_sandbox.emulator"
_HOST = "127.0.0.1"
_HEALTH_TIMEOUT_SECONDS = 5.0
# A process that was suspended, or a machine that is out of breath, comes back within seconds or not at all.
_PATIENCE_SECONDS = 30.0
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

    def put(self, path: str, content: Any) -> None:
        """Write to the emulator's control API.

        Args:
            path: Such as `kubernetes/local/NAME`.
            content: The body, as it becomes JSON.

        Raises:
            OSError: There is no answer, or a refusal.
        """
        request = urllib.request.Request(  # noqa: S310  # the emulator's own address
            f"{self.url}/sandbox-api/{urllib.parse.quote(path)}",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        with _direct.open(request, timeout=_HEALTH_TIMEOUT_SECONDS):
            pass


def running_emulator(layout: Layout, on_wait: Callable[[str], None] | None = None) -> Emulator | None:
    """Return the checkout's emulator if it runs, waiting for one that is slow to answer.

    Args:
        layout: The sandbox.
        on_wait: Called once with what is waited for when it does not answer at once.

    Raises:
        SandboxError: It runs and does not answer, even after a while.
    """
    known = _last_known(layout)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while known is not None and is_up(layout, known):
        try:
            health = known.get("health")
        except (OSError, ValueError, http.client.HTTPException) as error:
            if time.monotonic() >= deadline:
                raise _mute(known, error) from error
            if on_wait is not None:
                on_wait(f"the AWS emulator (process {known.pid}) is slow to answer ({error})")
                on_wait = None
            time.sleep(_POLL_SECONDS)
        else:
            ours = isinstance(health, dict) and health.get("incarnation") == known.incarnation
            return known if ours else None
    return None


def is_up(layout: Layout, known: Emulator) -> bool:
    """Say whether an emulator's process still is there, whether it answers or not.

    Args:
        layout: The sandbox.
        known: The emulator.
    """
    # The path tells it from other checkouts' emulators: the system reuses the numbers of processes.
    return processes.is_alive(known.pid, running=_ready_file(layout))


def ensure_emulator(
    layout: Layout, on_wait: Callable[[str], None] | None = None, *, is_followed: bool = False
) -> tuple[Emulator, bool]:
    """Return the checkout's emulator, starting it unless it runs.

    One that runs is never ended here, however slow: all that stands would go with it.

    Args:
        layout: The sandbox.
        on_wait: Called once with what is waited for.
        is_followed: Whether somebody will make its Kubernetes clusters real, and say when they are; otherwise
            they are active at once. It counts when the emulator starts.

    Returns:
        The emulator, and whether it had to be started.

    Raises:
        SandboxError: It does not start, or runs and does not answer.
    """
    with exclusive(layout.lock("emulator"), wait_seconds=_LOCK_WAIT_SECONDS, on_wait=on_wait):
        if found := running_emulator(layout, on_wait):
            return found, False
        return _start(layout, is_followed=is_followed), True


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
    # Only files: an editor's lock on a module is a link to nowhere with the module's suffix.
    sources = [source for source in Path(emulator.__path__[0]).rglob("*.py") if source.is_file()]
    return max(source.stat().st_mtime for source in sources) > layout.emulator.stat().st_mtime


def _start(layout: Layout, *, is_followed: bool) -> Emulator:
    layout.logs.mkdir(parents=True, exist_ok=True)
    log = layout.logs / "emulator.log"
    # The same port again, so that a shell that is open keeps working; another one when somebody has taken it.
    for port in dict.fromkeys([_last_port(layout), 0]):
        layout.emulator.unlink(missing_ok=True)
        with log.open("ab") as output:
            child = subprocess.Popen(
                [
                    *(sys.executable, "-m", _MODULE, "--host", _HOST),
                    *("--port", str(port), "--ready-file", _ready_file(layout)),
                    *(("--kubernetes",) if is_followed else ()),
                    *(("--parent-pid", owner) if (owner := os.environ.get(OWNER_VARIABLE)) else ()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=layout.root,
                # It outlives this command, and Ctrl-C in its terminal.
                start_new_session=True,
            )
        if started := _wait(layout, child):
            write_atomically(layout.emulator_port, started.url.rsplit(":", 1)[-1])
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
    return known is not None and processes.end(known.pid, running=_ready_file(layout))


def _ready_file(layout: Layout) -> str:
    """The argument that tells one emulator from another, however the checkout is reached."""
    return str(layout.emulator.resolve())


def _mute(known: Emulator, error: Exception) -> SandboxError:
    return SandboxError(
        f"The AWS emulator (process {known.pid}) runs and has not answered for {_PATIENCE_SECONDS:.0f} s "
        f"({error}).",
        f"If it is suspended, `kill -CONT {known.pid}` wakes it; if the machine is busy, try again later. "
        "`make stop` ends it, and all that it holds is gone.",
    )


def _last_known(layout: Layout) -> Emulator | None:
    try:
        content = json.loads(layout.emulator.read_text())
        return Emulator(
            url=str(content["url"]), pid=int(content["pid"]), incarnation=str(content["incarnation"])
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _last_port(layout: Layout) -> int:
    try:
        port = int(layout.emulator_port.read_text())
    except (OSError, ValueError):
        return 0
    return port if 0 < port < 2**16 else 0


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return os.linesep.join(lines[-_LOG_LINES:])
