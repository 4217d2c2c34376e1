"""Helm's command line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_KILL_AFTER_SECONDS: Final = 20.0
# Helm logs with klog, whose lines begin with a level and a date; they are not for its user.
_NOISE: Final = re.compile(
    r"^[IWE]\d{4} |^WARNING: Kubernetes configuration file|^WARNING: This chart is deprecated"
)


class HelmError(Exception):
    """Helm ended with an error; the text is its own."""


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

    def run(self, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
        """Run a command of Helm to its end.

        Args:
            *arguments: The arguments. None may be secret: everybody on the machine sees them.
            stdin: What it reads, such as values.
            environment: Variables for this call alone.

        Returns:
            What it prints.

        Raises:
            HelmError: It failed.
        """
        with subprocess.Popen(
            [str(self.executable), *arguments],
            env={**self.environment, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as child:
            with self._lock:
                self._running.add(child)
            try:
                output, complaint = child.communicate(stdin)
            finally:
                with self._lock:
                    self._running.discard(child)
        if child.returncode != 0:
            raise HelmError(_told(complaint) or f"helm {arguments[0]} ended with code {child.returncode}")
        return output

    def cancel(self) -> None:
        """End what runs. Helm marks the release as failed before it goes, if it gets the time."""
        with self._lock:
            running = list(self._running)
        for child in running:
            child.send_signal(signal.SIGTERM)
            timer = threading.Timer(_KILL_AFTER_SECONDS, child.kill)
            timer.daemon = True
            timer.start()


def _told(complaint: str) -> str:
    lines = [line for line in complaint.splitlines() if line.strip() and not _NOISE.match(line)]
    return "\n".join(lines).removeprefix("Error: ").strip()
