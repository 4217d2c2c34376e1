"""What the engine has written down about a stack: its file backend's files.

They are read, never written: a stack file of the backend is the engine's own. The layout is that of Pulumi's
file backend (`.pulumi/stacks/<project>/<stack>.json`, `.pulumi/locks/organization/<project>/<stack>/`).
"""

import json
import os
import re
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox import processes
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.workspace.layout import Layout

_ARCHIVES_KEPT = 5
_INCARNATION = "incarnation"
# A child's type is the chain of its parents' types: `component:module:Name$aws:module:Name`.
_TYPE = r"[^:$]+:[^:$]*:[^:$]+"
_URN = re.compile(rf"urn:pulumi:.+::.+::(?:{_TYPE}\$)*{_TYPE}::.+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class StackState:
    """One stack's state.

    Attributes:
        resources: The resources as the engine keeps them.
        pending: Operations that had begun when the engine was killed: what became of them in AWS is not
            known.
    """

    resources: tuple[dict[str, Any], ...] = ()
    pending: tuple[dict[str, Any], ...] = ()

    def custom(self) -> list[dict[str, Any]]:
        """Return what stands outside the engine: neither components nor providers."""
        return [
            resource
            for resource in self.resources
            if resource.get("custom") and not resource["type"].startswith("pulumi:")
        ]


@dataclass(frozen=True, kw_only=True)
class EngineLock:
    """A lock that the engine holds, or held, on a stack.

    Attributes:
        path: Its file.
        pid: The engine's process.
        stale: Whether that process has ended without removing it.
    """

    path: Path
    pid: int
    stale: bool


def stack_path(layout: Layout, project: str, stack: str) -> Path:
    """Return the file of a stack's state."""
    return layout.state / ".pulumi" / "stacks" / project / f"{stack}.json"


def read_state(layout: Layout, project: str, stack: str) -> StackState | None:
    """Read a stack's state.

    Args:
        layout: The sandbox.
        project: The project's name.
        stack: The stack's name.

    Returns:
        The state, or None when there is no such stack or its file is damaged.
    """
    try:
        checkpoint = json.loads(stack_path(layout, project, stack).read_text())["checkpoint"]
        latest = checkpoint.get("latest") or {}
        resources = tuple(latest.get("resources") or ())
        pending = tuple(latest.get("pending_operations") or ())
        sound = all(_is_resource(item) for item in (*resources, *(item["resource"] for item in pending)))
        return StackState(resources=resources, pending=pending) if sound else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_resource(item: Any) -> bool:
    parent = item.get("parent") or item["urn"]
    return isinstance(item["type"], str) and all(_URN.fullmatch(urn) for urn in (item["urn"], parent))


def engine_locks(layout: Layout, project: str, stack: str) -> list[EngineLock]:
    """Return the locks on a stack.

    Args:
        layout: The sandbox.
        project: The project's name.
        stack: The stack's name.
    """
    folder = layout.state / ".pulumi" / "locks" / "organization" / project / stack
    locks = []
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text())
            pid, host = int(content.get("pid", 0)), content.get("hostname")
        except (OSError, ValueError, TypeError, AttributeError, OverflowError):
            pid, host = 0, socket.gethostname()  # cut off while it was written
        stale = host == socket.gethostname() and not processes.is_alive(pid, running="pulumi")
        locks.append(EngineLock(path=path, pid=pid, stale=stale))
    return locks


def remove_stale_locks(layout: Layout, project: str, stack: str) -> list[EngineLock]:
    """Remove the locks of engines that have been killed, as `pulumi cancel` does.

    Args:
        layout: The sandbox.
        project: The project's name.
        stack: The stack's name.

    Returns:
        What was removed.
    """
    stale = [lock for lock in engine_locks(layout, project, stack) if lock.stale]
    for lock in stale:
        lock.path.unlink(missing_ok=True)
        lock.path.with_name(f"{lock.path.name}.attrs").unlink(missing_ok=True)
    return stale


def bind_state(layout: Layout, incarnation: str) -> Path | None:
    """Make the state belong to an emulator; what belongs to one that is gone is put away.

    The emulator holds its AWS in memory. State of another incarnation would have the engine look for
    resources that are nowhere, so the sandbox starts from nothing instead.

    Args:
        layout: The sandbox.
        incarnation: The running emulator's.

    Returns:
        Where the old state has been put; None when there was none.
    """
    marker = layout.state / _INCARNATION
    bound = marker.read_text(errors="replace") if marker.is_file() else None
    archived = None
    if bound != incarnation and _has_stacks(layout):
        archived = _put_away(layout)
    layout.state.mkdir(parents=True, exist_ok=True)
    write_atomically(marker, incarnation)
    return archived


def _has_stacks(layout: Layout) -> bool:
    return any((layout.state / ".pulumi" / "stacks").glob("**/*.json"))


def _put_away(layout: Layout) -> Path:
    layout.archive.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    target = layout.archive / f"state-{stamp}-{os.getpid()}"
    layout.state.rename(target)
    for old in sorted(layout.archive.iterdir())[:-_ARCHIVES_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target
