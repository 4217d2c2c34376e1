"""Processes that end with whoever started them."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.local.errors import ShopError
from services.local.home import UNPRIVILEGED

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_SHOWN = 3000
# Longer than the supervisor waits before it kills.
_STOP_SECONDS = 30.0


class Supervised:
    """A program that dies with us, however we die.

    Args:
        name: What people call it.
        command: The program and its arguments.
        log: Takes all that it prints, after what is there.
        output: Takes what it prints to its standard output instead.
        environment: Variables beside our own.
        directory: Where it runs; by default where we do.
        user: Who runs it; by default we do.
        stop_signal: What ends it.
        remove: A folder to remove when it has ended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        output: Path | None = None,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        user: int | None = None,
        stop_signal: str = "SIGTERM",
        remove: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        options = ["--stop-signal", stop_signal]
        options += [] if user is None else ["--user", str(user)]
        options += [] if remove is None else ["--remove", str(remove)]
        with log.open("ab") as errors, (output or log).open("ab") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_SUPERVISOR), *options, "--", *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=errors,
                env={**os.environ, **(environment or {})},
                cwd=directory,
                start_new_session=True,
            )

    @property
    def supervisor_pid(self) -> int:
        """The process that watches over it."""
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], timeout: float = 60.0) -> None:
        """Wait for a server.

        Args:
            ready: Whether it serves.
            timeout: Seconds.

        Raises:
            ShopError: It ended or took too long; with the end of its log.
        """
        deadline = time.monotonic() + timeout
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-_SHOWN:] if self.log.exists() else ""
                raise ShopError(f"{self.name} did not start within {timeout:.0f} s:\n{tail}")
            time.sleep(0.1)

    def wait(self) -> int:
        """Wait for its end, and return its exit code: 0 only when all was well."""
        return self._process.wait()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=_STOP_SECONDS)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_directory(name: str) -> Path:
    """Return a new folder that every user may enter, unlike pytest's own.

    Args:
        name: Part of its name.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"cloudcommerce-{name}-"))
    directory.chmod(0o755)
    return directory


def give_away(directory: Path) -> None:
    """Make a directory and all in it the unprivileged user's.

    Args:
        directory: The directory.
    """
    if UNPRIVILEGED is not None:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, UNPRIVILEGED, UNPRIVILEGED, follow_symlinks=False)
