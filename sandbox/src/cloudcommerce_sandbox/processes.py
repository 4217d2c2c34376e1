"""Looking at other processes of this machine."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_POLL_SECONDS = 0.05
_PROC = Path("/proc")
_ENDED = {"X", "Z"}  # dead and zombie, in the words of proc(5)


def is_alive(pid: int, *, running: str) -> bool:
    """Say whether a process still is what we know it as.

    The system reuses the numbers of processes that have ended.

    Args:
        pid: The process's number.
        running: A part of its command line. Where nothing shows command lines, any process with this number
            counts.
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False  # none, or somebody else's and so not the one we started
    if not (_PROC / "self" / "cmdline").exists():
        return _is_listed(pid, running)
    with suppress(OSError):
        command_line = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ")
        if command_line:
            return os.fsencode(running) in command_line
        # A process that ends loses its memory first and its sockets with its last thread.
        return any(_runs(thread) for thread in (_PROC / str(pid) / "task").iterdir())
    return False


def end(pid: int, *, running: str, grace_seconds: float = 5.0) -> bool:
    """Ask a process to end, and insist after a while.

    Args:
        pid: The process's number.
        running: A part of its command line; another process with that number is left alone.
        grace_seconds: How long it may take.

    Returns:
        True when there was one to end.
    """
    if not is_alive(pid, running=running):
        return False
    for wanted in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, wanted)
        deadline = time.monotonic() + grace_seconds
        while time.monotonic() < deadline:
            _reap(pid)
            if not is_alive(pid, running=running):
                return True
            time.sleep(_POLL_SECONDS)
    return True


def _is_listed(pid: int, running: str) -> bool:
    """Say the same where there is no /proc, as on macOS."""
    try:
        listed = subprocess.run(
            ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)],  # wherever the system has it
            capture_output=True,
            check=False,
        ).stdout.strip()
    except OSError:
        return True
    return listed[:1].decode("ascii", "replace") not in {"", *_ENDED} and os.fsencode(running) in listed


def _runs(thread: Path) -> bool:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0] not in _ENDED
    except OSError:
        return False


def _reap(pid: int) -> None:
    """Collect the process if it is a child of ours: until then it still has its number."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
