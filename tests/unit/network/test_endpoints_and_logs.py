"""Endpoints, flow logs and the workloads' group: closed unless opened on purpose."""

import json

import pytest

from components.network.endpoint_policies import endpoint_policy
from components.network.endpoints import VpcEndpoints, VpcEndpointsArgs
from components.network.flow_logs import FlowLogs, FlowLogsArgs
from components.network.workloads import WorkloadSecurityGroup, WorkloadSecurityGroupArgs
from tests.unit.computed_outputs import ACCOUNT_ID, REGION
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M20

SERVICES = ("ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs", "kms")


def endpoints() -> Deployment:
    args = VpcEndpointsArgs(
        vpc_id="vpc-1",
        vpc_cidr="10.0.0.0/16",
        subnet_ids=["subnet-a", "subnet-b"],
        route_table_ids=["rtb-a", "rtb-b"],
        account_id=ACCOUNT_ID,
        region=REGION,
        gateway_services=("s3", "dynamodb"),
        interface_services=SERVICES,
    )
    return deploy(lambda: VpcEndpoints("endpoints", args).endpoint_ids)


def test_interface_endpoints_answer_under_the_ordinary_names_in_every_zone() -> None:
    interfaces = [e for e in endpoints().all("VpcEndpoint") if e.inputs["vpcEndpointType"] == "Interface"]

    assert {e.inputs["serviceName"] for e in interfaces} == {f"com.amazonaws.{REGION}.{s}" for s in SERVICES}
    assert all(e.inputs["privateDnsEnabled"] for e in interfaces)
    assert all(e.inputs["subnetIds"] == ["subnet-a", "subnet-b"] for e in interfaces)
    assert all(e.inputs["securityGroupIds"] == ["endpoints-sg-id"] for e in interfaces)


def test_gateway_endpoints_join_the_given_route_tables() -> None:
    gateways = [e for e in endpoints().all("VpcEndpoint") if e.inputs["vpcEndpointType"] == "Gateway"]

    assert {e.name for e in gateways} == {"endpoints-s3", "endpoints-dynamodb"}
    assert all(e.inputs["routeTableIds"] == ["rtb-a", "rtb-b"] for e in gateways)


def test_endpoints_admit_https_from_the_vpc_only() -> None:
    deployment = endpoints()
    rule = deployment.one("SecurityGroupIngressRule")

    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    assert rule.inputs["cidrIpv4"] == "10.0.0.0/16"
    assert not deployment.all("SecurityGroupEgressRule")


@pytest.mark.parametrize("service", [*SERVICES, "s3", "dynamodb"])
def test_no_endpoint_lets_foreign_principals_do_anything_broad(service: str) -> None:
    statements = json.loads(endpoint_policy(service, ACCOUNT_ID, REGION))["Statement"]

    for statement in statements:
        own = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount") == ACCOUNT_ID
        assert own or (statement["Action"] != "*" and statement["Resource"] != "*")


def test_nodes_still_reach_image_layers_and_pods_their_roles() -> None:
    s3 = json.loads(endpoint_policy("s3", ACCOUNT_ID, REGION))["Statement"]
    sts = json.loads(endpoint_policy("sts", ACCOUNT_ID, REGION))["Statement"]

    assert any(f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*" in s["Resource"] for s in s3)
    assert any(
        s["Action"] == "sts:AssumeRoleWithWebIdentity"
        and s["Resource"] == f"arn:aws:iam::{ACCOUNT_ID}:role/*"
        for s in sts
    )


@pytest.fixture
def flow_logs() -> Deployment:
    args = FlowLogsArgs(
        vpc_id="vpc-1", logs_key_arn="arn:key", account_id=ACCOUNT_ID, region=REGION, retention_days=400
    )
    return deploy(lambda: FlowLogs("flow-logs", args).log_group_name)


def test_all_traffic_is_logged_encrypted_and_kept(flow_logs: Deployment) -> None:
    group, log = flow_logs.one("LogGroup"), flow_logs.one("FlowLog")

    assert (group.inputs["kmsKeyId"], group.inputs["retentionInDays"]) == ("arn:key", 400)
    assert (log.inputs["trafficType"], log.inputs["vpcId"]) == ("ALL", "vpc-1")
    assert log.inputs["logDestination"] == group.outputs["arn"]


def test_writer_role_is_for_this_account_and_this_group_only(flow_logs: Deployment) -> None:
    trust = json.loads(flow_logs.one("Role").inputs["assumeRolePolicy"])["Statement"]
    writes = json.loads(flow_logs.one("RolePolicy").inputs["policy"])["Statement"]
    group_arn = flow_logs.one("LogGroup").outputs["arn"]

    assert [s["Condition"]["StringEquals"]["aws:SourceAccount"] for s in trust] == [ACCOUNT_ID]
    assert [s["Resource"] for s in writes] == [[group_arn, f"{group_arn}:*"]]
    assert not [a for s in writes for a in s["Action"] if "*" in a]


def test_log_waits_for_the_permission_to_write(flow_logs: Deployment) -> None:
    assert flow_logs.one("RolePolicy").urn in flow_logs.one("FlowLog").depends_on


def test_workloads_admit_only_one_another() -> None:
    args = WorkloadSecurityGroupArgs(vpc_id="vpc-1", vpc_cidr="10.0.0.0/16")
    deployment = deploy(lambda: WorkloadSecurityGroup("workloads", args).security_group_id)
    ingress = deployment.one("SecurityGroupIngressRule").inputs
    outside = [
        e.inputs for e in deployment.all("SecurityGroupEgressRule") if e.inputs["cidrIpv4"] == "0.0.0.0/0"
    ]

    assert ingress["referencedSecurityGroupId"] == ingress["securityGroupId"] == deployment.result
    assert "cidrIpv4" not in ingress
    assert [(e["ipProtocol"], e["fromPort"], e["toPort"]) for e in outside] == [("tcp", 443, 443)]
