"""A stack without an engine: its state in memory, changed as the engine would change it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations.errors import OperationError, StackLockedError
from operations.plan import Plan
from operations.pulumi_cli import EngineEvent, PulumiCli
from operations.state import Deployment, Resource, parse_deployment

STACK_URN = "urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"
PROVIDER_URN = "urn:pulumi:prod::shop::pulumi:providers:aws::aws"
COMPONENT_URN = "urn:pulumi:prod::shop::cloudcommerce:network:Vpc::core"
OUR_TAGS = {"Project": "shop", "Environment": "prod"}


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:prod::shop::cloudcommerce:network:Vpc${type_}::{name}"


def record(type_: str, name: str, id_: str = "", **more: Any) -> dict[str, Any]:
    """A custom resource's record as Pulumi writes it."""
    return {
        "urn": urn(type_, name),
        "custom": True,
        "type": type_,
        "parent": COMPONENT_URN,
        "provider": f"{PROVIDER_URN}::0b8f",
        **({"id": id_} if id_ else {}),
        **more,
    }


def state(*records: dict[str, Any], pending: Sequence[tuple[str, dict[str, Any]]] = ()) -> Deployment:
    """An export with the stack, a provider and a component before the given records."""
    base = [
        {"urn": STACK_URN, "custom": False, "type": "pulumi:pulumi:Stack"},
        {
            "urn": PROVIDER_URN,
            "custom": True,
            "type": "pulumi:providers:aws",
            "id": "0b8f",
            "inputs": {"region": "us-east-1"},
            "parent": STACK_URN,
        },
        {"urn": COMPONENT_URN, "custom": False, "type": "cloudcommerce:network:Vpc", "parent": STACK_URN},
    ]
    body: dict[str, Any] = {"manifest": {}, "resources": [*base, *records]}
    if pending:
        body["pending_operations"] = [{"resource": each, "type": kind} for kind, each in pending]
    return Deployment({"version": 3, "deployment": body})


@dataclass(frozen=True)
class FakePulumi(PulumiCli):
    """Keeps what it is given, and remembers what it was asked to do."""

    stack: str = "prod"
    directory: Path = Path()
    memory: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def backend_url(self) -> str:
        return f"file://{self.directory}"

    def export_state(self) -> Deployment:
        return parse_deployment(self.memory["state"])

    def import_state(self, deployment: Deployment) -> None:
        self.asked.append("import")
        self.memory["state"] = deployment.text()

    def output(self, name: str) -> Any:
        return self.memory["outputs"][name]

    def plan(self) -> Plan:
        self.asked.append("plan")
        if "plan error" in self.memory:
            raise OperationError(self.memory["plan error"])
        known = self.export_state().urns
        planned = [Resource(each) for each in self.memory.get("planned", ())]
        return Plan(tuple(each for each in planned if each.urn not in known))

    def refresh(self, urns: Sequence[str], _: Callable[[EngineEvent], None]) -> None:
        self.asked.append(f"refresh {' '.join(urns)}".strip())

    def destroy(self, _: Callable[[EngineEvent], None]) -> None:
        self.asked.append("destroy")
        self.memory["destroy"](self)

    def unprotect_all(self) -> None:
        self.asked.append("unprotect")

    def probe_lock(self) -> None:
        if "locked" in self.memory:
            raise StackLockedError(self.memory["locked"])

    def cancel(self) -> None:
        self.asked.append("cancel")
        self.memory.pop("locked", None)


def fake(deployment: Deployment, directory: Path, **memory: Any) -> FakePulumi:
    """A stack with a state."""
    return FakePulumi("prod", directory, {"state": deployment.text(), **memory})
