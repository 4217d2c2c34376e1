"""What the follower makes of an emulator that answers something else than it should, or nothing."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.kubernetes import worker
from cloudcommerce_sandbox.kubernetes.commands import Settings
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.follower import Follower
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec
from cloudcommerce_sandbox.kubernetes.state import read_states
from cloudcommerce_sandbox.kubernetes.worker import Worker

from sandbox.tests.control_planes import until

Answer = Callable[[BaseHTTPRequestHandler], None]
LOCAL = {"name": "kind", "nodes": [{"name": "a", "vcpus": 2, "memoryMiB": 4096}]}


def answer(status: int, body: bytes, length: int | None = None) -> Answer:
    def give(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return give


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


KNOWN = answer(
    200, json.dumps({"generation": 1, "incarnation": "abc", "clusters": [], "local": [LOCAL]}).encode()
)


@contextmanager
def emulator(first: Answer, then: Answer) -> Iterator[tuple[str, list[str]]]:
    """Serve one answer to the first request for the document, and another to all others."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            (first if len(asked) == 1 else then)(self)

        def do_POST(self) -> None:
            answer(200, b"null")(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def follower(url: str, folder: Path) -> Follower:
    kubernetes, tools = folder / "kubernetes", folder / "no-tools"
    return Follower(ControlApi(url), kubernetes, tools, folder / "kubeconfig", lambda: ())


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(answer(500, b"broken"), id="breaks"),
        pytest.param(answer(400, b"{}"), id="refuses"),
        pytest.param(answer(200, b'{"generation"', length=5000), id="ends in the middle"),
        pytest.param(hang_up, id="hangs up"),
    ],
)
def test_clusters_stay_while_somebody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Answer
) -> None:
    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.follower._REFUSED_SECONDS", 0.1)
    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.follower._PAUSE_AFTER_NONSENSE_SECONDS", 0.1)
    with emulator(KNOWN, trouble) as (url, asked):
        following = threading.Thread(target=follower(url, tmp_path).run, args=(lambda _: None,), daemon=True)
        following.start()
        until(lambda: len(asked) > 6)

        assert following.is_alive()
        assert [state.name for state in read_states(tmp_path / "kubernetes" / "status.json")] == ["kind"]
    until(lambda: not following.is_alive())
    assert read_states(tmp_path / "kubernetes" / "status.json") == ()


@pytest.mark.parametrize(
    "told", [answer(404, b'{"error": "no GET kubernetes"}'), answer(200, b'{"clusters": []}')]
)
def test_emulator_of_older_code_is_told_at_once_with_the_way_out(tmp_path: Path, told: Answer) -> None:
    began = time.monotonic()

    with (
        emulator(told, told) as (url, asked),
        pytest.raises(SandboxError, match="does not tell of") as raised,
    ):
        follower(url, tmp_path).run(lambda _: None)

    assert "`make stop`" in raised.value.remedy
    assert len(asked) == 1
    assert time.monotonic() < began + 20


def test_state_that_can_not_be_written_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.follower.write_states", full_disk)
    ready = threading.Event()
    with emulator(KNOWN, KNOWN) as (url, asked):
        following = threading.Thread(
            target=follower(url, tmp_path).run, args=(lambda _: ready.set(),), daemon=True
        )
        following.start()

        assert ready.wait(20)
        until(lambda: len(asked) > 3)
        assert following.is_alive()


class Deaf(ControlApi):
    """An emulator's control API that takes reports only at the third try."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.heard: list[str] = []

    def report_gone(self, cluster: ClusterSpec) -> None:  # noqa: ARG002  # whatever the cluster
        self._hear("gone")

    def report_cluster(
        self,
        cluster: ClusterSpec,  # noqa: ARG002  # whatever the cluster
        status: str,
        **_: str,
    ) -> None:
        self._hear(status)

    def _hear(self, report: str) -> None:
        self.heard.append(report)
        if len(self.heard) < 3:
            raise OSError(f"{report} is not heard")


@pytest.mark.parametrize(("status", "told"), [("DELETING", "gone"), ("CREATING", "FAILED")])
def test_what_became_of_a_cluster_is_told_until_it_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, told: str
) -> None:
    monkeypatch.setattr(worker, "_PAUSE_AFTER_FAILURE_SECONDS", 0.05)
    control = Deaf()
    made = Worker(
        ClusterSpec(name="shop", region="us-east-1", version="1.35", status=status),
        directory=tmp_path / "shop",
        tools=tmp_path / "no-tools",
        settings=Settings(),
        controllers=(),
        control=control,
        on_change=lambda: None,
    )
    made.start()

    until(lambda: len(control.heard) == 3, seconds=20)
    made.leave()
    made.join()

    assert control.heard == [told] * 3
