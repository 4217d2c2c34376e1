"""RabbitMQ: a private cluster over three zones, TLS only, encrypted, whose users are its own."""

from dataclasses import replace
from typing import Any

import pytest

from components.messaging.rabbitmq import RabbitMq, RabbitMqArgs
from tests.unit.computed_outputs import computed_outputs
from tests.unit.data import properties
from tests.unit.data.properties import CLIENTS, SUBNETS, VPC, key
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M25

HOST = "b-1.mq.us-east-1.amazonaws.com"
ARGS = RabbitMqArgs(
    vpc_id=VPC,
    subnet_ids=SUBNETS,
    client_security_group_ids=CLIENTS,
    instance_type="mq.m7g.large",
    data_key_arn=key("operations"),
    secrets_key_arn=key("secrets"),
    services={"order": "commerce", "notification": "commerce"},
    protect=True,
)


@pytest.fixture(scope="module")
def stood_up() -> Deployment:
    def with_endpoints(type_: str, name: str) -> dict[str, Any]:
        answer = dict(computed_outputs(type_, name))
        if type_ == "aws:mq/broker:Broker":
            answer["instances"] = [{"endpoints": [f"amqps://{HOST}:5671"], "consoleUrl": f"https://{HOST}"}]
        return answer

    def program() -> object:
        broker = RabbitMq("rabbitmq", ARGS)
        target = broker.rotation_targets["rabbitmq-admin"]
        return {
            "host": broker.host,
            "amqps": broker.amqps_endpoint,
            "console": broker.console_url,
            "rotated_through": target.security_group_id,
        }

    return deploy(program, compute=with_endpoints)


def test_house_rules_hold(stood_up: Deployment) -> None:
    properties.assert_tagged_with_its_name(stood_up)
    properties.assert_passwords_are_secret(stood_up)
    properties.assert_inside(stood_up, "cloudcommerce:messaging:RabbitMq")
    properties.assert_reached_by_groups_only(stood_up, {"sg-workloads"})


def test_only_tls_ports_are_open(stood_up: Deployment) -> None:
    assert {r.inputs["fromPort"] for r in stood_up.all("SecurityGroupIngressRule")} == {443, 5671}
    assert stood_up.result == {
        "host": HOST,
        "amqps": f"amqps://{HOST}:5671",
        "console": f"https://{HOST}",
        "rotated_through": "rabbitmq-security-group-id",
    }


def test_the_broker_is_a_private_encrypted_cluster(stood_up: Deployment) -> None:
    broker = stood_up.one("Broker")

    assert broker.inputs["deploymentMode"] == "CLUSTER_MULTI_AZ"
    assert broker.inputs["publiclyAccessible"] is False
    assert broker.inputs["subnetIds"] == SUBNETS
    assert broker.inputs["encryptionOptions"] == {"useAwsOwnedKey": False, "kmsKeyId": key("operations")}
    assert broker.inputs["autoMinorVersionUpgrade"] is True
    assert broker.inputs["logs"] == {"general": True}
    assert broker.protect


def test_users_are_the_broker_s_own_once_it_exists(stood_up: Deployment) -> None:
    broker = stood_up.one("Broker")
    admin = properties.secret_value(stood_up, "rabbitmq-admin")

    assert broker.ignore_changes == ("users",)
    assert [u["password"] for u in broker.inputs["users"]] == [admin["password"]]
    assert (admin["host"], admin["port"], admin["vhost"]) == (HOST, 5671, "/")


def test_each_service_has_a_user_and_a_virtual_host(stood_up: Deployment) -> None:
    values = [properties.secret_value(stood_up, f"rabbitmq-{service}") for service in ARGS.services]

    assert {v["username"] for v in values} == {"order_service", "notification_service"}
    assert {v["vhost"] for v in values} == {"commerce"}
    assert len({v["password"] for v in values}) == len(values)


def test_the_configuration_is_applied_in_its_latest_revision(stood_up: Deployment) -> None:
    configuration = stood_up.one("Configuration")

    assert stood_up.one("Broker").inputs["configuration"] == {
        "id": "rabbitmq-configuration-id",
        "revision": configuration.outputs["latestRevision"],
    }
    lines = configuration.inputs["data"].splitlines()
    assert all(len(line.split(" = ")) == 2 for line in lines)
    assert "consumer_timeout = 900000" in lines


def test_a_cluster_in_one_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="1 subnets for a broker cluster"):
        replace(ARGS, subnet_ids=SUBNETS[:1])


def test_an_instance_type_that_rabbitmq_4_does_not_run_on_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown instance class 'mq\.t3\.micro'"):
        deploy(lambda: RabbitMq("rabbitmq", replace(ARGS, instance_type="mq.t3.micro")).host)
