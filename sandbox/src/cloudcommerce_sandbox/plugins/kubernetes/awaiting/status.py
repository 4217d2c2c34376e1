"""What a look at an object tells of its readiness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster, Object


@dataclass(frozen=True)
class Status:
    """Readiness at one moment.

    Attributes:
        ready: Nothing to wait for any more.
        message: What it waits for.
        failed: It will never be ready.
    """

    ready: bool
    message: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Look:
    """An object and where to ask further.

    Attributes:
        live: The object.
        cluster: Its cluster.
    """

    live: Object
    cluster: Cluster

    @property
    def spec(self) -> Mapping[str, Any]:
        """The object's specification."""
        return self.live.get("spec") or {}

    @property
    def status(self) -> Mapping[str, Any]:
        """The object's status."""
        return self.live.get("status") or {}

    @property
    def is_observed(self) -> bool:
        """Whether its controller has seen the latest change."""
        seen = self.status.get("observedGeneration")
        return isinstance(seen, int) and seen >= self.live["metadata"].get("generation", 0)

    def condition(self, kind: str) -> Mapping[str, Any]:
        """Return a condition of the status; empty when there is none."""
        for found in self.status.get("conditions") or ():
            if found.get("type") == kind:
                return dict(found)
        return {}

    def holds(self, kind: str) -> bool:
        """Whether a condition is true."""
        return self.condition(kind).get("status") == "True"


Check = Callable[[Look], Status]

READY = Status(ready=True)


def waiting(message: str) -> Status:
    """Return that there is something to wait for."""
    return Status(ready=False, message=message)
