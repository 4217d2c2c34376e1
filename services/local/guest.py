"""A shop that runs only as long as somebody needs it: for the demo, and for tests."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.local import running
from services.local.building import CHECKOUT
from services.local.errors import ShopError
from services.local.home import Home

_READY_SECONDS = 240.0
_STOP_SECONDS = 90.0
_SHOWN = 4000


@contextlib.contextmanager
def started(home: Home, tools: Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Start a shop on free ports, and stop it when the block ends.

    Args:
        home: Its folder.
        tools: The folder with process-compose and caddy.
        environment: More variables for it.

    Yields:
        The process that `python -m services.local up` runs in.

    Raises:
        ShopError: It is not well in time, or does not stop.
    """
    output = home.logs / "up.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.local", "up", "--tools", str(tools), "--ports", "free"],
            cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {}), "CLOUDCOMMERCE_SHOP_HOME": str(home.root)},
        )  # fmt: skip
    try:
        wait_until_well(home, tools, process, output)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise ShopError(f"The shop does not stop within {_STOP_SECONDS:.0f} s: {output}") from None


def wait_until_well(home: Home, tools: Path, process: "subprocess.Popen[bytes]", output: Path) -> None:
    """Wait until every process of a shop does what it should.

    Args:
        home: Its folder.
        tools: The folder with process-compose.
        process: What runs it.
        output: Where that writes.

    Raises:
        ShopError: It ended, or took too long.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        found: list[dict[str, object]] = []
        ended = process.poll() is not None
        with contextlib.suppress(ShopError):
            found = running.processes(home, tools)
        # One that has ended tells of another shop in the same folder.
        if not ended and found and all(map(running.is_well, found)):
            return
        if ended or time.monotonic() > deadline:
            ill = [str(one["name"]) for one in found if not running.is_well(one)]
            tail = output.read_text(errors="replace")[-_SHOWN:]
            raise ShopError(f"The shop is not well (waiting for {', '.join(ill) or 'a start'}):\n{tail}")
        time.sleep(0.5)
