"""State surgery on exports as the engine writes them."""

import json
from typing import Any

import pytest

from operations.errors import OperationError, StateError
from operations.plan import UNKNOWN, has_unknowns, parse_plan
from operations.state import Deployment, Resource, parse_deployment
from tests.unit.operations.stack_on_disk import COMPONENT_URN, record, state, urn

pytestmark = pytest.mark.mission_M70

VPC = record("aws:ec2/vpc:Vpc", "core", "vpc-1", outputs={"arn": "arn:aws:ec2:us-east-1:1:vpc/vpc-1"})
SUBNET = record(
    "aws:ec2/subnet:Subnet",
    "core-public-a",
    inputs={"vpcId": "vpc-1", "tags": {"Name": "core-public-a"}},
    dependencies=[VPC["urn"]],
)
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:a:b"}


def test_an_adopted_resource_stands_after_what_it_needs_and_is_no_longer_pending() -> None:
    before = state(VPC, pending=[("creating", SUBNET)])
    after = before.adopt(before.pending[0].resource, "subnet-1", {})
    adopted = after.resources[-1]
    assert (adopted.urn, adopted.id) == (SUBNET["urn"], "subnet-1")
    assert after.pending == ()
    assert before.pending, "the original is untouched"
    assert before.resources[-1].urn == VPC["urn"], "the original is untouched"


def test_the_cloud_knows_an_auto_generated_name_better_than_a_plan() -> None:
    planned = Resource(record("aws:iam/role:Role", "runner", inputs={"name": "runner-0000000", "path": "/"}))
    adopted = state().adopt(planned, "runner-1a2b3c4", {"name": "runner-1a2b3c4"}).resources[-1]
    assert adopted.inputs == {"name": "runner-1a2b3c4", "path": "/"}
    assert adopted.outputs["name"] == "runner-1a2b3c4"


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        (VPC, "already in the state"),
        (record("aws:ec2/subnet:Subnet", "x", dependencies=["urn:gone"]), "needs urn:gone"),
        (record("aws:ec2/subnet:Subnet", "x") | {"parent": "urn:nobody"}, "needs urn:nobody"),
        (record("aws:ec2/subnet:Subnet", "x") | {"provider": "urn:p::9"}, "needs urn:p"),
    ],
)
def test_a_record_that_would_break_the_state_is_refused(resource: dict[str, Any], complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        state(VPC).adopt(Resource(resource), "id", {})


def test_only_the_operations_of_one_resource_are_forgotten() -> None:
    other = record("aws:ec2/eip:Eip", "nat-a")
    after = state(pending=[("creating", SUBNET), ("deleting", other)]).without_pending(SUBNET["urn"])
    assert [each.resource.urn for each in after.pending] == [other["urn"]]
    assert "pending_operations" not in after.without_pending(other["urn"]).document["deployment"]


def test_values_reach_the_living_record_and_not_the_one_that_waits_for_deletion() -> None:
    doomed = VPC | {"delete": True, "id": "vpc-0"}
    after = state(doomed, VPC).with_values(VPC["urn"], {"x": 1})
    assert [each.inputs.get("x") for each in after.cloud_resources] == [None, 1]


def test_what_the_state_holds_is_known_by_type_and_id_or_by_arn() -> None:
    deployment = state(VPC)
    assert deployment.holds("aws:ec2/vpc:Vpc", ["vpc-1"])
    assert deployment.holds("anything", ["arn:aws:ec2:us-east-1:1:vpc/vpc-1"])
    assert not deployment.holds("aws:ec2/subnet:Subnet", ["vpc-1"]), "names repeat between types"


def test_a_resource_belongs_to_its_outermost_component() -> None:
    deployment = state(VPC, record("aws:ec2/eip:Eip", "alone") | {"parent": ""})
    assert [deployment.component_of(each) for each in deployment.cloud_resources] == ["core", "(program)"]
    assert COMPONENT_URN in deployment.urns


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ('{"version": 3, "deployment": {"resou', "not JSON"),
        ("[]", "no `deployment`"),
        ('{"version": 3}', "no `deployment`"),
        ('{"version": 99, "deployment": {}}', "version 99"),
        ('{"deployment": {}}', "version None"),
        ('{"version": 3, "deployment": {"resources": [{"id": "x"}]}}', "without URN or type"),
        ('{"version": 3, "deployment": {"resources": ["x"]}}', "without URN or type"),
        (
            '{"version": 3, "deployment": {"pending_operations": [{"type": "creating"}]}}',
            "without URN or type",
        ),
    ],
)
def test_a_damaged_or_unknown_state_is_refused_with_the_way_out(text: str, complaint: str) -> None:
    with pytest.raises(StateError, match=complaint):
        parse_deployment(text)


def test_an_empty_stack_has_nothing_and_breaks_nothing() -> None:
    empty = parse_deployment('{"version": 3, "deployment": {"manifest": {}}}')
    assert (empty.resources, empty.pending, empty.cloud_resources) == ((), (), ())
    assert empty.provider_region() is None


def test_a_plan_joins_the_previews_shape_with_the_plan_files_encrypted_inputs() -> None:
    type_ = "aws:secretsmanager/secretVersion:SecretVersion"
    step = {
        "op": "create",
        "urn": urn(type_, "v"),
        "newState": record(type_, "v", inputs={"secretString": "[secret]"}, protect=True, stackTrace=[{}]),
    }
    goal = {"goal": {"inputDiff": {"adds": {"secretString": SECRET}}}}
    plan = parse_plan(json.dumps({"steps": [step]}), json.dumps({"resourcePlans": {step["urn"]: goal}}))
    (create,) = plan.creates
    assert create.inputs == {"secretString": SECRET}
    assert create.record["protect"] is True
    assert "stackTrace" not in create.record


def test_a_plan_lists_creations_only() -> None:
    steps = [
        {"op": op, "urn": urn("aws:ec2/vpc:Vpc", op), "newState": record("aws:ec2/vpc:Vpc", op)}
        for op in ("same", "update", "replace", "create-replacement")
    ]
    assert parse_plan(json.dumps({"steps": steps}), '{"resourcePlans": {}}').creates == ()


@pytest.mark.parametrize("preview", ["", "[]", "{}", '{"steps": [{}]}'])
def test_an_unknown_form_of_preview_is_said_to_be_unknown(preview: str) -> None:
    with pytest.raises(OperationError, match="does not know"):
        parse_plan(preview, '{"resourcePlans": {}}')


def test_unknown_inputs_are_seen_however_deep() -> None:
    assert has_unknowns(Resource(record("t", "n", inputs={"a": [{"b": UNKNOWN}]})))
    assert not has_unknowns(Resource(record("t", "n", inputs={"a": [{"b": "c"}]})))


def test_a_later_export_differs_only_by_what_an_update_did() -> None:
    secret = {"password": {"4dabf18193072939515e22adb298388d": "x", "ciphertext": "v1:a"}}
    made = record("aws:ec2/vpc:Vpc", "core", "vpc-1", outputs=secret, modified="2026-11-24T00:00:00Z")
    made["propertyDependencies"] = {"cidrBlock": [], "tags": None}
    read = state(made, pending=[("updating", made)])
    encrypted_anew = json.loads(json.dumps(state(made).document).replace("v1:a", "v1:b"))
    encrypted_anew["deployment"]["resources"][-1].pop("propertyDependencies")
    encrypted_anew["deployment"]["resources"][0]["modified"] = "2026-11-24T00:00:02Z"
    assert Deployment(encrypted_anew).changed_since(read) == (), "that is what probing the lock does"
    assert state({**made, "modified": "2026-11-24T00:00:01Z"}).changed_since(read) == (made["urn"],)
    assert state().changed_since(read) == (made["urn"],)
    assert state(made, pending=[("deleting", made)]).changed_since(read) == (made["urn"],)
