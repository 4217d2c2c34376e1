"""The real engine in a folder of its own, with our plugins in front of an emulator."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox.workspace import home
from cloudcommerce_sandbox.workspace.environment import sandbox_environment
from cloudcommerce_sandbox.workspace.layout import Layout

STACK = "prod"
PRELUDE = """
import json
import pulumi
import pulumi_aws as aws
import pulumi_eks as eks

provider = aws.Provider("aws", region="us-east-1")
explicit = pulumi.ResourceOptions(provider=provider)
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=explicit)
subnets = [
    aws.ec2.Subnet(
        f"private-{zone}",
        vpc_id=vpc.id,
        cidr_block=f"10.0.{position}.0/24",
        availability_zone=f"us-east-1{zone}",
        opts=explicit,
    )
    for position, zone in enumerate("ab")
]
trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
admin = aws.iam.Role(
    "admin",
    assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    opts=explicit,
)
smallest = {
    "authentication_mode": "API",
    "vpc_id": vpc.id,
    "private_subnet_ids": [subnet.id for subnet in subnets],
    "skip_default_node_group": True,
    "skip_default_security_groups": True,
    "create_instance_role": False,
    "version": "1.34",
}
"""


@dataclass(frozen=True)
class Engine:
    """One project with one stack."""

    layout: Layout
    environment: dict[str, str]

    def program(self, source: str) -> None:
        """Write what follows the prelude."""
        (self.layout.checkout / "__main__.py").write_text(PRELUDE + source)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            cwd=self.layout.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def command(self, *arguments: str) -> list[str]:
        return [str(self.layout.tools / "pulumi"), *arguments, "--non-interactive", "--stack", STACK]

    def up(self) -> dict[str, int]:
        """Run `up`, which has to succeed; return how often each thing was done."""
        return self._changes("up")

    def refresh(self) -> dict[str, int]:
        return self._changes("refresh")

    def destroy(self) -> dict[str, int]:
        return self._changes("destroy")

    def _changes(self, operation: str) -> dict[str, int]:
        done = self.run(operation, "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr
        history = json.loads(self.run("stack", "history", "--json", "--page-size", "1").stdout)
        found: dict[str, int] = history[0]["resourceChanges"]
        return found

    def preview(self) -> dict[str, dict[str, Any]]:
        """Return the wanted inputs of every resource by its URN without stack and project."""
        done = self.run("preview", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        steps = json.loads(done.stdout)["steps"]
        return {_short(step["urn"]): step["newState"].get("inputs") or {} for step in steps}

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the records of the state by URN without stack and project."""
        exported = json.loads(self.run("stack", "export").stdout)
        records = exported["deployment"].get("resources") or []
        return {_short(record["urn"]): record for record in records}

    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("stack", "output", "--json", "--show-secrets").stdout)
        return found


def _short(urn: str) -> str:
    return urn.split("::", 2)[2]


def make_engine(folder: Path, pulumi: Path, endpoint: str) -> Engine:
    """Make a project in an empty folder."""
    layout = Layout(folder)
    layout.tools.mkdir(parents=True)
    layout.state.mkdir(parents=True)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (layout.tools / "pulumi").symlink_to(pulumi)
    home.ensure_passphrase(layout.passphrase)
    home.install_plugins(layout.home("sandbox"))
    home.write_launcher(layout.tools / "pulumi-language-python", "cloudcommerce_sandbox.language_host")
    environment = sandbox_environment(layout, endpoint=endpoint, stack=STACK, plugins="sandbox")
    engine = Engine(layout, environment)
    made = engine.run("stack", "init")
    assert made.returncode == 0, made.stdout + made.stderr
    return engine
