"""Memory of processes, from the kernel's own account."""

import threading
from pathlib import Path

_MIB = 1024
_POLL_SECONDS = 0.2


def proportional_mib(pid: int) -> float:
    """Return a process's proportional set size: pages that several share count once over all of them.

    https://docs.kernel.org/filesystems/proc.html (smaps_rollup, Pss)
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / _MIB for line in lines if line.startswith("Pss:")), 0.0)


def family_of(pid: int) -> set[int]:
    """Return a process and all that it has started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


class PeakMemory:
    """The largest sum over a process and its children while the block runs.

    Args:
        pid: The process, itself not counted.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.mib = 0.0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            members = family_of(self._pid) - {self._pid}
            self.mib = max(self.mib, sum(proportional_mib(member) for member in members))
