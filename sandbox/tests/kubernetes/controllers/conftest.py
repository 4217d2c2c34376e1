"""Controllers called in turn on a real control plane, with the emulator's EC2 behind them."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.kubernetes.model import (
    ClusterSpec,
    Controller,
    InstanceSpec,
    NodegroupSpec,
    Report,
)

from sandbox.tests.control_planes import api_of
from sandbox.tests.emulator.conftest import RunningEmulator, start

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


@pytest.fixture(scope="session")
def ec2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    process, running = start(tmp_path_factory.mktemp("emulator"))
    yield running
    process.terminate()
    process.wait(10)


@pytest.fixture
def api(plane: ControlPlane, ec2: RunningEmulator) -> Iterator[ClusterApi]:
    made = api_of(plane, emulator=ec2.url)
    yield made
    for node in made.list("v1", "Node"):
        made.delete("v1", "Node", node["metadata"]["name"])
    made.close()


@pytest.fixture
def namespace(api: ClusterApi) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    until(lambda: api.get("v1", "ServiceAccount", "default", name))
    yield name
    for pod in api.list("v1", "Pod", namespace=name):
        api.delete("v1", "Pod", pod["metadata"]["name"], name, grace_seconds=0)
    api.delete("v1", "Namespace", name)


def until(condition: Callable[[], object], seconds: float = 40.0, explain: Callable[[], str] = str) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not so within {seconds} s\n{explain()}"
        time.sleep(0.1)


def instance(number: int, zone: str = "us-east-1a", kind: str = "t3.medium") -> InstanceSpec:
    return InstanceSpec(
        id=f"i-{number:017x}",
        type=kind,
        vcpus=2,
        memory_mib=4096,
        architecture="x86_64",
        zone=zone,
        zone_id="use1-az1",
        subnet_id="subnet-1",
        private_ip=f"10.0.1.{number}",
        private_dns_name=f"ip-10-0-1-{number}.ec2.internal",
    )


def group(instances: Sequence[InstanceSpec], **changes: object) -> NodegroupSpec:
    made = NodegroupSpec(
        name="main",
        status="ACTIVE",
        version="1.35",
        ami_type="AL2023_x86_64_STANDARD",
        capacity_type="ON_DEMAND",
        labels={"tier": "general"},
        taints=(),
        max_pods=None,
        root_volume_gib=20,
        instances=tuple(instances),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # any field of it


def cluster(**changes: object) -> ClusterSpec:
    made = ClusterSpec(name="shop", region="us-east-1", version="1.35", status="ACTIVE")
    return replace(made, **changes)  # type: ignore[arg-type]  # any field of it


@dataclass
class Running:
    """Controllers that are called until something holds, as the follower would."""

    api: ClusterApi
    spec: ClusterSpec
    controllers: Sequence[Controller]
    reports: list[Report] = field(default_factory=list)

    def round(self) -> list[Report]:
        self.reports = [item.reconcile(self.spec, self.api) for item in self.controllers]
        return self.reports

    def until(self, condition: Callable[[], object], seconds: float = 40.0) -> Any:
        def holds() -> object:
            self.round()
            return condition()

        return until(holds, seconds, self.explain)

    def explain(self) -> str:
        events = [
            f"{item['involvedObject'].get('name')}: {item.get('reason')}: {item.get('message')}"
            for item in self.api.list("v1", "Event")
        ]
        return "\n".join([str(self.reports), *events[-15:]])

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        return self.api.list("v1", "Pod", namespace=namespace)


def is_ready(item: dict[str, Any]) -> bool:
    conditions = (item.get("status") or {}).get("conditions") or []
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def deployment(name: str, namespace: str, replicas: int, **template: object) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "shop/main:1"}], **template},
            },
        },
    }
