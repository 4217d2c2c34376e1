"""DocumentDB: an instance a zone, private, encrypted, audited, TLS only."""

from dataclasses import replace
from typing import Any

import pytest

from components.data.document_db import DocumentDb, DocumentDbArgs
from tests.unit.data import properties
from tests.unit.data.properties import CLIENTS, SUBNETS, VPC, ZONES, key
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M23

ARGS = DocumentDbArgs(
    vpc_id=VPC,
    subnet_ids=SUBNETS,
    zones=ZONES,
    client_security_group_ids=CLIENTS,
    instance_class="db.r6g.large",
    data_key_arn=key("customer"),
    logs_key_arn=key("operations"),
    secrets_key_arn=key("secrets"),
    services={"user": "users"},
    deletion_protection=True,
    protect=True,
)


@pytest.fixture(scope="module")
def stood_up() -> Deployment:
    return deploy(lambda: DocumentDb("document-db", ARGS).instance_identifiers)


def test_house_rules_hold(stood_up: Deployment) -> None:
    properties.assert_tagged_with_its_name(stood_up)
    properties.assert_passwords_are_secret(stood_up)
    properties.assert_inside(stood_up, "cloudcommerce:data:DocumentDb")
    properties.assert_reached_by_groups_only(stood_up, {"sg-workloads"})


def test_an_instance_stands_in_every_zone_and_is_named_by_it(stood_up: Deployment) -> None:
    for zone in ZONES:
        instance = stood_up.named(f"document-db-instance-{zone[-1]}")
        assert instance.inputs["availabilityZone"] == zone
        assert instance.inputs["enablePerformanceInsights"] is True
        assert instance.inputs["performanceInsightsKmsKeyId"] == key("customer")
    assert stood_up.result.keys() == {"a", "b", "c"}


def test_losing_a_zone_renames_no_other(stood_up: Deployment) -> None:
    fewer = deploy(
        lambda: DocumentDb("document-db", replace(ARGS, zones=("us-east-1b", "us-east-1c"))).endpoint
    )

    assert {r.urn for r in fewer.resources} < {r.urn for r in stood_up.resources}


def test_the_cluster_is_encrypted_audited_and_tls_only(stood_up: Deployment) -> None:
    cluster = stood_up.one("aws:docdb/cluster:Cluster")
    group = stood_up.one("ClusterParameterGroup")
    parameters = {p["name"]: p["value"] for p in group.inputs["parameters"]}

    assert cluster.inputs["storageEncrypted"] is True
    assert cluster.inputs["kmsKeyId"] == key("customer")
    assert group.inputs["family"] == "docdb5.0"
    assert parameters["tls"] == "tls1.2+"
    assert parameters["audit_logs"] == parameters["profiler"] == "enabled"
    logs = stood_up.all("LogGroup")
    identifier = cluster.inputs["clusterIdentifier"]
    assert {g.inputs["name"] for g in logs} == {
        f"/aws/docdb/{identifier}/{log}" for log in ("audit", "profiler")
    }
    assert {g.inputs["kmsKeyId"] for g in logs} == {key("operations")}
    assert {g.urn for g in logs} <= set(cluster.depends_on)


@pytest.mark.mission_M50
def test_backups_are_kept_thirty_days_and_a_last_one_is_taken(stood_up: Deployment) -> None:
    cluster = stood_up.one("aws:docdb/cluster:Cluster").inputs

    assert cluster["backupRetentionPeriod"] == 30
    assert cluster["skipFinalSnapshot"] is False
    assert cluster["finalSnapshotIdentifier"] == f"{cluster['clusterIdentifier']}-final"


@pytest.mark.parametrize("protected", [True, False])
def test_protection_is_the_caller_s_choice(protected: bool) -> None:
    args = replace(ARGS, protect=protected, deletion_protection=protected)
    cluster = deploy(lambda: DocumentDb("document-db", args).endpoint).one("aws:docdb/cluster:Cluster")

    assert cluster.protect is protected
    assert cluster.inputs["deletionProtection"] is protected
    assert set(cluster.ignore_changes) == {"engineVersion", "masterPassword"}


def test_master_and_service_have_secrets_of_their_own(stood_up: Deployment) -> None:
    cluster = stood_up.one("aws:docdb/cluster:Cluster")
    master = properties.secret_value(stood_up, "document-db-master")
    service = properties.secret_value(stood_up, "document-db-user")

    assert master["password"] == cluster.inputs["masterPassword"] != service["password"]
    assert (service["username"], service["dbname"]) == ("user_service", "users")
    assert service["host"] == cluster.outputs["endpoint"]
    assert service["reader_host"] == cluster.outputs["readerEndpoint"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zones": ()}, "zones is empty"),
        ({"backup_retention_days": 99}, "99 days; AWS takes 1 to 35"),
        ({"master_username": "cloud_admin"}, "'cloud_admin'; DocumentDB takes 1 to 63 letters and digits"),
        ({"master_username": "1st"}, "a letter first"),
    ],
)
def test_impossible_arguments_are_refused_at_once(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ARGS, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zones": ("use1-az1",)}, "'use1-az1' is no availability zone: write it like us-east-1a"),
        ({"instance_class": "db.m5.large"}, "unknown instance class 'db.m5.large'"),
    ],
)
def test_wrong_names_are_told_with_the_right_form(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        deploy(lambda: DocumentDb("document-db", replace(ARGS, **change)).endpoint)
