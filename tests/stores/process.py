"""Starting and stopping the servers of the tests."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_NOBODY = 65534

UNPRIVILEGED = _NOBODY if os.geteuid() == 0 else None
"""Who runs servers that refuse root."""


class Supervised:
    """A server that dies with the tests, however these die."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        stop_signal: str = "SIGTERM",
        remove: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        options = ["--stop-signal", stop_signal]
        options += [] if user is None else ["--user", str(user)]
        options += [] if remove is None else ["--remove", str(remove)]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(_SUPERVISOR), *options, "--", *map(str, command)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def supervisor_pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], timeout: float = 60.0) -> None:
        deadline = time.monotonic() + timeout
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""
                pytest.fail(f"{self.name} did not start within {timeout:.0f} s:\n{tail}", pytrace=False)
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_directory(name: str) -> Path:
    """Outside of pytest's own, which only its owner may enter."""
    directory = Path(tempfile.mkdtemp(prefix=f"cloudcommerce-{name}-"))
    directory.chmod(0o755)
    return directory


def give_away(directory: Path) -> None:
    """Make a directory and all in it the unprivileged user's."""
    if UNPRIVILEGED is not None:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, UNPRIVILEGED, UNPRIVILEGED, follow_symlinks=False)
