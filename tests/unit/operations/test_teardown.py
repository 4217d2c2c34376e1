"""Taking a stack down: protection, names of snapshots, what stays, what must not."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations.backups import journal
from operations.catalogue import KINDS
from operations.clients import Clients
from operations.cluster.connection import Clusters
from operations.errors import OperationError
from operations.interaction import Interaction
from operations.removal.protection import images, lift_protection, name_final_snapshots
from operations.removal.retained import RETENTIONS, remainders
from operations.removal.teardown import Outcome, Teardown, refuse_pending, tear_down
from operations.state import Deployment
from tests.unit.operations.conftest import tags
from tests.unit.operations.stack_on_disk import FakePulumi, fake, record, state

pytestmark = pytest.mark.mission_M70

MOMENT = time.gmtime(0)


# Listing every kind in moto takes seconds.
FEW_KINDS = tuple(kind for kind in KINDS.values() if kind.service in {"ec2", "kms"})


def database(identifier: str = "shop-db", **more: Any) -> dict[str, Any]:
    rds = boto3.client("rds", region_name="us-east-1")
    made = rds.create_db_instance(
        DBInstanceIdentifier=identifier,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="a",
        MasterUserPassword="password1",
        AllocatedStorage=20,
        DeletionProtection=True,
        Tags=tags(Name="postgres"),
    )["DBInstance"]
    outputs = {"identifier": identifier, "arn": made["DBInstanceArn"], **more}
    return record("aws:rds/instance:Instance", "postgres", made["DbiResourceId"], outputs=outputs)


def test_deletion_protection_is_lifted_once_and_what_is_gone_is_passed_over(aws: Clients) -> None:
    deployment = state(
        database(), record("aws:rds/instance:Instance", "gone", "x", outputs={"identifier": "gone"})
    )
    (lifted,) = lift_protection(aws, deployment)
    assert (lifted.name, lifted.what) == ("postgres", "RDS deletion protection off")
    assert list(lift_protection(aws, deployment)) == [], "the second run has nothing to lift"
    boto3.client("rds", region_name="us-east-1").delete_db_instance(
        DBInstanceIdentifier="shop-db", SkipFinalSnapshot=True
    )


def test_images_are_counted_and_deleted_so_that_their_repository_can_go(aws: Clients) -> None:
    ecr = boto3.client("ecr", region_name="us-east-1")
    ecr.create_repository(repositoryName="shop/order")
    for number in range(3):
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": f"sha256:{number:064x}"},
            "layers": [{"digest": f"sha256:{number + 9:064x}", "size": number + 1, "mediaType": "x"}],
        }
        ecr.put_image(repositoryName="shop/order", imageManifest=json.dumps(manifest), imageTag=f"v{number}")
    deployment = state(record("aws:ecr/repository:Repository", "image-order", "shop/order"))
    assert images(aws, deployment) == {"image-order": 3}
    assert [each.what for each in lift_protection(aws, deployment)] == ["3 images deleted"]
    ecr.delete_repository(repositoryName="shop/order")
    assert images(aws, deployment) == {"image-order": 0}


def test_final_snapshots_carry_the_time_so_that_no_two_teardowns_collide() -> None:
    both = {"finalSnapshotIdentifier": "shop-db-final"}
    deployment = state(record("aws:rds/instance:Instance", "postgres", "db-1", inputs=both, outputs=both))
    first = name_final_snapshots(deployment, MOMENT)
    (resource,) = first.cloud_resources
    assert resource.inputs == resource.outputs == {"finalSnapshotIdentifier": "shop-db-final-19700101000000"}
    again = name_final_snapshots(first, time.gmtime(1)).cloud_resources[0]
    assert again.inputs["finalSnapshotIdentifier"] == "shop-db-final-19700101000001", "stamps do not pile up"


def test_a_long_snapshot_name_stays_within_awss_limit() -> None:
    long = {"finalSnapshotIdentifier": "x" * 300}
    deployment = state(record("aws:rds/instance:Instance", "postgres", "db-1", outputs=long))
    named = name_final_snapshots(deployment, MOMENT).cloud_resources[0].outputs["finalSnapshotIdentifier"]
    assert len(named) == 255
    assert named.endswith("-19700101000000")


def test_what_has_no_final_snapshot_gets_none() -> None:
    deployment = state(record("aws:rds/instance:Instance", "replica", "db-2"))
    assert name_final_snapshots(deployment, MOMENT) is deployment


def test_every_declared_remainder_says_why_and_how() -> None:
    for rule in RETENTIONS:
        assert rule.what
        assert rule.why
        assert rule.look.startswith("aws ")
        assert "aws " in rule.remove
        assert rule.resource_type in KINDS, "what leaves something is something that we make"


def test_remainders_are_found_only_when_they_are_there(aws: Clients) -> None:
    kms, secrets = aws.get("kms"), aws.get("secretsmanager")
    rds, logs = aws.get("rds"), aws.get("logs")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = secrets.create_secret(Name="s")["ARN"]
    instance = database(finalSnapshotIdentifier="shop-db-final")
    deployment = state(
        instance,
        record("aws:kms/key:Key", "customer", key),
        record("aws:secretsmanager/secret:Secret", "master", secret),
    )
    assert remainders(aws, deployment) == (), "what still stands is no remainder"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
    secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=7)
    rds.create_db_snapshot(DBInstanceIdentifier="shop-db", DBSnapshotIdentifier="shop-db-final")
    logs.create_log_group(logGroupName="/aws/rds/instance/shop-db/postgresql")
    logs.create_log_group(logGroupName="/aws/rds/instance/shop-db-other/postgresql")
    found = {each.id: each for each in remainders(aws, deployment)}
    assert set(found) == {key, secret, "shop-db-final", "/aws/rds/instance/shop-db/postgresql"}
    assert "shop-db-final" in found["shop-db-final"].remove


def emptied(pulumi: FakePulumi) -> None:
    """The engine deletes everything in the state."""
    pulumi.memory["state"] = '{"version": 3, "deployment": {}}'


def torn_down(aws: Clients, pulumi: FakePulumi, destroy: Callable[[FakePulumi], None]) -> Outcome:
    pulumi.memory["destroy"] = destroy
    (Path(pulumi.directory) / "Pulumi.yaml").write_text("name: shop\n")
    work = Teardown(
        pulumi=pulumi,
        clients=aws,
        interaction=Interaction(as_json=True, yes=True),
        clusters=Clusters(pulumi.export_state(), pulumi.reveal_state),
        kinds=FEW_KINDS,
    )
    return tear_down(work, pulumi.export_state())


def a_vpc(name: str = "core") -> tuple[str, dict[str, Any]]:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    spec: Any = [{"ResourceType": "vpc", "Tags": tags(Name=name)}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec)["Vpc"]["VpcId"]
    return vpc, record("aws:ec2/vpc:Vpc", name, vpc)


def delete_vpc(vpc: str) -> None:
    boto3.client("ec2", region_name="us-east-1").delete_vpc(VpcId=vpc)


def test_a_teardown_that_leaves_nothing_says_so_and_forgets_its_journal(aws: Clients, tmp_path: Path) -> None:
    vpc, kept = a_vpc()

    def destroy(pulumi: FakePulumi) -> None:
        assert pulumi.asked == ["import", "unprotect", "destroy"]
        assert journal(tmp_path, "prod") is not None, "a kill here is survivable"
        delete_vpc(vpc)
        emptied(pulumi)

    outcome = torn_down(aws, fake(state(kept), tmp_path), destroy)
    assert (outcome.deleted, outcome.leftovers) == (1, {})
    assert journal(tmp_path, "prod") is None


def test_a_key_pending_deletion_is_retained_and_not_left(aws: Clients, tmp_path: Path) -> None:
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key(Tags=[{"TagKey": "Project", "TagValue": "shop"}])["KeyMetadata"]["KeyId"]

    def destroy(pulumi: FakePulumi) -> None:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
        emptied(pulumi)

    outcome = torn_down(aws, fake(state(record("aws:kms/key:Key", "customer", key)), tmp_path), destroy)
    assert [each.id for each in outcome.retained] == [key]
    assert outcome.leftovers == {}


def test_what_stays_beyond_the_declared_list_is_a_failure(aws: Clients, tmp_path: Path) -> None:
    vpc, in_state = a_vpc()
    stray, _ = a_vpc("stray")
    outcome = torn_down(aws, fake(state(in_state), tmp_path), emptied)
    assert any(vpc in left for left in outcome.leftovers), "found by the id in the last state"
    assert any(stray in left for left in outcome.leftovers), "found by its tags"
    assert journal(tmp_path, "prod") is not None


def test_a_second_run_still_knows_what_the_first_one_deleted_from_the_state(
    aws: Clients, tmp_path: Path
) -> None:
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    stray, _ = a_vpc("stray")
    pulumi = fake(state(record("aws:kms/key:Key", "customer", key)), tmp_path)

    def destroy(each: FakePulumi) -> None:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
        emptied(each)

    assert torn_down(aws, pulumi, destroy).leftovers
    delete_vpc(stray)
    again = torn_down(aws, pulumi, emptied)
    assert [each.id for each in again.retained] == [key], "an untagged key that only the first state knew"
    assert again.leftovers == {}
    assert pulumi.asked.count("destroy") == 1, "an empty state is not destroyed again"


def test_a_destroy_that_fails_is_reported_and_the_journal_kept(aws: Clients, tmp_path: Path) -> None:
    vpc, in_state = a_vpc()
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    def destroy(pulumi: FakePulumi) -> None:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
        pulumi.memory["state"] = state(in_state).text()
        raise OperationError("DependencyViolation")

    pulumi = fake(state(in_state, record("aws:kms/key:Key", "customer", key)), tmp_path)
    outcome = torn_down(aws, pulumi, destroy)
    assert (outcome.deleted, outcome.failure) == (1, "DependencyViolation")
    assert any(vpc in left for left in outcome.leftovers)
    assert outcome.leftovers[in_state["urn"]] == "still in the state"
    assert [each.id for each in outcome.retained] == [key]
    assert journal(tmp_path, "prod") is not None


def test_a_stack_with_pending_operations_is_sent_to_recover() -> None:
    broken: Deployment = state(pending=[("creating", record("aws:ec2/vpc:Vpc", "core"))])
    with pytest.raises(OperationError, match="operations recover"):
        refuse_pending(broken)


def test_a_stack_that_changed_while_the_person_was_asked_is_left_alone(aws: Clients, tmp_path: Path) -> None:
    _, shown = a_vpc()
    _, added = a_vpc("added")
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    pulumi = fake(state(shown, added), tmp_path, destroy=emptied)
    work = Teardown(
        pulumi=pulumi,
        clients=aws,
        interaction=Interaction(as_json=True, yes=True),
        clusters=Clusters(pulumi.export_state(), pulumi.reveal_state),
        kinds=FEW_KINDS,
    )
    with pytest.raises(OperationError, match=r"changed meanwhile \(added\)"):
        tear_down(work, state(shown))
    assert pulumi.asked == []
    assert pulumi.export_state().document == state(shown, added).document


def test_an_update_made_while_protection_is_lifted_is_not_lost(aws: Clients, tmp_path: Path) -> None:
    _, shown = a_vpc()
    shown["modified"] = "2026-11-24T00:00:00Z"
    kept = database()

    class Updating(FakePulumi):
        def require_unchanged(self, read: Deployment) -> None:
            super().require_unchanged(read)
            newer = {**shown, "modified": "2026-11-24T00:00:01Z"}
            self.memory["state"] = state(newer, kept).text()

    pulumi = Updating("prod", tmp_path, {"state": state(shown, kept).text(), "destroy": emptied})
    with pytest.raises(OperationError, match=r"changed meanwhile \(core\)"):
        torn_down(aws, pulumi, emptied)
    assert pulumi.asked == []
