"""The programs that are measured and those that measure, each on a processor of its own."""

import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# What serves, and pgbench in its place, on the first processor; clients and PostgreSQL on the last.
SERVING, OTHERS = (str(core) for core in (min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))))
_START_SECONDS = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """A server under measurement."""

    process: subprocess.Popen[bytes]
    url: str

    def cpu_seconds(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextlib.contextmanager
def serving(arguments: list[str], port: int, environment: dict[str, str]) -> Iterator[Running]:
    """Run a Python program on the serving processor until the end of the block."""
    command = ["taskset", "--cpu-list", SERVING, sys.executable, *arguments]
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        running = Running(process, f"http://127.0.0.1:{port}/api/v1/products")
        try:
            _await_answer(running)
            yield running
        finally:
            process.terminate()


def _await_answer(running: Running) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            fetch(running.url)
        except urllib.error.URLError:
            if running.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(
                    f"nothing answered at {running.url}; run {running.process.args!r} by hand"
                ) from None
            time.sleep(0.1)
        else:
            return


def fetch(url: str) -> bytes:
    """The body of an answer."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def service_environment(database_url: str, redis_url: str, port: int) -> dict[str, str]:
    """The configuration of a product service."""
    return {
        "DATABASE_URL": database_url, "REDIS_URL": redis_url, "JWKS_URL": "http://127.0.0.1:1/jwks",
        "INTERNAL_API_TOKEN": secrets.token_hex(16), "CURSOR_SECRET": secrets.token_hex(16),
        "HOST": "127.0.0.1", "PORT": str(port), "INTERNAL_PORT": str(port + 1), "SHUTDOWN_DELAY": "0",
        "CACHE_FRESH": "3600",
    }  # fmt: skip


def wrk(url: str, connections: int, seconds: int) -> float:
    """Requests a second that a server answers, all of them with success."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url]
    report = _run(["taskset", "--cpu-list", OTHERS, *command])
    if "Non-2xx" in report:
        raise SystemExit(f"{url} answered with errors:\n{report}")
    return _figure(r"Requests/sec:\s+([\d.]+)", report)


def pgbench(database_url: str, script: Path, variables: dict[str, str], clients: int, seconds: int) -> float:
    """Transactions a second of one prepared statement."""
    defined = [f"--define={name}={value}" for name, value in variables.items()]
    command = [
        "pgbench", "--no-vacuum", "--protocol=prepared", f"--file={script}", f"--client={clients}",
        "--jobs=1", f"--time={seconds}", *defined, database_url,
    ]  # fmt: skip
    return _figure(r"tps = ([\d.]+)", _run(["taskset", "--cpu-list", SERVING, *command]))


@contextlib.contextmanager
def pinned(postmaster: int) -> Iterator[bool]:
    """Keep a PostgreSQL server on the other processor, so that every client finds the same server.

    Args:
        postmaster: Its first process; those of sessions follow it.

    Yields:
        Whether that was possible: the server runs here, and its processes are ours to pin.
    """
    try:
        before = os.sched_getaffinity(postmaster)
        os.sched_setaffinity(postmaster, {int(OTHERS)})
    except OSError:
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setaffinity(postmaster, before)


def alternately(runs: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Measure in turns, so that what else the machine does meets all alike."""
    rounds = [[measure() for measure in measures] for _ in range(runs)]
    return [list(series) for series in zip(*rounds, strict=True)]


def _run(command: list[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is not on PATH: install util-linux, wrk and pgbench") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{' '.join(command)}\n{error.stderr}") from None


def _figure(pattern: str, report: str) -> float:
    match = re.search(pattern, report)
    if match is None:
        raise SystemExit(f"nothing to read in:\n{report}")
    return float(match[1])
