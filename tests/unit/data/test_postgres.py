"""PostgreSQL and its proxy: private, encrypted, TLS only, kept from deletion, in two roles."""

from dataclasses import replace
from typing import Any

import pytest

from components.data.postgres import Postgres, PostgresArgs
from components.data.postgres_proxy import PostgresProxy, PostgresProxyArgs
from tests.unit.data import properties
from tests.unit.data.properties import CLIENTS, SUBNETS, VPC, key
from tests.unit.mock_engine import Deployment, Resource, deploy

pytestmark = pytest.mark.mission_M22

ARGS = PostgresArgs(
    vpc_id=VPC,
    subnet_ids=SUBNETS,
    client_security_group_ids=CLIENTS,
    instance_class="db.m7g.large",
    allocated_storage=100,
    max_allocated_storage=1000,
    data_key_arn=key("commerce"),
    logs_key_arn=key("operations"),
    secrets_key_arn=key("secrets"),
    deletion_protection=True,
    protect=True,
)
PROXY_ARGS = PostgresProxyArgs(
    vpc_id=VPC,
    subnet_ids=SUBNETS,
    client_security_group_ids=CLIENTS,
    instance_identifier="postgres-1a2b3c",
    instance_security_group_id="sg-postgres",
    reader_address="replica.example",
    services={"order": "orders", "product": "products"},
    secrets_key_arn=key("secrets"),
    protect=True,
)


@pytest.fixture(scope="module")
def postgres() -> Deployment:
    return deploy(lambda: Postgres("postgres", ARGS).master_secret_arn)


@pytest.fixture(scope="module")
def proxy() -> Deployment:
    return deploy(lambda: PostgresProxy("postgres-proxy", PROXY_ARGS).endpoint)


def instances(deployment: Deployment) -> list[Resource]:
    found = [
        deployment.named("postgres-primary", "Instance"),
        deployment.named("postgres-replica", "Instance"),
    ]
    assert len(deployment.all("aws:rds/instance:Instance")) == len(found)
    return found


def test_house_rules_hold(postgres: Deployment, proxy: Deployment) -> None:
    for deployment, token in ((postgres, "Postgres"), (proxy, "PostgresProxy")):
        properties.assert_tagged_with_its_name(deployment)
        properties.assert_passwords_are_secret(deployment)
        properties.assert_inside(deployment, f"cloudcommerce:data:{token}")


def test_nobody_but_the_clients_reaches_the_instances(postgres: Deployment) -> None:
    properties.assert_reached_by_groups_only(postgres, {"sg-workloads"})
    assert postgres.all("SecurityGroupEgressRule") == []
    for instance in instances(postgres):
        assert instance.inputs["publiclyAccessible"] is False
        assert instance.inputs["vpcSecurityGroupIds"] == ["postgres-security-group-id"]


def test_instances_are_encrypted_watched_and_highly_available(postgres: Deployment) -> None:
    primary, replica = instances(postgres)

    assert primary.inputs["kmsKeyId"] == key("commerce")
    assert primary.inputs["engineVersion"] == "17"
    assert primary.inputs["engineLifecycleSupport"] == "open-source-rds-extended-support-disabled"
    assert "engineLifecycleSupport" not in replica.inputs, "no argument of CreateDBInstanceReadReplica"
    assert "kmsKeyId" not in replica.inputs, "RDS refuses a key for a replica in its primary's region"
    for instance in (primary, replica):
        assert instance.inputs["storageEncrypted"] is True
        assert instance.inputs["multiAz"] is True
        assert instance.inputs["performanceInsightsKmsKeyId"] == key("commerce")
        assert instance.inputs["monitoringInterval"] == 60
        assert instance.inputs["caCertIdentifier"] == "rds-ca-rsa2048-g1"
        assert instance.inputs["maxAllocatedStorage"] == 1000


@pytest.mark.mission_M50
def test_backups_are_kept_thirty_days_and_outlive_the_instance(postgres: Deployment) -> None:
    primary, _ = instances(postgres)

    assert primary.inputs["backupRetentionPeriod"] == 30
    assert primary.inputs["deleteAutomatedBackups"] is False
    assert primary.inputs["copyTagsToSnapshot"] is True
    assert primary.inputs["skipFinalSnapshot"] is False
    assert primary.inputs["finalSnapshotIdentifier"] == f"{primary.inputs['identifier']}-final"


def test_what_rds_and_rotation_write_is_left_to_them(postgres: Deployment) -> None:
    primary, replica = instances(postgres)

    assert {"engineVersion", "password"} <= set(primary.ignore_changes)
    assert "engineVersion" in replica.ignore_changes


@pytest.mark.parametrize("protected", [True, False])
def test_protection_is_the_caller_s_choice(protected: bool) -> None:
    args = replace(ARGS, protect=protected, deletion_protection=protected)
    deployment = deploy(lambda: Postgres("postgres", args).address)

    for instance in instances(deployment):
        assert instance.protect is protected
        assert instance.inputs["deletionProtection"] is protected
    assert deployment.named("postgres-master-secret").protect is protected


def test_logs_are_encrypted_and_made_before_rds_would_make_them(postgres: Deployment) -> None:
    groups = postgres.all("LogGroup")
    assert len(groups) == 4
    for group in groups:
        assert group.inputs["kmsKeyId"] == key("operations")
        assert group.inputs["retentionInDays"] == 365
    for instance in instances(postgres):
        identifier = instance.inputs["identifier"]
        own = [g for g in groups if g.inputs["name"].startswith(f"/aws/rds/instance/{identifier}/")]
        assert {g.inputs["name"].rpartition("/")[2] for g in own} == set(
            instance.inputs["enabledCloudwatchLogsExports"]
        )
        assert {g.urn for g in own} <= set(instance.depends_on)


def test_the_replica_follows_the_primary_with_parameters_of_its_own(postgres: Deployment) -> None:
    primary, replica = instances(postgres)

    assert replica.inputs["replicateSourceDb"] == primary.inputs["identifier"]
    assert primary.inputs["parameterGroupName"] != replica.inputs["parameterGroupName"]
    for refused in ("engine", "username", "password", "allocatedStorage", "dbSubnetGroupName"):
        assert refused not in replica.inputs
    for group in postgres.all("ParameterGroup"):
        assert group.inputs["family"] == "postgres17"
        assert {"name": "rds.force_ssl", "value": "1", "applyMethod": "pending-reboot"} in group.inputs[
            "parameters"
        ]


def test_the_master_secret_says_where_and_who(postgres: Deployment) -> None:
    primary, replica = instances(postgres)
    value = properties.secret_value(postgres, "postgres-master")

    assert value["engine"] == "postgres"
    assert value["host"] == primary.outputs["address"]
    assert value["reader_host"] == replica.outputs["address"]
    assert value["username"] == primary.inputs["username"]
    assert value["password"] == primary.inputs["password"]
    assert value["resource_id"] == primary.inputs["identifier"]
    assert postgres.named("postgres-master-secret").inputs["kmsKeyId"] == key("secrets")


def test_rotation_is_offered_the_master_only() -> None:
    found = deploy(lambda: [Postgres("postgres", ARGS).rotation_targets[n] for n in ("postgres-master",)])
    target = found.result[0]

    assert target.engine == "postgres"


def test_preview_knows_nothing_and_plans_the_same(postgres: Deployment) -> None:
    planned = deploy(lambda: Postgres("postgres", ARGS).address, preview=True)

    assert {r.urn for r in planned.resources} == {r.urn for r in postgres.resources}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instance_class": "db.t2.micro"}, "unknown instance class 'db.t2.micro'"),
        ({"client_security_group_ids": {}}, "nothing could connect"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_planned(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        deploy(lambda: Postgres("postgres", replace(ARGS, **change)).address)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backup_retention_days": 0}, "0 days; AWS takes 1 to 35"),
        ({"backup_retention_days": 36}, "36 days; AWS takes 1 to 35"),
        ({"max_allocated_storage": 105}, "at least 110 GiB"),
    ],
)
def test_limits_of_rds_are_held_when_the_arguments_are_made(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ARGS, **change)


@pytest.mark.mission_M61
def test_the_proxy_takes_tls_and_one_secret_a_service(proxy: Deployment) -> None:
    made = proxy.one("Proxy")
    assert made.ignore_changes == ("vpcSubnetIds",), "RDS leaves out what lies in zones without proxies"
    auths = made.inputs["auths"]

    assert made.inputs["requireTls"] is True
    assert made.inputs["debugLogging"] is False
    assert {a["secretArn"] for a in auths} == {
        proxy.named(f"postgres-proxy-{s}-secret").outputs["arn"] for s in PROXY_ARGS.services
    }
    assert {a["clientPasswordAuthType"] for a in auths} == {"POSTGRES_SCRAM_SHA_256"}
    assert proxy.one("ProxyTarget").inputs["dbInstanceIdentifier"] == "postgres-1a2b3c"
    pool = proxy.one("ProxyDefaultTargetGroup").inputs["connectionPoolConfig"]
    assert pool["maxConnectionsPercent"] == 80
    assert pool["maxIdleConnectionsPercent"] <= pool["maxConnectionsPercent"]


def test_the_proxy_stands_between_the_clients_and_the_instance(proxy: Deployment) -> None:
    properties.assert_reached_by_groups_only(proxy, {"sg-workloads", "postgres-proxy-security-group-id"})
    egress = proxy.one("SecurityGroupEgressRule").inputs
    assert egress["referencedSecurityGroupId"] == "sg-postgres"
    into = proxy.named("postgres-proxy-into-instance").inputs
    assert into["securityGroupId"] == "sg-postgres"


def test_the_proxy_reads_its_services_secrets_and_no_others(proxy: Deployment) -> None:
    allowed = properties.statements(proxy.one("RolePolicy").inputs["policy"])

    assert set(allowed["Secrets"]["Resource"]) == {
        proxy.named(f"postgres-proxy-{s}-secret").outputs["arn"] for s in PROXY_ARGS.services
    }
    assert allowed["SecretsKey"]["Resource"] == [key("secrets")]
    assert allowed["SecretsKey"]["Condition"]["StringEquals"] == {
        "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"
    }
    assert proxy.one("RolePolicy").urn in proxy.one("Proxy").depends_on


@pytest.mark.parametrize(("service", "database"), PROXY_ARGS.services.items())
def test_a_service_s_secret_leads_to_the_proxy_and_to_the_replica(
    proxy: Deployment, service: str, database: str
) -> None:
    value = properties.secret_value(proxy, f"postgres-proxy-{service}")

    assert value["host"] == proxy.one("Proxy").outputs["endpoint"]
    assert value["reader_host"] == "replica.example"
    assert value["dbname"] == database
    assert value["username"] == f"{service}_service"


def test_a_proxy_for_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="the proxy serves nobody"):
        replace(PROXY_ARGS, services={})
