"""Memory of each process of the shop, idle and under load, and the time from its start until it is ready."""

import http.client
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.memory import family_of, proportional_mib
from services.bench import load
from services.local import guest, running
from services.local.building import CHECKOUT
from services.local.demo import flows
from services.local.errors import ShopError
from services.local.home import Home
from services.stores.process import new_directory

PROCESSES = ("user", "product", "order", "notification")
"""What is ours of all that runs in a shop."""

_RESTARTS = 5
_SETTLE_SECONDS = 5.0
_LOAD_SECONDS = 8
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.005
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Footprint:
    """What a process takes.

    Attributes:
        start_up_seconds: From the start of the process until /readyz answers 200, each time.
        idle_mib: Proportional set size of it and its children, some seconds after its start.
        loaded_mib: The largest such sum under load.
    """

    start_up_seconds: list[float]
    idle_mib: float
    loaded_mib: float

    @property
    def start_up(self) -> float:
        """The median, in seconds."""
        return median(self.start_up_seconds)


def measure(note: Callable[[str], None]) -> Mapping[str, Footprint]:
    """Measure in a shop of its own, with stores and configuration as `make services` has them.

    Args:
        note: Told what is being done.

    Raises:
        ShopError: The shop does not start, or not everything was answered.
    """
    tools = CHECKOUT / ".sandbox" / "bin"
    folder = new_directory("shop")
    try:
        home = Home.open({"CLOUDCOMMERCE_SHOP_HOME": str(folder)})
        # Who logs in a thousand times in a minute is kept out otherwise.
        with guest.started(home, tools, {"RATE_LIMITS": "off"}):
            return _measured(flows.Shop.of(home, lambda _line: None), tools, note)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(shop: flows.Shop, tools: Path, note: Callable[[str], None]) -> Mapping[str, Footprint]:
    started: dict[str, list[float]] = {}
    for name in PROCESSES:
        note(f"start-up of {name}")
        started[name] = [start_up(shop, tools, name) for _ in range(_RESTARTS)]
    time.sleep(_SETTLE_SECONDS)
    pids = _pids(shop.home, tools)
    idle = {name: _memory(pids[name]) for name in PROCESSES}
    largest = dict(idle)

    def look() -> None:
        for name in PROCESSES:
            largest[name] = max(largest[name], _memory(pids[name]))

    note("memory under load")
    load.send(load.loads_of(shop), _LOAD_SECONDS, look)
    if _pids(shop.home, tools) != pids:
        raise ShopError(f"a process ended under load: {shop.home.logs}")
    return {name: Footprint(started[name], idle[name], largest[name]) for name in PROCESSES}


def start_up(shop: flows.Shop, tools: Path, name: str) -> float:
    """Restart a process, and return the seconds from the start of the new one until it was ready.

    Args:
        shop: It runs.
        tools: The folder with process-compose.
        name: The process.

    Raises:
        ShopError: It did not stop, or was not ready in time.
    """
    port = shop.ports[name]
    asking = threading.Thread(target=running.restart, args=(shop.home, tools, name))
    asking.start()
    _wait(lambda: not is_ready(port), f"{name} does not stop")
    _wait(lambda: is_ready(port), f"{name} is not ready")
    ready = time.clock_gettime(time.CLOCK_BOOTTIME)
    asking.join()
    return ready - _began(_pids(shop.home, tools)[name])


def _wait(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise ShopError(f"{otherwise} within {_READY_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def is_ready(port: int) -> bool:
    """Say whether a process is ready for requests.

    Args:
        port: Where it answers.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _began(pid: int) -> float:
    """Seconds from the machine's start to the process's, in steps of 10 ms (proc_pid_stat(5), starttime)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / _TICKS


def _pids(home: Home, tools: Path) -> dict[str, int]:
    listed = {str(one["name"]): int(one["pid"]) for one in running.processes(home, tools)}
    return {name: listed[name] for name in PROCESSES}


def _memory(pid: int) -> float:
    return sum(map(proportional_mib, family_of(pid)))
