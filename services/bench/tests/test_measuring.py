"""What becomes of a service's benchmark: its document, its text, its failure; and the time until ready."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.bench import __main__ as command_line
from services.bench import comparisons, load, processes
from services.local import running
from services.local.demo import flows
from services.local.errors import ShopError
from services.local.home import Home
from services.stores import together
from services.stores.process import free_port
from services.testing import workspace

_URLS = {"postgres": "postgresql://p", "redis": "redis://r", "rabbitmq": "amqp://q"}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[workspace.Workspace]:
    with workspace.opened(tmp_path / "work") as opened:
        yield opened


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts a program in the place of the order service's benchmark, and addresses in that of stores."""

    def put(text: str) -> None:
        one = comparisons.Benchmark([sys.executable, "-c", text], tmp_path, {"OWN": "own"})
        monkeypatch.setitem(comparisons.BENCHMARKS, "order", lambda _workspace, _urls: one)
        monkeypatch.setattr(together, "running", lambda _kinds, **_: contextlib.nullcontext(_URLS))

    return put


def test_a_document_is_what_came_to_standard_output_alone(
    benchmark: Callable[[str], None], folder: workspace.Workspace
) -> None:
    benchmark(
        "import json, os, sys; print('a warning', file=sys.stderr);"
        "print(json.dumps([sys.argv[1:], os.environ['OWN'], os.environ['TEST_RABBITMQ_URL']]))"
    )

    found = comparisons.measure("order", folder, as_json=True)

    assert found == [["--json"], "own", "amqp://q"]


def test_text_for_people_is_passed_on_as_it_is(
    benchmark: Callable[[str], None], folder: workspace.Workspace
) -> None:
    benchmark("import sys; print('order [goal]:', sys.argv[1:])")

    assert comparisons.measure("order", folder, as_json=False) == "order [goal]: []\n"


def test_a_benchmark_that_fails_is_told_with_what_it_said(
    benchmark: Callable[[str], None], folder: workspace.Workspace
) -> None:
    benchmark("print('half a table'); raise SystemExit('wrk is missing')")

    with pytest.raises(ShopError, match=r"(?s)order failed.*half a table.*wrk is missing"):
        comparisons.measure("order", folder, as_json=False)


def test_an_unknown_part_is_refused_with_those_that_there_are() -> None:
    result = CliRunner().invoke(command_line.main, ["memory"])

    assert result.exit_code == 2
    assert all(part in result.output for part in ("user", "product", "order", "processes"))


_SERVER = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    born = time.monotonic()
    def do_GET(self):
        self.send_response(200 if time.monotonic() > self.born + 0.5 else 503)
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_the_time_until_ready_begins_with_the_process_and_ends_with_the_first_200(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-c", _SERVER, str(port)]
    servers: list[subprocess.Popen[bytes]] = [subprocess.Popen(command)]

    def restart(_home: Home, _tools: Path, _name: str) -> None:
        servers[-1].kill()
        servers[-1].wait()
        # What goes before the process is not counted.
        time.sleep(0.5)
        servers.append(subprocess.Popen(command))

    monkeypatch.setattr(running, "restart", restart)
    monkeypatch.setattr(processes, "_pids", lambda _home, _tools: {"order": servers[-1].pid})
    shop = flows.Shop(Home(tmp_path), {"order": port}, print)
    try:
        _until(lambda: processes.is_ready(port))
        found = processes.start_up(shop, tmp_path, "order")
    finally:
        servers[-1].kill()
        servers[-1].wait()

    assert 0.5 <= found < 5
    assert len(servers) == 2


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_answer_without_success_spoils_the_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrk = tmp_path / "wrk"
    wrk.write_text("#!/bin/sh\necho '  Non-2xx or 3xx responses: 7'\n")
    wrk.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(ShopError, match=r"http://here.*\n.*responses: 7"):
        load.send([load.Load("http://here")], 1, lambda: None)


def test_without_wrk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ShopError, match="apt-get install -y wrk"):
        load.send([load.Load("http://here")], 1, lambda: None)
