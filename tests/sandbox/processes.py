"""Finding and killing the processes of an engine."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

PLUGIN = "cloudcommerce_sandbox.plugins.aws"


def descendants(pid: int) -> dict[int, str]:
    """Return the command lines of a process and of all that it has started, by pid."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        if after_name[0] != "Z":
            parents[int(entry.name)] = int(after_name[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return {member: _command(member) for member in family}


def engines(family: Mapping[int, str]) -> list[int]:
    """Return the engines of a family, and the commands that run them.

    An engine that has just begun still shows the command line of who started it.
    """
    return [pid for pid, command in family.items() if "/pulumi " in command or " operations " in command]


def working_in(folder: Path) -> dict[int, str]:
    """Return the command lines of processes that name a folder, by pid."""
    pids = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return {pid: line for pid in pids if str(folder) in (line := _command(pid)) and is_running(pid)}


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def freeze(pid: int) -> None:
    """Keep a process from starting others while it is looked at; a kill ends it all the same."""
    _send(pid, signal.SIGSTOP)


def kill(pid: int) -> None:
    """Kill without a chance to say anything."""
    _send(pid, signal.SIGKILL)


def _send(pid: int, wanted: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, wanted)
