"""Starting and stopping the servers of the tests."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_CACHE = Path(__file__).parents[2] / ".sandbox" / "cache" / "stores"
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


def built_once(name: str, sources: Sequence[Path], build: Callable[[Path], None]) -> Path:
    """A directory in the checkout's cache with what these sources build; built when it is not there.

    Parallel test workers wait for each other; a build that failed or was killed leaves nothing that counts.
    """
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    target = _CACHE / f"{name}-{digest}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            building = target.with_suffix(".partial")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            for source in sources:
                shutil.copy(source, building)
            build(building)
            building.rename(target)
    return target


def run(name: str, remedy: str, command: Sequence[str | Path], cwd: Path) -> None:
    """Run a build step; a failure or a missing program says what to install."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"{name} needs {command[0]}: {remedy}", pytrace=False)
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{name}: {' '.join(map(str, command))} failed:\n{done.stderr[-3000:]}", pytrace=False)
