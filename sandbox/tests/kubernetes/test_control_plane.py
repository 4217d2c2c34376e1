"""A control plane through everything that can happen to its processes."""

import json
import os
import signal
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.kubernetes.commands import STAGES, Settings
from cloudcommerce_sandbox.kubernetes.component import end_all
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane

from sandbox.tests.control_planes import api_of, control_plane, tools, until

pytestmark = pytest.mark.xdist_group("control-plane")

CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kept", "namespace": "default"},
    "data": {"answer": "42"},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(tmp_path_factory.mktemp("fragile")) as plane:
        yield plane


@pytest.fixture
def fragile(running: ControlPlane) -> Iterator[ControlPlane]:
    """A control plane that a test may harm; the next one finds it well again."""
    until(running.tend, running.troubles)
    yield running
    until(running.tend, running.troubles)


@pytest.mark.parametrize(
    "name", ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]
)
def test_killed_component_comes_back_with_the_data(fragile: ControlPlane, name: str) -> None:
    api_of(fragile).apply(CONFIG_MAP)
    before, endpoint = fragile.pids, fragile.endpoint

    os.kill(before[name], signal.SIGKILL)
    until(lambda: fragile.tend() and fragile.pids.get(name) not in (None, before[name]), fragile.troubles)

    kept = api_of(fragile).get("v1", "ConfigMap", "kept", "default")
    assert kept is not None
    assert kept["data"] == {"answer": "42"}
    assert fragile.endpoint == endpoint
    # The others may follow an API server that they need; the store needs nobody.
    assert name == "etcd" or fragile.pids["etcd"] == before["etcd"]


def test_successor_takes_over_what_runs(fragile: ControlPlane) -> None:
    successor = ControlPlane(fragile.directory, tools(), Settings())

    until(successor.tend, successor.troubles)

    assert successor.pids == fragile.pids
    assert successor.endpoint == fragile.endpoint


def test_changed_settings_restart_only_whom_they_concern(fragile: ControlPlane, tmp_path: Path) -> None:
    stages = []
    for source in STAGES.glob("*.yaml"):
        stages.append(tmp_path / source.name)
        stages[-1].write_text(source.read_text() + "\n# another\n")
    before = fragile.pids

    changed = ControlPlane(fragile.directory, tools(), Settings(stages=stages))
    until(changed.tend, changed.troubles)

    after = changed.pids
    assert [name for name in before if before[name] != after[name]] == ["kwok"]


def test_taken_ports_are_left_to_who_has_them(fragile: ControlPlane) -> None:
    api_of(fragile).apply(CONFIG_MAP)
    taken = int(fragile.endpoint.rpartition(":")[2])
    fragile.end()
    with socket.create_server(("127.0.0.1", taken)):
        until(fragile.tend, fragile.troubles)

        assert fragile.endpoint != f"https://127.0.0.1:{taken}"
        assert api_of(fragile).get("v1", "ConfigMap", "kept", "default") is not None


def test_server_that_hangs_is_restarted(fragile: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.control_plane._PROBE_SECONDS", 0.3)
    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.control_plane._PROBE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.control_plane._MUTE_SECONDS", 1.0)
    hung = fragile.pids["kube-apiserver"]
    os.kill(hung, signal.SIGSTOP)

    until(lambda: fragile.pids.get("kube-apiserver") != hung or fragile.tend() is None, fragile.troubles)
    monkeypatch.undo()
    until(fragile.tend, fragile.troubles)

    assert fragile.pids["kube-apiserver"] != hung


def test_secrets_are_unreadable_in_the_store(fragile: ControlPlane) -> None:
    word = "a-word-that-nothing-else-has"
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "hidden", "namespace": "default"},
        "stringData": {"word": word},
    }
    api_of(fragile).apply(secret)
    api_of(fragile).apply({**CONFIG_MAP, "data": {"public": "a-word-to-find"}})

    stored = b"".join(path.read_bytes() for path in (fragile.directory / "etcd").rglob("*") if path.is_file())

    assert b"a-word-to-find" in stored
    assert word.encode() not in stored


@pytest.mark.parametrize(("path", "status"), [("/readyz", 200), ("/api", 401), ("/api/v1/secrets", 401)])
def test_nobody_is_anonymous_but_who_asks_for_health(fragile: ControlPlane, path: str, status: int) -> None:
    context = ssl.create_default_context(cafile=str(fragile.authority))
    try:
        with urllib.request.urlopen(f"{fragile.endpoint}{path}", context=context) as answer:
            found = answer.status
    except urllib.error.HTTPError as error:
        found = error.code

    assert found == status


def test_store_answers_nobody_without_its_certificate(fragile: ControlPlane) -> None:
    port = json.loads((fragile.directory / "ports.json").read_text())["etcd"]
    context = ssl.create_default_context(cafile=str(fragile.directory / "pki" / "etcd.crt"))
    # The certificate of an administrator of the cluster is another authority's.
    context.load_cert_chain(
        fragile.directory / "pki" / "administrator.crt", fragile.directory / "pki" / "administrator.key"
    )

    with pytest.raises(OSError), urllib.request.urlopen(f"https://127.0.0.1:{port}/version", context=context):  # noqa: PT011  # whatever TLS says
        pass


def test_keys_are_their_owners_only(fragile: ControlPlane) -> None:
    private = [*fragile.directory.rglob("*.key"), *(fragile.directory / "kubeconfigs").iterdir()]
    private.append(fragile.directory / "encryption.json")

    assert len(private) > 8
    assert [path for path in private if path.stat().st_mode & 0o077] == []


def test_end_leaves_no_process_and_a_killed_owner_leaves_some_to_end(fragile: ControlPlane) -> None:
    pids = fragile.pids

    assert end_all(fragile.directory) == len(pids) == 5

    assert fragile.pids == {}
    assert [
        pid for pid in pids.values() if Path(f"/proc/{pid}/cmdline").exists() and _command_line(pid)
    ] == []


def test_missing_program_is_told_with_the_way_out(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path / "cluster", tmp_path / "nothing", Settings())

    with pytest.raises(SandboxError, match="etcd does not start") as raised:
        plane.tend()

    assert "make tools" in raised.value.remedy


def _command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
