"""Locks between processes that no crash can leave behind."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudcommerce_sandbox.errors import SandboxError

_POLL_SECONDS = 0.2


@contextmanager
def exclusive(
    path: Path, *, wait_seconds: float = 0.0, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the lock at `path` while the block runs.

    It is the system's lock on an open file: it ends with the process that holds it, however that ends. The
    file stays; what it says of the holder is for messages only.

    Args:
        path: The lock's file; its folder is created.
        wait_seconds: How long to wait for another holder.
        on_wait: Called once with the holder's description when there is one to wait for.

    Raises:
        SandboxError: Another process still holds it after `wait_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        _acquire(handle.fileno(), path, wait_seconds, on_wait)
        handle.seek(0)
        handle.truncate()
        handle.write(_own_description())
        handle.flush()
        try:
            yield
        finally:
            # Before the lock goes: the next holder must not be taken for this one.
            handle.truncate(0)


def _own_description() -> str:
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    # No more of the command line: a user's own command may have in it what others must not read.
    command = " ".join([name, *sys.argv[1:2]])
    return f"`{command}` (process {os.getpid()}, since {time.strftime('%H:%M:%S')})"


def _acquire(descriptor: int, path: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = path.read_text() or "another process"
            if time.monotonic() >= deadline:
                raise SandboxError(
                    f"{holder} is already working here (it holds {path}).",
                    "Wait for it to end, then try again.",
                ) from None
            if on_wait is not None:
                on_wait(holder)
                on_wait = None
            time.sleep(_POLL_SECONDS)
        else:
            return
