"""One emulator for a checkout, through everything that can happen to its process."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from cloudcommerce_sandbox import processes, supervisor
from cloudcommerce_sandbox.engine.state import bind_state
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.workspace.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    made = Layout(tmp_path)
    made.root.mkdir()
    yield made
    supervisor.stop_emulator(made)


def test_it_is_started_once_and_stopped(layout: Layout) -> None:
    first, started = supervisor.ensure_emulator(layout)
    second, again = supervisor.ensure_emulator(layout)

    assert (started, again) == (True, False)
    assert first == second
    assert first.get("health")["incarnation"] == first.incarnation
    assert supervisor.stop_emulator(layout)
    assert supervisor.running_emulator(layout) is None
    assert not supervisor.stop_emulator(layout)


def test_two_commands_at_once_share_one(layout: Layout) -> None:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: supervisor.ensure_emulator(layout)[0], range(2)))

    assert found[0] == found[1]


def test_it_does_not_outlive_the_tests_that_started_it(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as owner:
        monkeypatch.setenv(supervisor.OWNER_VARIABLE, str(owner.pid))
        orphan, _ = supervisor.ensure_emulator(layout)
        owner.kill()

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and supervisor.is_up(layout, orphan):
        time.sleep(0.1)
    assert not supervisor.is_up(layout, orphan)


def test_one_that_is_slow_is_waited_for(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_HEALTH_TIMEOUT_SECONDS", 0.3)
    slow, _ = supervisor.ensure_emulator(layout)
    told: list[str] = []
    os.kill(slow.pid, signal.SIGSTOP)
    wake = threading.Timer(1.5, os.kill, (slow.pid, signal.SIGCONT))
    wake.start()

    found, started = supervisor.ensure_emulator(layout, told.append)

    assert (found, started) == (slow, False)
    assert len(told) == 1
    assert str(slow.pid) in told[0]


def test_one_that_hangs_is_never_ended_unasked(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_HEALTH_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(supervisor, "_PATIENCE_SECONDS", 0.5)
    hung, _ = supervisor.ensure_emulator(layout)
    os.kill(hung.pid, signal.SIGSTOP)

    with pytest.raises(SandboxError, match=f"kill -CONT {hung.pid}"):
        supervisor.ensure_emulator(layout)

    os.kill(hung.pid, signal.SIGCONT)
    monkeypatch.undo()
    assert supervisor.running_emulator(layout) == hung


def test_another_checkouts_emulator_is_not_ours_to_end(layout: Layout, tmp_path: Path) -> None:
    other = Layout(tmp_path / "other")
    other.root.mkdir(parents=True)
    theirs, _ = supervisor.ensure_emulator(other)
    try:
        layout.emulator.write_text(other.emulator.read_text())  # as if the system had reused its number

        assert supervisor.running_emulator(layout) is None
        assert not supervisor.stop_emulator(layout)
        assert supervisor.running_emulator(other) == theirs
    finally:
        supervisor.stop_emulator(other)


def test_port_survives_a_stop(layout: Layout) -> None:
    before, _ = supervisor.ensure_emulator(layout)
    supervisor.stop_emulator(layout)

    after, started = supervisor.ensure_emulator(layout)

    assert started
    assert after.url == before.url
    supervisor.stop_emulator(layout)
    layout.emulator_port.write_text("99999999")
    assert supervisor.ensure_emulator(layout)[1]


def test_it_ends_when_the_sandbox_is_deleted(layout: Layout) -> None:
    running, _ = supervisor.ensure_emulator(layout)
    shutil.rmtree(layout.root)

    deadline = time.monotonic() + 20
    while supervisor.is_up(layout, running) and time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(running.pid, os.WNOHANG)
        time.sleep(0.1)

    assert not supervisor.is_up(layout, running)


def test_taken_port_is_left_for_another(layout: Layout) -> None:
    before, _ = supervisor.ensure_emulator(layout)
    port = int(before.url.rsplit(":", 1)[1])
    assert processes.end(before.pid, running="cloudcommerce_sandbox.emulator")
    assert not processes.is_alive(before.pid, running="cloudcommerce_sandbox.emulator")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()

        after, _ = supervisor.ensure_emulator(layout)

    assert after.url != before.url


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"url": "http://127.0.0.1:1", "pid": 1, "incarnation": "x"}']
)
def test_damaged_or_foreign_record_is_ignored(layout: Layout, content: str) -> None:
    layout.emulator.write_text(content)

    assert supervisor.running_emulator(layout) is None
    assert not supervisor.stop_emulator(layout)  # process 1 is not ours to end


def test_one_that_does_not_start_shows_the_end_of_its_log(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_MODULE", "no.such.module")

    with pytest.raises(SandboxError, match=r"(?s)did not start.*No module"):
        supervisor.ensure_emulator(layout)


def test_state_of_another_emulator_is_put_away_and_few_are_kept(layout: Layout) -> None:
    assert bind_state(layout, "first") is None
    for number in range(8):
        stack = layout.state / ".pulumi" / "stacks" / "shop" / "prod.json"
        stack.parent.mkdir(parents=True, exist_ok=True)
        stack.write_text("{}")
        archived = bind_state(layout, f"later-{number}")
        assert archived is not None
        assert (archived / ".pulumi" / "stacks" / "shop" / "prod.json").is_file()
        assert bind_state(layout, f"later-{number}") is None
        archived.rename(archived.with_name(f"state-{number}"))

    assert len(list(layout.archive.iterdir())) <= 6
