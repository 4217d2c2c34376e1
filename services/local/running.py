"""Running process-compose so that nothing outlives it."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from services.gateway import caddy
from services.gateway.routes import load
from services.local.errors import ShopError
from services.local.home import Home
from services.local.variables import Prepared

_CONFIGURATION = Path(__file__).with_name("process-compose.yaml")
# linux/prctl.h
_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
_ONE_OFF = {"user-migrations", "product-migrations", "order-migrations", "ready"}


def run(shop: Prepared, tools: Path) -> int:
    """Run the shop until it is told to stop (SIGINT, SIGTERM) or a migration fails.

    With a terminal process-compose shows its own view of processes and logs, without one it prints all logs.

    Args:
        shop: What was prepared.
        tools: The folder with `process-compose` and `caddy`.

    Returns:
        The exit code of process-compose.
    """
    _write_gateway(shop)
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    _prctl(_SET_CHILD_SUBREAPER, 1)
    command = [
        str(tools / "process-compose"), "--config", str(_CONFIGURATION), "--disable-dotenv",
        f"--tui={str(has_terminal).lower()}", "--use-uds", "--unix-socket", str(shop.home.socket),
        "--log-file", str(shop.home.logs / "process-compose.log"),
    ]  # fmt: skip
    environment = {
        **shop.variables,
        "SHOP_CADDY": str(tools / "caddy"),
        "PROC_COMP_CONFIG": str(_settings(shop.home)),
        "PC_DISABLE_DOTENV": "1",
    }
    shop.home.socket.unlink(missing_ok=True)
    with _stopping() as stop_with:
        child = subprocess.Popen(
            command,
            cwd=shop.home.root,
            env=environment,
            # A terminal's Ctrl-C reaches its whole group; without one the signal is ours to hand on.
            start_new_session=not has_terminal,
            # One thread runs here, and a dead parent's signal can only be asked for in the child.
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509
        )
        stop_with(child)
        code = child.wait()
    _kill_orphans()
    shop.home.socket.unlink(missing_ok=True)
    return code


def processes(home: Home, tools: Path) -> list[dict[str, Any]]:
    """Return what process-compose says of each process; nothing when the shop does not run.

    Args:
        home: The shop.
        tools: The folder with `process-compose`.

    Raises:
        ShopError: It runs, and does not answer.
    """
    if not home.socket.exists():
        return []
    listed: list[dict[str, Any]] = json.loads(_asked(home, tools, "process", "list", "--output", "json"))
    return listed


def restart(home: Home, tools: Path, name: str) -> None:
    """Stop one process of a shop and start it again.

    Args:
        home: The shop, which runs.
        tools: The folder with `process-compose`.
        name: The process.

    Raises:
        ShopError: The shop does not answer, or has no such process.
    """
    _asked(home, tools, "process", "restart", name)


def _asked(home: Home, tools: Path, *arguments: str) -> str:
    done = subprocess.run(
        [tools / "process-compose", "--use-uds", "--unix-socket", home.socket,
         "--log-file", home.logs / "process-compose-client.log", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ShopError(
            f"process-compose does not answer at {home.socket}: {(done.stdout + done.stderr)[-500:]}"
        )
    return done.stdout


def is_well(process: dict[str, Any]) -> bool:
    """Say whether a process does what it should: healthy, or done.

    Args:
        process: One of `processes`.
    """
    if process["name"] in _ONE_OFF:
        return bool(process["status"] == "Completed" and process["exit_code"] == 0)
    if not process.get("has_ready_probe"):
        return bool(process["is_running"])
    return bool(process["is_ready"] == "Ready")


def _settings(home: Home) -> Path:
    """Settings of process-compose beside the user's own: Ctrl-C stops the shop and does not ask."""
    folder = home.folder("process-compose")
    (folder / "settings.yaml").write_text("disable_exit_confirmation: true\n")
    return folder


def _write_gateway(shop: Prepared) -> None:
    services = load()
    configuration = caddy.configuration(
        services,
        listen=f"127.0.0.1:{shop.ports['gateway']}",
        upstreams={service.service: f"127.0.0.1:{shop.ports[service.service]}" for service in services},
    )
    (shop.home.root / "gateway" / "caddy.json").write_text(json.dumps(configuration, indent=2) + "\n")


@contextlib.contextmanager
def _stopping() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """While it lasts, SIGINT and SIGTERM stop the given child, in order, instead of us."""
    children: list[subprocess.Popen[bytes]] = []
    asked = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal asked
        # A second Ctrl-C must not cut the orderly end short.
        if not asked and children:
            children[0].terminate()
        asked = True

    def start(child: subprocess.Popen[bytes]) -> None:
        children.append(child)
        if asked:
            child.terminate()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield start
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _die_with(parent: int) -> Callable[[], None]:
    def in_child() -> None:
        _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return in_child


def _prctl(option: int, value: int) -> None:
    # Elsewhere than on Linux a shop whose process-compose was killed leaves its processes behind.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _kill_orphans() -> None:
    """What process-compose left when it was killed has become ours."""
    deadline = time.monotonic() + 10
    while (orphans := _children()) and time.monotonic() < deadline:
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in orphans:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> Sequence[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in task.read_text().split())
    return sorted(found)
