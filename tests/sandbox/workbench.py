"""A checkout of its own with a Pulumi program, its sandbox, and an emulator that is empty when it begins."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml
from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.engine.runner import Outcome
from cloudcommerce_sandbox.engine.state import StackState
from cloudcommerce_sandbox.session import Session, opened
from cloudcommerce_sandbox.tools.catalogue import KUBERNETES
from cloudcommerce_sandbox.workspace.layout import Layout
from cloudcommerce_sandbox.workspace.view import refresh_view

from sandbox.tests.projects import link_or_copy

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"
STACK = "prod"
SMALL: dict[str, Any] = {"zones": "a", "images": ["order"]}
"""Settings of the shop program for tests that bring it up many times."""

CREATOR = "arn:aws:iam::123456789012:user/moto"
"""Who the engine's credentials are in the emulator; makers of clusters are their first administrators."""

PRELUDE = """
import pulumi
import pulumi_aws as aws

shop = pulumi.Config().get_object("shop") or {}
tags = {"Project": pulumi.get_project(), "Environment": pulumi.get_stack(), **shop.get("tags", {})}
provider = aws.Provider(
    "aws", region="us-east-1", default_tags=aws.ProviderDefaultTagsArgs(tags=tags)
)

def options(**given):
    return pulumi.ResourceOptions(provider=provider, **given)
"""
"""What short programs begin with: the provider as the product's own program makes it."""


def make_checkout(folder: Path, pulumi: Path) -> Layout:
    """Make a project named `shop` with an empty program; the engine is shared, nothing else is."""
    (folder / "infra").mkdir(parents=True)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "Pulumi.yaml").write_text("name: shop\nmain: infra/\nruntime: python\n")
    layout = Layout(folder)
    _share_engine(layout, pulumi)
    return layout


def make_product_checkout(folder: Path, pulumi: Path) -> Layout:
    """Make a checkout of the product itself: its own files, but a sandbox of its own, clusters too."""
    folder.mkdir(parents=True)
    for entry in CHECKOUT.iterdir():
        if entry.name in {"infra", "stacks", "components", "operations", "pyproject.toml", ".venv"}:
            (folder / entry.name).symlink_to(entry)
        elif entry.match("Pulumi*.yaml"):
            shutil.copy2(entry, folder / entry.name)
    layout = Layout(folder)
    _share_engine(layout, pulumi)
    share_cluster_tools(layout)
    return layout


def share_cluster_tools(layout: Layout) -> None:
    """Give a checkout the built tools that clusters need."""
    _share(layout, (tool.name for tool in KUBERNETES))


def _share_engine(layout: Layout, pulumi: Path) -> None:
    layout.tools.mkdir(parents=True)
    if pulumi.parent == Layout(CHECKOUT).tools:
        _share(layout, ["pulumi"])


def _share(layout: Layout, names: Iterable[str]) -> None:
    built = Layout(CHECKOUT).tools
    for name in names:
        if (built / name).is_file():  # else it is on PATH
            for part in (name, f".{name}.json"):
                link_or_copy(built / part, layout.tools / part)


@dataclass(frozen=True)
class Workbench:
    """One checkout, ready to run the engine in.

    Attributes:
        layout: The checkout's sandbox.
        stack: The stack.
    """

    layout: Layout
    stack: str = STACK

    @cached_property
    def session(self) -> Session:
        with Steps() as steps, opened(self.layout, self.stack, steps, exclusively=False) as session:
            return session

    def program(self, source: str | Path) -> None:
        """Write the program: a file of `programs/`, or source that follows the prelude."""
        text = source.read_text() if isinstance(source, Path) else PRELUDE + source
        (self.layout.checkout / "infra" / "__main__.py").write_text(text)

    def settings(self, **shop: Any) -> None:
        """Write the stack file's `shop`."""
        document = {"config": {"shop:shop": shop} if shop else {}}
        (self.layout.checkout / f"Pulumi.{self.stack}.yaml").write_text(yaml.safe_dump(document))
        refresh_view(self.layout, self.stack)

    def engine(self, operation: str, *arguments: str) -> Outcome:
        """Run `pulumi OPERATION` to its end."""
        with Steps() as steps:
            return self.session.engine.stream(steps, operation, operation, "--stack", self.stack, *arguments)

    def up(self, *arguments: str) -> Outcome:
        return self.engine("up", "--skip-preview", *arguments)

    def must_up(self, *arguments: str) -> Outcome:
        """Run `up`, which has to succeed."""
        outcome = self.up(*arguments)
        assert outcome.exit_code == 0, outcome.failures()
        return outcome

    def preview(self, *arguments: str) -> dict[str, Any]:
        """Return what `pulumi preview --json` prints when it succeeds."""
        done = self.session.engine.capture("preview", "--json", "--stack", self.stack, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `cloudcommerce-sandbox ARGUMENTS`, which is what `make` runs."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("cloudcommerce-sandbox")), *arguments],
            cwd=self.layout.checkout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def begin(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command that is meant to be killed."""
        return subprocess.Popen(
            command,
            cwd=self.layout.project,
            env={**self.session.engine.environment, "PWD": str(self.layout.project)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def engine_command(self, operation: str) -> list[str]:
        arguments = ["--yes", "--skip-preview", "--non-interactive", "--stack", self.stack]
        return [str(self.session.engine.executable), operation, *arguments]

    def operations_command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "operations", *arguments, "--stack", self.stack]

    def operations(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `operations ARGUMENTS` as a person does after `make shell`."""
        return subprocess.run(
            self.operations_command(*arguments),
            cwd=self.layout.project,
            env={**self.session.engine.environment, "PWD": str(self.layout.project)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secret ones in plain text."""
        printed = self.session.engine.capture(
            "stack", "output", "--json", "--show-secrets", "--stack", self.stack
        )
        assert printed.returncode == 0, printed.stderr
        found: dict[str, Any] = json.loads(printed.stdout)
        return found

    def state(self) -> StackState:
        return self.session.state()

    def state_text(self) -> str:
        path = self.layout.state / ".pulumi" / "stacks" / self.session.project / f"{self.stack}.json"
        return path.read_text()

    def resource(self, name: str, of_type: str = "") -> dict[str, Any]:
        """Return the one record of that name (and type) in the state."""
        [found] = [
            record
            for record in self.state().custom()
            if record["urn"].endswith(f"::{name}") and record["type"].endswith(of_type)
        ]
        return found

    def client(self, service: str, region: str = "us-east-1") -> Any:
        create: Any = boto3.client  # typed by the literal name of each service, which this is not
        return create(
            service,
            region_name=region,
            endpoint_url=self.session.emulator.url,
            aws_access_key_id="person",
            aws_secret_access_key="person",
        )

    def api(self, method: str, name: str, document: Any = None) -> Any:
        return call_api(self.session.emulator.url, method, name, document)

    def fault(self, kind: str, **rule: Any) -> None:
        self.api("POST", "faults", {"kind": kind, **rule})

    def inventory(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", "inventory")
        return found

    def calls(self) -> int:
        total: int = self.api("GET", "calls")["total"]
        return total

    def orphans(self) -> list[tuple[str, str]]:
        """What stands in AWS, is not on its way out, and no state knows."""
        records = self.state().custom()
        known = {identity for record in records for identity in _identities(record)}
        return [
            (f"{item['service']}:{item['type']}", item["id"])
            for item in self.inventory()
            if item["state"] is None and not known & _names(item) and not _is_of_eks(item, records)
        ]


def _names(item: Mapping[str, Any]) -> set[str]:
    """What states call a thing of the inventory."""
    names: set[str] = {item["id"]}
    if item["service"] == "eks":
        cluster, _, name = item["id"].partition("/")
        names.add(name if item["type"] == "pod-identity-association" else f"{cluster}:{name}")
    return names


def _is_of_eks(item: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> bool:
    """Whether EKS made it for what the state knows: machines of a group, entries of nodes and of makers."""
    groups = [
        record["outputs"]
        for record in records
        if record["type"] == "aws:eks/nodeGroup:NodeGroup" and record["outputs"]
    ]
    tags = item["tags"] or {}
    of_group = (tags.get("eks:cluster-name"), tags.get("eks:nodegroup-name"))
    if item["type"] != "access-entry":
        return of_group in {(group["clusterName"], group["nodeGroupName"]) for group in groups}
    cluster, _, principal = item["id"].partition("/")
    clusters = {record["id"] for record in records if record["type"] == "aws:eks/cluster:Cluster"}
    return cluster in clusters and principal in {CREATOR, *(group["nodeRoleArn"] for group in groups)}


def steps_of(outcome: Outcome) -> list[tuple[str, str]]:
    """What the engine did, in order: operation and logical name of all that it did not leave alone."""
    done = []
    for line in outcome.log.read_text().splitlines():
        metadata = (_event(line).get("resOutputsEvent") or {}).get("metadata")
        if metadata and metadata["op"] != "same":
            done.append((metadata["op"], metadata["urn"].rsplit("::", 1)[-1]))
    return done


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _identities(record: Mapping[str, Any]) -> set[str]:
    outputs = record.get("outputs") or {}
    return {record["id"]} | {
        outputs[key] for key in ("arn", "name", "identifier", "allocationId") if outputs.get(key)
    }


def call_api(url: str, method: str, name: str, document: Any = None) -> Any:
    """Call the emulator's control API."""
    body = None if document is None else json.dumps(document).encode()
    prefix = "" if name.startswith("/") else "/sandbox-api/"
    request = urllib.request.Request(f"{url}{prefix}{name}", body, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {seconds} s"
        time.sleep(0.01)
