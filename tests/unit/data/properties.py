"""What must hold for every store, told from what the engine saw."""

import importlib
import json
import keyword
from typing import Any

from tests.unit.mock_engine import Deployment, Resource

VPC, SUBNETS, ZONES = (
    "vpc-1",
    ["subnet-a", "subnet-b", "subnet-c"],
    ("us-east-1a", "us-east-1b", "us-east-1c"),
)
CLIENTS = {"workloads": "sg-workloads"}
ACCOUNT = "123456789012"


def key(data_class: str) -> str:
    return f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{data_class}"


def taggable(resource: Resource) -> bool:
    """Whether the SDK's class has tags."""
    package, module, class_name = resource.type.split(":")
    submodule = module.split("/")[0]
    if package != "aws":
        return False
    submodule += "_" * keyword.iskeyword(submodule)
    found = getattr(importlib.import_module(f"pulumi_aws.{submodule}"), class_name)
    return hasattr(found, "tags")


def assert_tagged_with_its_name(deployment: Deployment) -> None:
    tagged = [r for r in deployment.resources if r.custom and taggable(r)]
    assert tagged
    for resource in tagged:
        assert resource.inputs.get("tags") == {"Name": resource.name}, resource.urn


def assert_reached_by_groups_only(deployment: Deployment, clients: set[str]) -> None:
    """No rule names an address range, and what comes in comes from the expected groups."""
    rules = deployment.all("SecurityGroupIngressRule")
    assert rules
    for rule in rules:
        assert not {"cidrIpv4", "cidrIpv6", "prefixListId"} & rule.inputs.keys(), rule.urn
        assert rule.inputs["fromPort"] == rule.inputs["toPort"]
    assert {rule.inputs["referencedSecurityGroupId"] for rule in rules} == clients
    for group in deployment.all("SecurityGroup"):
        assert not {"ingress", "egress"} & group.inputs.keys(), "inline rules fight rule resources"


def assert_passwords_are_secret(deployment: Deployment) -> None:
    """Each generated password reaches resources, and components' inputs, in secret properties only."""
    passwords = {r.outputs["result"] for r in deployment.all("random:index/randomPassword:RandomPassword")}
    assert passwords
    seen = 0
    for resource in deployment.resources:
        for name, value in resource.inputs.items():
            if any(password in json.dumps(value) for password in passwords):
                assert name in resource.secret_inputs, f"{resource.urn} shows a password in {name}"
                seen += 1
    assert seen >= len(passwords)


def assert_inside(deployment: Deployment, component: str) -> None:
    """Every resource descends from the component, so that nothing appears beside it in the stack."""
    for resource in deployment.resources:
        assert resource.type_chain.startswith(component), resource.urn


def secret_value(deployment: Deployment, name: str) -> dict[str, Any]:
    version = deployment.named(f"{name}-value")
    assert "secretString" in version.secret_inputs
    assert set(version.ignore_changes) == {"secretString", "versionStages"}
    value: dict[str, Any] = json.loads(version.inputs["secretString"])
    return value


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}
