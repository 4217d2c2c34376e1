"""Recovery of what a crash left, against moto and a state in memory."""

import dataclasses
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations.catalogue import KINDS, Kind
from operations.clients import Clients
from operations.errors import OperationError
from operations.interaction import Interaction
from operations.plan import UNKNOWN
from operations.recovery.recover import Recovery, Report, recover
from operations.state import Deployment
from tests.unit.operations.conftest import tags
from tests.unit.operations.stack_on_disk import COMPONENT_URN, STACK_URN, FakePulumi, fake, record, state, urn

pytestmark = pytest.mark.mission_M71

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"


# Listing every kind in moto takes seconds; these tests make things of EC2 only.
KINDS_OF_EC2 = tuple(kind for kind in KINDS.values() if kind.service == "ec2")


def make_vpc(name: str, **more: str) -> str:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    spec: Any = [{"ResourceType": "vpc", "Tags": tags(Name=name, **more)}]
    return ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec)["Vpc"]["VpcId"]


def run(aws: Clients, pulumi: FakePulumi, **options: Any) -> Report:
    interaction = Interaction(as_json=True, yes=options.pop("yes", False))
    recovery = Recovery(
        pulumi=pulumi,
        clients=aws,
        interaction=interaction,
        patience=0,
        pause=0,
        **{"kinds": KINDS_OF_EC2, **options},
    )
    return recover(recovery, pulumi.export_state())


def test_a_pending_creation_that_aws_has_is_adopted_and_read(aws: Clients, tmp_path: Path) -> None:
    vpc = make_vpc("core")
    lost = record(VPC, "core", inputs={"cidrBlock": "10.0.0.0/16"})
    pulumi = fake(state(pending=[("creating", lost)]), tmp_path)
    report = run(aws, pulumi)
    assert report.adopted == {lost["urn"]: vpc}
    assert report.is_clean
    after = pulumi.export_state()
    assert (after.resources[-1].id, after.pending) == (vpc, ())
    assert pulumi.asked[:2] == ["import", f"refresh {lost['urn']}"]


def test_a_pending_creation_that_aws_never_saw_is_forgotten(aws: Clients, tmp_path: Path) -> None:
    lost = record(VPC, "core")
    pulumi = fake(state(pending=[("creating", lost)]), tmp_path)
    assert run(aws, pulumi).forgotten == {lost["urn"]: "AWS has no such thing"}
    assert pulumi.export_state().pending == ()


def test_a_creation_that_a_dead_plugin_left_unrecorded_is_adopted_from_the_plan(
    aws: Clients, tmp_path: Path
) -> None:
    vpc = make_vpc("core")
    pulumi = fake(state(), tmp_path, planned=[record(VPC, "core", inputs={"cidrBlock": "10.0.0.0/16"})])
    report = run(aws, pulumi)
    assert list(report.adopted.values()) == [vpc]
    assert report.orphans == {}, "what is adopted is no orphan"


def test_a_planned_creation_that_does_not_exist_is_left_to_the_next_up(aws: Clients, tmp_path: Path) -> None:
    pulumi = fake(state(), tmp_path, planned=[record(VPC, "core")])
    assert run(aws, pulumi) == Report()
    assert "import" not in pulumi.asked


def test_adopting_one_resource_reveals_the_next(aws: Clients, tmp_path: Path) -> None:
    vpc = make_vpc("core")
    ec2 = boto3.client("ec2", region_name="us-east-1")
    spec: Any = [{"ResourceType": "subnet", "Tags": tags(Name="core-a")}]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", TagSpecifications=spec)["Subnet"]
    planned = [record(VPC, "core"), record(SUBNET, "core-a", inputs={"vpcId": UNKNOWN})]
    pulumi = fake(state(), tmp_path, planned=planned)

    class Learning(FakePulumi):
        def refresh(self, *_: Any) -> None:
            planned[1]["inputs"] = {"vpcId": vpc}

    report = run(aws, Learning("prod", tmp_path, pulumi.memory))
    assert set(report.adopted.values()) == {vpc, subnet["SubnetId"]}
    assert report.unresolved == {}, "what was undecided in the first round is decided in the second"


def test_the_second_run_changes_nothing(aws: Clients, tmp_path: Path) -> None:
    make_vpc("core")
    pulumi = fake(state(pending=[("creating", record(VPC, "core"))]), tmp_path)
    run(aws, pulumi)
    before = pulumi.memory["state"]
    assert run(aws, pulumi) == Report()
    assert pulumi.memory["state"] == before


def test_a_kill_between_backup_and_import_leaves_everything_to_the_next_run(
    aws: Clients, tmp_path: Path
) -> None:
    vpc = make_vpc("core")
    start = state(pending=[("creating", record(VPC, "core"))])

    class Dying(FakePulumi):
        def import_state(self, _: Deployment) -> None:
            raise KeyboardInterrupt

    memory = {"state": start.text()}
    with pytest.raises(KeyboardInterrupt):
        run(aws, Dying("prod", tmp_path, memory))
    (backup,) = tmp_path.glob(".operations/prod/state-*.json")
    assert backup.read_text() == memory["state"] == start.text()
    assert backup.stat().st_mode & 0o077 == 0, "a backup is for its owner only"
    assert list(run(aws, FakePulumi("prod", tmp_path, memory)).adopted.values()) == [vpc]


def test_a_type_without_a_finder_stays_pending_and_says_what_to_do(aws: Clients, tmp_path: Path) -> None:
    lost = record("aws:iot/thing:Thing", "sensor")
    pulumi = fake(state(pending=[("creating", lost)]), tmp_path)
    report = run(aws, pulumi)
    assert "no finder for aws:iot/thing:Thing" in report.unresolved[lost["urn"]]
    assert "--forget" in report.unresolved[lost["urn"]]
    assert len(pulumi.export_state().pending) == 1
    assert run(aws, pulumi, forget=frozenset({lost["urn"]})).is_clean
    assert pulumi.export_state().pending == ()


@pytest.mark.parametrize(
    "type_", ["random:index/randomPassword:RandomPassword", "aws:sns/topicPolicy:TopicPolicy"]
)
def test_what_leaves_no_trace_or_can_be_repeated_is_forgotten(
    aws: Clients, tmp_path: Path, type_: str
) -> None:
    pulumi = fake(state(pending=[("creating", record(type_, "x"))]), tmp_path)
    assert run(aws, pulumi).is_clean
    assert pulumi.export_state().pending == ()


def test_two_candidates_are_orphans_for_a_person_to_judge(aws: Clients, tmp_path: Path) -> None:
    both = {make_vpc("core"), make_vpc("core")}
    pulumi = fake(state(pending=[("creating", record(VPC, "core"))]), tmp_path)
    report = run(aws, pulumi)
    assert set(report.orphans) == both
    assert report.adopted == {}
    assert not report.is_clean


def test_orphans_are_deleted_on_request_only(aws: Clients, tmp_path: Path) -> None:
    vpc, neighbor = make_vpc("old"), make_vpc("old", Environment="staging")
    pulumi = fake(state(), tmp_path)
    assert set(run(aws, pulumi, yes=True).orphans) == {vpc}, "`--yes` alone deletes nothing"
    report = run(aws, pulumi, delete_orphans=True)
    assert (report.deleted, report.orphans) == ([vpc], {})
    left = boto3.client("ec2", region_name="us-east-1").describe_vpcs()["Vpcs"]
    assert neighbor in {each["VpcId"] for each in left}


def test_without_a_plan_nothing_is_called_an_orphan(aws: Clients, tmp_path: Path) -> None:
    make_vpc("core")
    pulumi = fake(state(), tmp_path, **{"plan error": "the program is broken"})
    report = run(aws, pulumi, delete_orphans=True)
    assert "the program is broken" in report.unresolved["preview"]
    assert (report.orphans, report.deleted) == ({}, [])


def test_interrupted_updates_and_deletions_are_read_again_and_settled(aws: Clients, tmp_path: Path) -> None:
    vpc, subnet = record(VPC, "core", "vpc-1"), record(SUBNET, "gone", "subnet-1")
    pulumi = fake(state(vpc, pending=[("updating", vpc), ("deleting", subnet)]), tmp_path)
    report = run(aws, pulumi)
    assert report.reread[vpc["urn"]].startswith("updating: still there")
    assert report.reread[subnet["urn"]] == "deleting: gone"
    assert pulumi.export_state().pending == ()
    assert f"refresh {vpc['urn']}" in pulumi.asked


def test_a_cut_off_replacement_leaves_the_old_resource_and_an_orphan(aws: Clients, tmp_path: Path) -> None:
    new = make_vpc("core")
    old = record(VPC, "core", "vpc-0")
    pulumi = fake(state(old, pending=[("creating", record(VPC, "core"))]), tmp_path)
    report = run(aws, pulumi)
    assert set(report.orphans) == {new}
    assert [each.id for each in pulumi.export_state().cloud_resources] == ["vpc-0"]


def vpcs_that_are(word: str) -> tuple[Kind, ...]:
    """The kind as AWS shows it when every VPC is in one state."""
    return (dataclasses.replace(KINDS[VPC], state=f"'{word}'"),)


def test_what_failed_is_deleted_after_asking_and_forgotten(aws: Clients, tmp_path: Path) -> None:
    vpc, failed = make_vpc("core"), vpcs_that_are("failed")
    pulumi = fake(state(pending=[("creating", record(VPC, "core"))]), tmp_path)
    refused = run(aws, pulumi, kinds=failed)
    assert "was not deleted" in next(iter(refused.unresolved.values()))
    report = run(aws, pulumi, yes=True, kinds=failed)
    assert report.deleted == [vpc]
    assert pulumi.export_state().pending == ()


def test_what_is_on_its_way_out_is_forgotten(aws: Clients, tmp_path: Path) -> None:
    make_vpc("core")
    pulumi = fake(state(pending=[("creating", record(VPC, "core"))]), tmp_path)
    report = run(aws, pulumi, kinds=vpcs_that_are("deleting"))
    assert "is being deleted" in next(iter(report.forgotten.values()))


def test_what_cannot_be_looked_for_is_not_called_absent(aws: Clients, tmp_path: Path) -> None:
    blind = (dataclasses.replace(KINDS[VPC], request={"Blind": True}),)
    lost = record(VPC, "core")
    pulumi = fake(state(pending=[("creating", lost)]), tmp_path)
    report = run(aws, pulumi, kinds=blind)
    assert "could not be looked for: Parameter validation" in report.unresolved[lost["urn"]]
    assert len(pulumi.export_state().pending) == 1


def test_an_update_made_meanwhile_is_not_lost(aws: Clients, tmp_path: Path) -> None:
    make_vpc("core")
    read = state(pending=[("creating", record(VPC, "core"))])
    newer = state(record(SUBNET, "made-meanwhile", "subnet-1"))
    pulumi = fake(newer, tmp_path)
    recovery = Recovery(pulumi=pulumi, clients=aws, interaction=Interaction(as_json=True), kinds=KINDS_OF_EC2)
    with pytest.raises(OperationError, match=r"changed meanwhile \(made-meanwhile\)"):
        recover(recovery, read)
    assert "import" not in pulumi.asked
    assert pulumi.export_state().document == newer.document


def test_what_a_torn_down_stack_left_pending_deletion_is_no_candidate(aws: Clients, tmp_path: Path) -> None:
    kms = boto3.client("kms", region_name="us-east-1")

    def make_key() -> str:
        own: Any = [{"TagKey": each["Key"], "TagValue": each["Value"]} for each in tags(Name="customer")]
        return kms.create_key(Tags=own)["KeyMetadata"]["KeyId"]

    lost = record("aws:kms/key:Key", "customer")
    for _ in range(2):
        kms.schedule_key_deletion(KeyId=make_key(), PendingWindowInDays=30)
    kinds = tuple(kind for kind in KINDS.values() if kind.service == "kms")
    report = run(aws, fake(state(pending=[("creating", lost)]), tmp_path), kinds=kinds)
    assert "is being deleted" in report.forgotten[lost["urn"]], "two that go are no riddle"
    assert report.is_clean
    new = make_key()
    report = run(aws, fake(state(pending=[("creating", lost)]), tmp_path), kinds=kinds)
    assert (report.adopted, report.is_clean) == ({lost["urn"]: new}, True)


def test_a_component_that_never_reached_the_state_is_taken_from_the_plan(
    aws: Clients, tmp_path: Path
) -> None:
    vpc = make_vpc("core")
    outer = f"{COMPONENT_URN.rsplit('::', 2)[0]}::cloudcommerce:network:Outer::outer"
    inner = f"{COMPONENT_URN.rsplit('::', 2)[0]}::cloudcommerce:network:Outer$x:y:Inner::inner"
    planned = [
        {"urn": outer, "custom": False, "type": "cloudcommerce:network:Outer", "parent": STACK_URN},
        {"urn": inner, "custom": False, "type": "x:y:Inner", "parent": outer},
        record(VPC, "core", parent=inner),
    ]
    pulumi = fake(state(pending=[("creating", planned[2])]), tmp_path, planned=planned)
    report = run(aws, pulumi)
    assert (list(report.adopted.values()), report.is_clean) == ([vpc], True)
    after = pulumi.export_state()
    assert [each.urn for each in after.resources[-3:]] == [outer, inner, planned[2]["urn"]]
    assert after.pending == ()


def test_what_cannot_be_adopted_is_reported_and_the_rest_goes_on(aws: Clients, tmp_path: Path) -> None:
    make_vpc("stuck")
    vpc = make_vpc("core")
    password = urn("random:index/randomPassword:RandomPassword", "never-made")
    stuck = record(VPC, "stuck", dependencies=[password])
    pulumi = fake(state(), tmp_path, planned=[stuck, record(VPC, "core")])
    report = run(aws, pulumi)
    assert list(report.adopted.values()) == [vpc]
    assert password in report.unresolved[stuck["urn"]]
