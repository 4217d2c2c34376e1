"""The audit contract: schema, catalogues, and the real program's document."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pulumi
import pulumi_aws as aws
import pytest

from infra.audit.cluster_subjects import ACCESS_ENTRIES, principal_name
from infra.audit.controls import CONTROLS
from infra.audit.document import AuditError, build, components_of, resources_below
from infra.audit.facts import FACTS
from infra.audit.getters import allows_everyone, major
from infra.audit.models import Comparison, schema_text
from infra.audit.subjects import GROUP_OPENINGS, SUBJECTS, WAYS_OUT, parameter
from operations.proofs.cluster_evidence import IN_CLUSTER
from operations.proofs.contract import read_claims
from operations.proofs.evidence import LOOKUPS
from operations.proofs.judge import _COMPARISONS
from operations.proofs.lookup import Lookup
from tests.unit.mock_engine import deploy
from tests.unit.stacks.program import production

pytestmark = pytest.mark.mission_M72

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "infra" / "audit" / "schema.json"
SECTIONS = ("encryption", "exposure", "backups", "availability", "versions", "logging")


def document() -> dict[str, Any]:
    audit: dict[str, Any] = production().exports["audit"]
    return audit


def claims(audit: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for component in audit["components"]:
        for section in SECTIONS:
            yield from component[section]


def test_the_committed_schema_is_the_models() -> None:
    assert SCHEMA.read_text() == schema_text(), (
        "run: python -m infra.audit --schema > infra/audit/schema.json"
    )


def test_every_control_is_used_and_every_used_control_exists() -> None:
    used = {control for fact in FACTS.values() for control in fact.controls}
    assert used == set(CONTROLS)


def test_every_fact_has_a_subject_and_a_proof_and_nothing_else_has() -> None:
    claimed = [name for subject in SUBJECTS for name in subject.facts]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == set(FACTS) == {*LOOKUPS, *IN_CLUSTER}


def test_the_reader_knows_every_comparison() -> None:
    assert set(_COMPARISONS) == {comparison.value for comparison in Comparison}


def _members(shape: Any, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    if shape.name in seen:
        return
    seen |= {shape.name}
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield name
            yield from _members(member, seen)
    elif shape.type_name == "list":
        yield from _members(shape.member, seen)


@pytest.mark.parametrize(("fact", "lookup"), LOOKUPS.items())
def test_every_proof_asks_what_botocore_knows(fact: str, lookup: Lookup) -> None:
    del fact
    client = boto3.client(lookup.service, region_name="us-east-1")  # type: ignore[call-overload]
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[lookup.operation])
    parameters = {lookup.parameter.removesuffix("[]"), *([lookup.scope] if lookup.scope else [])}
    assert parameters <= set(model.input_shape.members)
    if lookup.path.startswith("Attributes."):
        return  # SNS answers a map, whose keys no model lists
    known = set(_members(model.output_shape))
    literals_out = re.sub(r"'[^']*'|`[^`]*`|\$subject", "", lookup.path)
    asked = set(re.findall(r"[A-Za-z]\w+", literals_out)) - {"length", "contains"}
    assert asked <= known


def test_the_programs_document_holds_the_contract_and_states_every_fact() -> None:
    jsonschema.validate(document(), json.loads(SCHEMA.read_text()))
    assert {claim["fact"] for claim in claims(document())} == set(FACTS)
    assert len(read_claims(document(), ROOT)) == sum(1 for _ in claims(document()))


def test_a_claim_is_what_the_resource_says_and_not_what_the_code_means() -> None:
    deployed = production()
    outputs = {each.outputs.get("identifier"): each for each in deployed.all("aws:rds/instance:Instance")}
    found = [each for each in claims(deployed.exports["audit"]) if each["fact"] == "rds.instance.multiAz"]
    assert found
    for claim in found:
        assert claim["value"] == outputs[claim["subject"]].outputs["multiAz"]


def test_every_security_group_claims_all_that_its_rules_admit_and_only_from_inside() -> None:
    deployed = production()
    found = {each["subject"]: each for each in claims(document()) if each["fact"] == GROUP_OPENINGS}
    (cluster,) = deployed.all("aws:eks/cluster:Cluster")
    made_by_eks = cluster.outputs["vpcConfig"]["clusterSecurityGroupId"]
    rules = [
        each
        for each in deployed.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if each.outputs["securityGroupId"] != made_by_eks
    ]
    groups = deployed.all("aws:ec2/securityGroup:SecurityGroup")
    assert len(found) == len(groups) > 0
    assert {each.outputs["securityGroupId"] for each in rules} == {
        subject for subject, claim in found.items() if claim["value"]
    }
    assert sum(len(claim["value"]) for claim in found.values()) == len(rules)
    assert [claim["requirement"] for claim in found.values()] == [
        {"comparison": "within", "operand": ["10.40.0.0/16"]}
    ] * len(found)


def test_a_cluster_claims_everybody_whom_the_program_lets_in() -> None:
    deployed = production()
    (found,) = (each for each in claims(document()) if each["fact"] == ACCESS_ENTRIES)
    entries = [each.outputs["principalArn"] for each in deployed.all("aws:eks/accessEntry:AccessEntry")]
    nodes = {each.outputs["nodeRoleArn"] for each in deployed.all("aws:eks/nodeGroup:NodeGroup")}
    assert found["subject"] == deployed.one("aws:eks/cluster:Cluster").outputs["name"]
    assert len(entries) == 4
    assert found["value"] == sorted({principal_name(arn) for arn in (*entries, *nodes)} | {"role/deployer"})


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::123456789012:role/deployer", "role/deployer"),
        ("arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/us-east-1/Admin_1", "role/Admin_1"),
        ("arn:aws:sts::123456789012:assumed-role/Admin_1/ann@example.com", "role/Admin_1"),
        ("arn:aws:iam::123456789012:user/team/ann", "user/ann"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_a_principal_is_named_alike_by_role_and_by_session(arn: str, name: str) -> None:
    assert principal_name(arn) == name


def test_isolated_route_tables_claim_that_they_lead_nowhere_and_only_these_claim_it() -> None:
    deployed = production()
    found = [each for each in claims(document()) if each["fact"] == WAYS_OUT]
    tables = {
        f"{each.name}-id"
        for each in deployed.all("aws:ec2/routeTable:RouteTable")
        if each.outputs["tags"].get("Tier") == "data"
    }
    assert {each["subject"] for each in found} == tables
    assert [each["value"] for each in found] == [[]]


@pytest.mark.parametrize(
    ("statement", "everyone"),
    [
        ({"Effect": "Allow", "Principal": "*"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}}, True),
        ({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}, True),
        ({"Effect": "Deny", "Principal": "*"}, False),
        (
            {"Effect": "Allow", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            False,
        ),
        ({"Effect": "Allow", "Principal": {"Service": "events.rds.amazonaws.com"}}, False),
    ],
)
def test_the_program_and_the_proof_agree_on_what_a_public_policy_is(
    statement: dict[str, Any], everyone: bool
) -> None:
    for policy in (json.dumps({"Statement": [statement]}), json.dumps({"Statement": statement})):
        assert allows_everyone(policy) is everyone
        assert LOOKUPS["sns.topic.publicPolicy"].shape(policy) is everyone
    assert allows_everyone(None) is LOOKUPS["sns.topic.publicPolicy"].shape(None) is False


def test_a_replica_makes_no_claim_on_backups_of_its_own() -> None:
    subjects = [
        each["subject"] for each in claims(document()) if each["fact"] == "rds.instance.backupRetentionDays"
    ]
    instances = [
        each["subject"] for each in claims(document()) if each["fact"] == "rds.instance.storageEncrypted"
    ]
    assert (len(subjects), len(instances)) == (1, 2)


def test_the_data_class_is_that_of_the_key_that_encrypts() -> None:
    classes = {each["name"]: each.get("dataClass") for each in document()["components"]}
    assert classes["document-db"] == classes["valkey"] == "customer"
    assert classes["postgres"] == "commerce"
    assert classes["core"] is None


def test_the_document_holds_no_secret() -> None:
    deployed = production()
    assert "audit" not in deployed.secret_exports
    assert "password" not in json.dumps(deployed.exports["audit"]).lower()


def test_in_a_preview_the_document_is_unknown_and_the_program_goes_on() -> None:
    assert production(preview=True).resources


def test_a_document_that_breaks_the_contract_fails_with_its_place() -> None:
    resource: dict[str, Any] = {"name": "n", "type": "t", "id": "", "arn": None, "subject": "s", "values": {}}
    parts = {
        "project": "p",
        "stack": "s",
        "region": "r",
        "network": "10.0.0.0/16",
        "joined": [],
        "components": [{"name": "c", "type": "t", "resources": [resource]}],
        "keys": {},
    }
    with pytest.raises(AuditError, match=r"schema\.json.*(?s:.)*id"):
        build(parts)


def test_every_resource_below_a_component_is_reached() -> None:
    class Inner(pulumi.ComponentResource):
        def __init__(self, name: str, parent: pulumi.Resource) -> None:
            super().__init__("test:x:Inner", name, None, pulumi.ResourceOptions(parent=parent))
            self.leaf = aws.sns.Topic(f"{name}-leaf", opts=pulumi.ResourceOptions(parent=self))

    class Outer(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:x:Outer", "outer")
            self.inner = [Inner(name, self) for name in ("b", "a")]

    def program() -> list[str]:
        return [each._name for each in resources_below(Outer())]

    assert deploy(program).result == ["a-leaf", "b-leaf"]


def test_components_are_found_in_values_of_values() -> None:
    @dataclasses.dataclass(frozen=True)
    class Stack:
        one: Any
        many: Any
        word: str = "text"

    def program() -> list[str]:
        made = [pulumi.ComponentResource("test:x:C", name) for name in ("a", "b", "c")]
        stack = Stack(one=made[0], many={"x": made[1], "y": [made[2]]})
        return [each._name for each in components_of(stack)]

    assert deploy(program).result == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("version", "parts", "expected"),
    [("17.10", 1, "17"), ("8.1.0", 2, "8.1"), (None, 1, ""), ("17", 2, "17")],
)
def test_support_is_counted_in_the_first_parts_of_a_version(
    version: str | None, parts: int, expected: str
) -> None:
    assert major(version, parts) == expected


def test_a_parameter_is_read_from_either_spelling_and_missing_is_empty() -> None:
    assert parameter([{"name": "tls", "value": "enabled"}], "tls") == "enabled"
    assert parameter([], "tls") == parameter(None, "tls") == ""
