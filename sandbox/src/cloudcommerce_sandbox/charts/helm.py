"""Helm's command line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

Tell = Callable[[str], None]

_KILL_AFTER_SECONDS: Final = 20.0
# Helm logs with klog, whose lines begin with a level and a date; they are not for its user.
_NOISE: Final = re.compile(
    r"^[IWE]\d{4} |^WARNING: Kubernetes configuration file|^WARNING: This chart is deprecated"
)
_DEBUG: Final = re.compile(r"^\w+\.go:\d+: .* \[debug\] (?P<message>.*)")
# What `--debug` says while Helm waits: for pods, for the jobs of hooks, for the end of objects.
_PROGRESS: Final = re.compile(r" is not ready: |^Watching for changes to |^Starting delete for |^creating \d")


class HelmError(Exception):
    """Helm ended with an error; the text is its own.

    Attributes:
        output: What it printed before.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Helm:
    """Helm, set up for a cluster or for none.

    Attributes:
        executable: The command.
        environment: Its whole environment.
    """

    executable: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _running: set[subprocess.Popen[str]] = field(default_factory=set, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> Helm:
        """Find Helm on PATH; in the sandbox the pinned one is first there.

        Raises:
            HelmError: There is none.
        """
        found = shutil.which("helm", path=environment.get("PATH"))
        if found is None:
            message = "there is no helm on PATH; `make tools` builds it"
            raise HelmError(message)
        return cls(Path(found), dict(environment))

    def run(
        self,
        *arguments: str,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        tell: Tell | None = None,
    ) -> str:
        """Run a command of Helm to its end.

        Args:
            *arguments: The arguments. None may be secret: everybody on the machine sees them.
            stdin: What it reads, such as values.
            environment: Variables for this call alone.
            tell: Takes what Helm waits for. Such a command is known to end with this process, also when that
                is killed: it writes at every look, and nobody reads it any more.

        Returns:
            What it prints.

        Raises:
            HelmError: It failed.
        """
        loud = () if tell is None else ("--debug",)
        kept: list[str] = []
        ear, mouth = os.pipe()
        with os.fdopen(ear, errors="replace") as complaints, os.fdopen(mouth, "w") as told:
            child = subprocess.Popen(
                [str(self.executable), *arguments, *loud],
                env={**self.environment, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                errors="replace",
            )
            told.close()
            listener = threading.Thread(target=_listen, args=(complaints, kept, tell), daemon=True)
            listener.start()
            output = self._finished(child, stdin)
            listener.join()
        if child.returncode != 0:
            raise HelmError(_told(kept) or f"helm {arguments[0]} ended with code {child.returncode}", output)
        return output

    def _finished(self, child: subprocess.Popen[str], stdin: str) -> str:
        """Return what a command prints, when it has ended; `cancel` reaches it until then."""
        with self._lock:
            self._running.add(child)
        try:
            with child:
                return child.communicate(stdin)[0]
        finally:
            with self._lock:
                self._running.discard(child)

    def cancel(self) -> None:
        """End what runs. Helm marks the release as failed before it goes, if it gets the time."""
        with self._lock:
            running = list(self._running)
        for child in running:
            child.send_signal(signal.SIGTERM)
            timer = threading.Timer(_KILL_AFTER_SECONDS, child.kill)
            timer.daemon = True
            timer.start()


def _listen(complaints: Iterable[str], kept: list[str], tell: Tell | None) -> None:
    """Keep what is for Helm's user, and tell what it waits for."""
    failed = traced = False
    for line in complaints:
        debug = _DEBUG.match(line)
        # Behind its error, Helm writes where in its source that came up.
        traced = traced or (failed and debug is not None)
        if debug is None and not traced:
            kept.append(line)
            failed = failed or line.startswith("Error: ")
        elif debug is not None and tell is not None and _PROGRESS.search(debug["message"]):
            tell(debug["message"])


def _told(complaint: Iterable[str]) -> str:
    lines = [line.rstrip("\n") for line in complaint if line.strip() and not _NOISE.match(line)]
    return "\n".join(lines).removeprefix("Error: ").strip()
