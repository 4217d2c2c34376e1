"""What is prepared before anything runs: ports, folders, secrets, builds, probes."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.local import building, credentials, ports, probe, servers
from services.local.errors import ShopError
from services.local.home import Home, open_to_others


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A shop's folder in one that is closed to others, as if we were a common user."""
    monkeypatch.setattr("services.local.home.UNPRIVILEGED", None)
    return Home.open({"CLOUDCOMMERCE_SHOP_HOME": str(folder)})


def test_a_taken_port_is_named_with_what_it_is_for_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = opened(tmp_path, monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(ports, "DEFAULTS", {"gateway": port})
        with pytest.raises(ShopError, match=rf"{port} \(gateway\).*PORTS=free"):
            ports.choose(home, free=False)
        assert ports.choose(home, free=True)["gateway"] != port


def test_free_ports_are_all_different_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = opened(tmp_path, monkeypatch)
    with pytest.raises(ShopError, match="make services"):
        ports.current(home)

    chosen = ports.choose(home, free=True)

    assert chosen.keys() == ports.DEFAULTS.keys()
    assert len(set(chosen.values())) == len(chosen)
    assert ports.current(home) == chosen


def test_somebody_else_s_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)  # noqa: PTH116 - as Home sees it
    with pytest.raises(ShopError, match="belongs to another user"):
        opened(tmp_path, monkeypatch)


def test_root_is_told_of_a_folder_that_postgresql_s_user_cannot_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.local.home.UNPRIVILEGED", 65534)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert not open_to_others(closed)
    with pytest.raises(ShopError, match="CLOUDCOMMERCE_SHOP_HOME"):
        Home.open({"CLOUDCOMMERCE_SHOP_HOME": str(closed / "shop")})


def test_secrets_are_made_once_and_only_their_owner_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = opened(tmp_path, monkeypatch)
    first = credentials.secrets_of(home)
    file = home.root / "secrets.json"

    assert credentials.secrets_of(home) == first
    assert set(first) == set(credentials.NAMES)
    assert len(set(first.values())) == len(first)
    assert all(len(value) >= 32 for value in first.values())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    # A secret that a new version adds leaves those of running data alone.
    file.write_text(json.dumps({name: value for name, value in first.items() if name != "orders"}))
    second = credentials.secrets_of(home)
    assert second["orders"] != first["orders"]
    assert {**second, "orders": ""} == {**first, "orders": ""}


def test_a_build_runs_once_for_the_same_sources_and_a_failed_one_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "CACHE", tmp_path / "cache")
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("one")
    ran: list[Path] = []

    def build(directory: Path) -> None:
        ran.append(directory)
        assert (directory / "source" / "file").exists()
        if len(ran) == 1:
            raise ShopError("it failed")

    with pytest.raises(ShopError):
        building.built_once("thing", [source], build)
    built = building.built_once("thing", [source], build)
    assert building.built_once("thing", [source], build) == built
    assert len(ran) == 2
    (source / "file").write_text("two")
    assert building.built_once("thing", [source], build) != built


def test_a_missing_broker_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(ShopError, match="apt-get install -y --no-install-recommends rabbitmq-server"):
        servers.rabbitmq()


@contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A server that says this to the first client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(64)
                client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("store", "answer", "serves"),
    [
        ("redis", b"-NOAUTH Authentication required.\r\n", True),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n", False),
        ("postgres", b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00", True),
        ("postgres", b"E\x00\x00\x00\x10SFATAL\x00C57P03\x00", False),
        ("rabbitmq", b"\x01\x00\x00\x00\x00\x01\xff", True),
        ("rabbitmq", b"AMQP\x00\x00\x09\x01", False),
        ("rabbitmq", b"", False),
    ],
)
def test_a_store_is_ready_when_it_serves_and_not_when_it_listens(
    store: str, answer: bytes, serves: bool
) -> None:
    with saying(answer) as port:
        done = subprocess.run([sys.executable, "-S", "-E", probe.__file__, store, str(port)], check=False)

    assert (done.returncode == 0) is serves


def test_nothing_that_listens_is_not_ready() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert not probe.serves("redis", closed.getsockname()[1])
