"""What holds for everything in production, whoever adds the next component."""

import importlib
import inspect
import json
import re
import runpy
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.unit.computed_outputs import ACCOUNT_ID
from tests.unit.mock_engine import STACK, Deployment, Resource
from tests.unit.stacks import program
from tests.unit.stacks.program import ROOT, deploy_production, stack_file

# What holds data, or opens it: losing one of these loses what no `pulumi up` brings back.
STATEFUL = {
    "aws:docdb/cluster:Cluster",
    "aws:ecr/repository:Repository",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:kms/key:Key",
    "aws:mq/broker:Broker",
    "aws:rds/instance:Instance",
    "aws:secretsmanager/secret:Secret",
}

PEOPLE = ("on-call@example.com", "platform@example.com")


@pytest.fixture(scope="module")
def production() -> Deployment:
    return program.production()


@pytest.fixture(scope="module")
def otherwise() -> Deployment:
    """The stack with every choice that the tests below ask for taken the other way."""
    return deploy_production(
        aws={"region": "us-east-1", "accountId": ACCOUNT_ID},
        network=stack_file()["cloudcommerce:network"] | {"natPerZone": False},
        observability={"alarmEmails": list(PEOPLE)},
        protection={"deletionProtection": False},
    )


def aws_resources(deployment: Deployment) -> list[Resource]:
    return [r for r in deployment.resources if r.type.startswith("aws:")]


@cache
def takes_tags(type_: str) -> bool:
    """Whether the SDK's class of a type has tags."""
    _, module, name = type_.split(":")
    package = module.split("/")[0]
    owner = getattr(
        importlib.import_module(f"pulumi_aws.{'lambda_' if package == 'lambda' else package}"), name
    )
    return "tags" in inspect.signature(owner._internal_init).parameters


def test_everything_that_takes_tags_carries_its_logical_name(production: Deployment) -> None:
    wrong = {
        r.urn: r.inputs.get("tags")
        for r in aws_resources(production)
        if takes_tags(r.type) and r.inputs.get("tags", {}).get("Name") != r.name
    }

    assert not wrong


def test_default_tags_come_from_the_provider(production: Deployment) -> None:
    (provider,) = (r for r in production.resources if r.type == "pulumi:providers:aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]

    assert tags["Environment"] == STACK
    assert set(tags) >= {"Project", "Environment", "Owner", "CostCenter", "DataClass", "ManagedBy"}
    assert {r.provider.split("::")[-2] for r in aws_resources(production)} == {"aws"}


def test_nothing_admits_the_internet(production: Deployment) -> None:
    rules = [
        *(r.inputs for r in production.all("SecurityGroupIngressRule")),
        *(rule for r in production.all("SecurityGroup") for rule in r.inputs.get("ingress", [])),
    ]

    assert rules
    assert not [rule for rule in rules if "0.0.0.0/0" in json.dumps(rule) or "::/0" in json.dumps(rule)]


def test_descriptions_of_security_groups_have_only_what_ec2_takes(production: Deployment) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html"""
    described = [
        r for r in aws_resources(production) if re.search(r":SecurityGroup((In|E)gressRule)?$", r.type)
    ]

    assert len(described) > 20
    assert not [
        (r.name, r.inputs["description"])
        for r in described
        if not re.fullmatch(r"[\w .:/()#,@\[\]+=;{}!$*-]{1,255}", r.inputs["description"], re.ASCII)
    ]


def test_each_store_admits_the_workloads_on_its_own_port(production: Deployment) -> None:
    admitted = {
        (r.name, r.inputs["fromPort"])
        for r in production.all("SecurityGroupIngressRule")
        if r.inputs.get("referencedSecurityGroupId") == "workloads-id" and "fromPort" in r.inputs
    }

    assert {port for _, port in admitted} == {5432, 6379, 27017, 5671, 443}


def test_stores_stand_in_isolated_subnets(production: Deployment) -> None:
    isolated = {f"core-data-{zone}-id" for zone in "abc"}
    groups = [r for r in production.resources if r.type.endswith(":SubnetGroup")]

    assert len(groups) == 3
    assert all(set(group.inputs["subnetIds"]) == isolated for group in groups)
    assert set(production.one("Broker").inputs["subnetIds"]) <= isolated


def test_what_holds_data_is_protected_unless_lifted_on_purpose(
    production: Deployment, otherwise: Deployment
) -> None:
    stateful = [r for r in production.resources if r.type in STATEFUL]

    assert {r.type for r in stateful} == STATEFUL
    assert not [r.name for r in stateful if not r.protect]
    assert not [r.name for r in otherwise.resources if r.protect]


def test_everything_at_rest_is_encrypted_with_a_key_of_ours(production: Deployment) -> None:
    keys = {r.outputs["arn"] for r in production.all("aws:kms/key:Key")}
    key_of: dict[str, Any] = {}
    for r in aws_resources(production):
        match r.type.rpartition(":")[2]:
            case "Cluster" if r.type.startswith("aws:eks"):
                key_of[r.name] = r.inputs["encryptionConfig"]["provider"]["keyArn"]
            case "LogGroup" | "Secret" | "Cluster" | "ReplicationGroup":
                key_of[r.name] = r.inputs.get("kmsKeyId")
            case "Instance" if "replicateSourceDb" not in r.inputs:
                key_of[r.name] = r.inputs.get("kmsKeyId")
            case "LaunchTemplate":
                (disk,) = r.inputs["blockDeviceMappings"]
                key_of[r.name] = disk["ebs"]["kmsKeyId"]
            case "Repository":
                key_of[r.name] = r.inputs["encryptionConfigurations"][0]["kmsKey"]
            case "Broker":
                key_of[r.name] = r.inputs["encryptionOptions"]["kmsKeyId"]

    assert len(key_of) > 15
    assert not {name: key for name, key in key_of.items() if key not in keys}


def test_no_role_may_do_everything(production: Deployment) -> None:
    attached = [r.inputs["policyArn"] for r in production.all("RolePolicyAttachment")]
    statements = [
        statement
        for r in production.all("RolePolicy")
        for statement in json.loads(r.inputs["policy"])["Statement"]
    ]

    assert statements
    assert not [arn for arn in attached if re.search(r"FullAccess|Administrator|PowerUser", arn)]
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [a for a in actions if a == "*" or re.fullmatch(r"\w+:\*", a)], statement


def test_passwords_are_secret_everywhere(production: Deployment) -> None:
    passwords = [r.outputs["result"] for r in production.all("RandomPassword")]
    shown = [
        (r.urn, key)
        for r in production.resources
        for key, value in r.inputs.items()
        if key not in r.secret_inputs and any(p in json.dumps(value) for p in passwords)
    ]

    assert len(passwords) > 5
    assert not shown
    assert not production.secret_exports
    assert not [p for p in passwords if p in json.dumps(production.exports)]
    assert not [
        (urn, key)
        for urn, outputs in production.component_outputs.items()
        for key, value in outputs.items()
        if key not in production.secret_component_outputs[urn]
        and any(p in json.dumps(value) for p in passwords)
    ]


def test_preview_plans_the_same_resources(production: Deployment) -> None:
    planned = program.production(preview=True)

    assert {r.urn for r in planned.resources} == {r.urn for r in production.resources}


def test_program_uses_nothing_that_the_sdk_warns_of(production: Deployment, otherwise: Deployment) -> None:
    assert production.warnings == otherwise.warnings == []


def test_program_asks_aws_for_nothing_but_its_account(production: Deployment) -> None:
    assert {token for token, _ in production.invokes} == {"aws:index/getCallerIdentity:getCallerIdentity"}


def test_account_in_the_settings_is_the_only_one_allowed(otherwise: Deployment) -> None:
    (provider,) = (r for r in otherwise.resources if r.type == "pulumi:providers:aws")

    assert json.loads(provider.inputs["allowedAccountIds"]) == [ACCOUNT_ID]


def test_logical_names_hold_neither_environment_nor_index(production: Deployment) -> None:
    assert not [
        r.name for r in production.resources if re.search(r"(^|-)(prod|production|test|\d+)(-|$)", r.name)
    ]


def test_every_component_hands_on_its_outputs(production: Deployment) -> None:
    components = [r for r in production.resources if not r.custom and not r.options.remote]

    assert len(components) > 15
    assert not [c.urn for c in components if not production.component_outputs.get(c.urn)]
    assert not [c.urn for c in components if not production.children(c)]


def test_one_nat_gateway_saves_two_elsewhere(production: Deployment, otherwise: Deployment) -> None:
    assert len(production.all("NatGateway")) == 3
    assert len(otherwise.all("NatGateway")) == 1


def test_alarms_reach_the_people_that_the_settings_name(otherwise: Deployment) -> None:
    topic = otherwise.one("aws:sns/topic:Topic").outputs["arn"]
    subscriptions = [s.inputs for s in otherwise.all("TopicSubscription")]

    assert [(s["topic"], s["protocol"]) for s in subscriptions] == [(topic, "email")] * 2
    assert {s["endpoint"] for s in subscriptions} == set(PEOPLE)
    assert all(a.inputs["alarmActions"] for a in otherwise.all("MetricAlarm"))


def test_engine_enters_through_the_directory(production: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts run `infra/` as a script from within it, with nothing of the project on the path."""
    monkeypatch.chdir(ROOT / "infra")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p and Path(p).resolve() != ROOT])

    entered = deploy_production(
        program=lambda: runpy.run_path(str(ROOT / "infra"), run_name="__main__") and None
    )

    assert {r.urn for r in entered.resources} == {r.urn for r in production.resources}
    assert sys.path[0] == str(ROOT)
