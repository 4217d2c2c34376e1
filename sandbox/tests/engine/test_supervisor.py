"""One emulator for a checkout, through everything that can happen to its process."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


def test_one_that_hangs_is_replaced(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_HEALTH_TIMEOUT_SECONDS", 0.5)
    hung, _ = supervisor.ensure_emulator(layout)
    os.kill(hung.pid, signal.SIGSTOP)

    fresh, started = supervisor.ensure_emulator(layout)

    assert started
    assert fresh.incarnation != hung.incarnation


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
