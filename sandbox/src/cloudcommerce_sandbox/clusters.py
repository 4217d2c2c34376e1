"""Keeps one follower running for the checkout, and through it the sandbox's clusters."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cloudcommerce_sandbox import kubernetes, processes
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.kubernetes.environment import neutral_environment
from cloudcommerce_sandbox.kubernetes.folders import remove
from cloudcommerce_sandbox.kubernetes.state import STATUS_FILE, ClusterState, read_states
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.supervisor import Emulator, runs_older_code
from cloudcommerce_sandbox.workspace.layout import Layout

_MODULE = "cloudcommerce_sandbox.kubernetes"
_START_TIMEOUT_SECONDS = 60.0
_CLUSTER_TIMEOUT_SECONDS = 300.0
_LOCK_WAIT_SECONDS = 120.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15
_PACKAGES = re.compile(r"\bpulumi[-_](eks|kubernetes)\b")


def are_needed(layout: Layout) -> bool:
    """Say whether a project may make clusters: whether it requires one of Pulumi's packages for them.

    Args:
        layout: The sandbox.
    """
    files = [layout.checkout / name for name in ("pyproject.toml", "requirements.txt")]
    return any(_PACKAGES.search(path.read_text(errors="replace")) for path in files if path.is_file())


def ensure_follower(layout: Layout, emulator: Emulator) -> bool:
    """Make sure that the emulator is followed, by the code that the checkout has now.

    Restarting the follower costs the clusters nothing: the next one takes over what runs.

    Args:
        layout: The sandbox.
        emulator: The emulator.

    Returns:
        Whether it had to be started.

    Raises:
        SandboxError: It does not start.
    """
    with exclusive(layout.lock("kubernetes"), wait_seconds=_LOCK_WAIT_SECONDS):
        pid, incarnation = _last_known(layout)
        alive = _is_alive(layout, pid)
        if alive and incarnation == emulator.incarnation and not _runs_older_code(layout):
            return False
        if alive:
            processes.end(pid, running=str(layout.follower))
        _start(layout, emulator)
        return True


def stop_clusters(layout: Layout) -> bool:
    """End the follower and all clusters, and delete what they had.

    Args:
        layout: The sandbox.

    Returns:
        Whether there was a follower.
    """
    with exclusive(layout.lock("kubernetes"), wait_seconds=_LOCK_WAIT_SECONDS):
        pid, _ = _last_known(layout)
        ended = processes.end(pid, running=str(layout.follower))
        remove(layout.kubernetes)
        layout.follower.unlink(missing_ok=True)
        layout.kubeconfig.unlink(missing_ok=True)
        shutil.rmtree(layout.contexts, ignore_errors=True)
        return ended


def running_clusters(layout: Layout) -> tuple[ClusterState, ...]:
    """Return what the follower knows of its clusters; nothing when it does not run.

    Args:
        layout: The sandbox.
    """
    return read_states(layout.kubernetes / STATUS_FILE) if is_followed(layout) else ()


def is_followed(layout: Layout) -> bool:
    """Say whether the follower runs.

    Args:
        layout: The sandbox.
    """
    return _is_alive(layout, _last_known(layout)[0])


def ensure_local_cluster(
    layout: Layout, emulator: Emulator, name: str, on_news: Callable[[str], None]
) -> None:
    """Make sure that a cluster without EKS runs, as kind or minikube would make it.

    Args:
        layout: The sandbox.
        emulator: The emulator, which keeps the list of clusters.
        name: The cluster's name, and that of its context.
        on_news: Called with what it waits for.

    Raises:
        SandboxError: It does not start.
    """
    emulator.put(f"kubernetes/local/{name}", {"name": name, "version": "1.35", "nodes": _local_nodes(name)})
    deadline = time.monotonic() + _CLUSTER_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        found = next(
            (item for item in running_clusters(layout) if item.name == name and not item.region), None
        )
        if found is not None and found.ready:
            return
        if not is_followed(layout):
            break
        if found is not None:
            on_news(f"{len(found.processes)} processes")
        time.sleep(_POLL_SECONDS)
    raise SandboxError(
        f"The cluster {name} did not start; the end of {_log(layout)}:\n{_tail(_log(layout))}",
        "`make doctor` checks the machine; `make reset` forgets the sandbox's state.",
    )


def _local_nodes(name: str) -> list[dict[str, object]]:
    """Return three machines of a developer's size, in zones as in production."""
    return [
        {
            "name": f"{name}-{letter}",
            "vcpus": 4,
            "memoryMiB": 8192,
            "zone": f"local-1{letter}",
            "labels": {},
            "taints": [],
        }
        for letter in "abc"
    ]


def _start(layout: Layout, emulator: Emulator) -> None:
    log = _log(layout)
    log.parent.mkdir(parents=True, exist_ok=True)
    layout.follower.unlink(missing_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", _MODULE, "--emulator", emulator.url),
                *("--directory", str(layout.kubernetes), "--tools", str(layout.tools)),
                *("--ready-file", str(layout.follower), "--kubeconfig", str(layout.kubeconfig)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=layout.root,
            # One heap for all threads: else each of them keeps memory that the others could use.
            env={**neutral_environment(), "MALLOC_ARENA_MAX": "1"},
            # It outlives this command, and Ctrl-C in its terminal.
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        if _last_known(layout)[0] == child.pid:
            return
        time.sleep(_POLL_SECONDS)
    child.kill()
    raise SandboxError(
        f"What follows the emulator's EKS did not start (exit code {child.wait()}); "
        f"the end of {log}:\n{_tail(log)}",
        "The emulator runs older code than the checkout's: `make stop`, then again."
        if runs_older_code(layout)
        else "`make tools` builds what is missing; `make doctor` checks the machine.",
    )


def _runs_older_code(layout: Layout) -> bool:
    sources = [path for path in Path(kubernetes.__path__[0]).rglob("*") if path.suffix in (".py", ".yaml")]
    started = layout.follower.stat().st_mtime
    # Only files: an editor's lock on a module is a link to nowhere with the module's suffix.
    return any(path.stat().st_mtime > started for path in sources if path.is_file())


def _is_alive(layout: Layout, pid: int) -> bool:
    # The path tells it from other checkouts' followers: the system reuses the numbers of processes.
    return processes.is_alive(pid, running=str(layout.follower))


def _last_known(layout: Layout) -> tuple[int, str]:
    try:
        content = json.loads(layout.follower.read_text())
        return int(content["pid"]), str(content["incarnation"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return 0, ""


def _log(layout: Layout) -> Path:
    return layout.logs / "kubernetes.log"


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return os.linesep.join(lines[-_LOG_LINES:])
