"""Processes that must not outlive the one that started them."""

import os
import threading
import time
from collections.abc import Callable

_POLL_SECONDS = 0.5


def call_when_orphaned(action: Callable[[], None]) -> None:
    """Call `action` once this process's parent has gone, however it went.

    A killed engine closes nothing and signals nobody. The parent's process id is the one sign that is there
    on every POSIX system (Linux's parent-death signal follows the parent's *thread*, which in Go comes and
    goes).

    Args:
        action: Called on a background thread.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        action()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
