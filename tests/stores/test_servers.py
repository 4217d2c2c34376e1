"""The servers of the tests themselves: they stop with whoever started them, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.local import building, servers
from services.local.errors import ShopError
from services.stores import process, together
from services.stores.server import Server

_START_AND_HANG = """
import pathlib, sys, time
from tests.stores.certificates import make_certificates
from tests.stores.postgres import start
server = start(make_certificates(pathlib.Path(sys.argv[1])))
print(server.log.parent, server.port, flush=True)
time.sleep(600)
"""


def test_a_killed_test_run_leaves_no_server_and_no_files(tmp_path: Path) -> None:
    servers.postgres_binaries()
    run = subprocess.Popen(
        [sys.executable, "-c", _START_AND_HANG, str(tmp_path)],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert run.stdout is not None
    directory, _port = run.stdout.readline().split()
    assert Path(directory).exists()
    pid = int((Path(directory) / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    deadline = time.monotonic() + 20
    while Path(directory).exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(directory).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_missing_program_fails_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="apt-get install it"):
        building.run("Thing", "apt-get install it", ["no-such-program-anywhere"], tmp_path)


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = process.Supervised("Thing", ["sh", "-c", "echo the reason; exit 3"], log)
    with pytest.raises(ShopError, match="the reason"):
        server.wait_until(lambda: False, timeout=5)


def test_a_store_that_does_not_start_stops_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def launched(script: str, *, ready: bool) -> Server:
        supervised = process.Supervised("Thing", ["sh", "-c", script], tmp_path / "log")
        return Server("thing://", 1, [supervised], lambda: ready)

    well = launched("exec sleep 600", ready=True)
    monkeypatch.setitem(together.LAUNCHES, "rabbitmq", lambda _durable: well)
    monkeypatch.setitem(together.LAUNCHES, "redis", lambda _: launched("echo the reason", ready=False))

    with pytest.raises(ShopError, match="the reason"), together.running(["redis", "rabbitmq"]):
        pytest.fail("it runs without Redis")
    with pytest.raises(ProcessLookupError):
        os.kill(well.processes[0].supervisor_pid, 0)
