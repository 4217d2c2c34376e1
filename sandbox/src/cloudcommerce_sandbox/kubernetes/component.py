"""One process of a control plane: started, adopted from a predecessor, watched, ended."""

import hashlib
import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cloudcommerce_sandbox import processes
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.environment import neutral_environment

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0
# A process that has run for so long did not fail at its start; the next failure is a new one.
_STEADY_SECONDS = 60.0
# All that counts is in the store, which survives a hard end too.
_GRACE_SECONDS = 3.0
_LOG_LIMIT_BYTES = 10 * 2**20
_LOG_LINES_SHOWN = 5

STARTING = threading.Lock()
"""Held while a process runs and is not on record yet: who ends then leaves one that nobody finds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a component runs.

    Attributes:
        executable: The program.
        arguments: Its arguments; one of them names the cluster's folder.
        environment: Variables beside those it inherits.
        inputs: Files that it reads once, at its start.
    """

    executable: Path
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()

    def digest(self) -> str:
        """Return a digest of all that decides what the process does."""
        content = hashlib.sha256(
            repr((self.executable, self.arguments, sorted(self.environment.items()))).encode()
        )
        for path in self.inputs:
            content.update(path.read_bytes())
        return content.hexdigest()


class Component:
    """A process that is kept running.

    What is known of the process lies in a file, so that whoever comes after a killed predecessor finds it.

    Args:
        name: The component's name.
        directory: The cluster's folder: the process is known again by it, and its log and record lie there.

    Attributes:
        name: As given.
        log: Takes all that the process prints.
        started: When we started it last, on the monotonic clock; 0 when we have not.
    """

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.log = directory / "logs" / f"{name}.log"
        self._directory = directory
        self._record = directory / "processes" / f"{name}.json"
        self._child: subprocess.Popen[bytes] | None = None
        self._last_pid: int | None = None
        self._pause = 0.0
        self.started = 0.0

    @property
    def pid(self) -> int | None:
        """The process's number while it runs."""
        # Who clears the checkout of all that git does not track takes the record, and not the process.
        pid = self._last_pid = _known(self._record)[0] or self._last_pid
        if self._child is not None and self._child.pid == pid:
            return pid if self._child.poll() is None else None
        return pid if pid is not None and processes.is_alive(pid, running=str(self._directory)) else None

    def keep(self, command: Command) -> bool:
        """Start the process unless it runs, not sooner after a failure than is reasonable.

        One that runs something else than the command is ended first.

        Args:
            command: What it runs.

        Returns:
            Whether it runs.

        Raises:
            SandboxError: The program is missing.
        """
        if pid := self.pid:
            if _known(self._record)[1] == command.digest():
                self._bound_log()
                return True
            _log.info("%s (process %d) runs with other settings; restarting it", self.name, pid)
            self.end()
        elif self.started and time.monotonic() < self.started + self._pause:
            return False
        self._start(command)
        return True

    def due(self) -> bool:
        """Say whether `keep` would start the process now."""
        return self.pid is None and time.monotonic() >= self.started + self._pause

    def end(self, *, at_once: bool = False) -> None:
        """End the process and wait until it is gone.

        Args:
            at_once: Whether it need not put anything in order, because its data go as well.
        """
        pid = self.pid
        if pid is not None and at_once:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if pid is not None:
            processes.end(pid, running=str(self._directory), grace_seconds=_GRACE_SECONDS)
        if self._child is not None:
            self._child.wait()
        self._child = self._last_pid = None
        self._record.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Return the end of its log."""
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:])
        return ""

    def _start(self, command: Command) -> None:
        now = time.monotonic()
        if self.started:
            _log.warning("%s has ended; the end of %s:\n%s", self.name, self.log, self.last_words())
        failed_early = self.started and now - self.started < _STEADY_SECONDS
        self._pause = (
            min(max(self._pause * 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS) if failed_early else 0.0
        )
        self.started = now
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._bound_log()
        digest = command.digest()
        with STARTING:
            self._child = self._launched(command)
            try:
                write_atomically(self._record, json.dumps({"pid": self._child.pid, "digest": digest}))
            except OSError:  # a full disk, for one
                self._child.kill()
                self._child.wait()
                raise
        _log.info("%s runs as process %d", self.name, self._child.pid)

    def _launched(self, command: Command) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            try:
                return subprocess.Popen(
                    [command.executable, *command.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._directory,
                    env={**neutral_environment(), **command.environment},
                    # It outlives the follower, whose successor takes it over.
                    start_new_session=True,
                )
            except OSError as error:
                raise SandboxError(
                    f"{command.executable} does not start: {error.strerror}.",
                    "`make tools` builds what is missing.",
                ) from error

    def _bound_log(self) -> None:
        # The process appends, so that an emptied file goes on from its beginning.
        with suppress(OSError):
            if self.log.stat().st_size > _LOG_LIMIT_BYTES:
                os.truncate(self.log, 0)


def end_all(directory: Path, *, at_once: bool = False) -> int:
    """End all components whose records lie under a folder, as when their follower is gone.

    Args:
        directory: A cluster's folder, or one that holds several.
        at_once: Whether they need not put anything in order, because their data go as well.

    Returns:
        How many there were.
    """
    found = [
        Component(record.stem, record.parent.parent)
        for record in sorted(directory.rglob("processes/*.json"), key=_order_of_end)
    ]
    running = [component for component in found if component.pid is not None]
    for component in found:
        component.end(at_once=at_once)
    return len(running)


def _order_of_end(record: Path) -> tuple[Path, bool, str]:
    """The API server's store goes last: without it, the others wait for it when they end."""
    return record.parent, record.stem == "etcd", record.stem


def _known(record: Path) -> tuple[int | None, str]:
    try:
        content = json.loads(record.read_text())
        return int(content["pid"]), str(content["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""
