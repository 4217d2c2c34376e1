"""A worker looks after its control plane whatever its controllers wait for."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cloudcommerce_sandbox.kubernetes import worker
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.commands import Settings
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Report
from cloudcommerce_sandbox.kubernetes.worker import Worker

pytestmark = pytest.mark.mission_M70

CLUSTER = ClusterSpec(name="shop", region="us-east-1", version="1.35", status="ACTIVE")


class Plane:
    """A control plane that is well, and counts how often somebody looks after it."""

    ready, endpoint, pids = True, "https://127.0.0.1:1", {"etcd": 1}

    def __init__(self, directory: Path, *_: Any) -> None:
        self.kubeconfig = self.authority = directory / "authority"
        self.authority.write_text("")
        self.tended = 0
        self.ended = threading.Event()
        self.looked_after = threading.Event()

    def tend(self) -> bool:
        self.tended += 1
        if self.tended > 5:
            self.looked_after.set()
        return True

    def end(self, *, at_once: bool) -> None:
        assert at_once
        self.ended.set()


class Patient:
    """A controller that waits for a server until the server is ended."""

    def __init__(self, planes: list[Plane]) -> None:
        self.planes = planes
        self.waits = threading.Event()

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:
        del cluster, api
        self.waits.set()
        assert self.planes[0].ended.wait(20)
        raise ConnectionRefusedError


@pytest.fixture
def planes(monkeypatch: pytest.MonkeyPatch) -> list[Plane]:
    made: list[Plane] = []

    def make(directory: Path, *arguments: Any) -> Plane:
        made.append(Plane(directory, *arguments))
        return made[-1]

    monkeypatch.setattr(worker, "ControlPlane", make)
    monkeypatch.setattr(worker, "ClusterApi", lambda **_: SimpleNamespace(server="", close=lambda: None))
    monkeypatch.setattr(worker, "_TEND_SECONDS", 0.01)
    return made


def test_a_controller_that_waits_keeps_nobody_from_the_control_plane(
    tmp_path: Path, planes: list[Plane]
) -> None:
    controller = Patient(planes)
    told: list[str] = []
    control = SimpleNamespace(
        emulator="",
        report_cluster=lambda *_, **__: told.append("ACTIVE"),
        report_gone=lambda _: told.append("gone"),
    )
    made = Worker(
        CLUSTER,
        directory=tmp_path / "shop",
        tools=tmp_path,
        settings=Settings(),
        controllers=(controller,),
        control=cast("ControlApi", control),
        on_change=lambda: None,
    )
    made.start()
    assert controller.waits.wait(20)
    assert planes[0].looked_after.wait(20), "the control plane is looked after meanwhile"

    made.leave()
    made.join()

    assert planes[0].ended.is_set()
    assert not (tmp_path / "shop").exists()
