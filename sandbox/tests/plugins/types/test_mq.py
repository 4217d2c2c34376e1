"""Amazon MQ types. Force-new properties: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/mq_broker
and mq_configuration.
"""

from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, reveal

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, unique
from sandbox.tests.plugins.types.facts import replacing
from sandbox.tests.plugins.types.played_engine import PlayedEngine, Refused

BROKER = "aws:mq/broker:Broker"
CONFIGURATION = "aws:mq/configuration:Configuration"

FORCE_NEW = {
    BROKER: {
        "brokerName",
        "deploymentMode",
        "encryptionOptions",
        "engineType",
        "publiclyAccessible",
        "storageType",  # in place, but without effect, in Terraform
        "subnetIds",
    },
    CONFIGURATION: {"engineType", "engineVersion", "name"},
}
PASSWORD = "correct-horse-battery"
MINIMAL: dict[str, Any] = {
    "engineType": "RabbitMQ",
    "engineVersion": "4.2",
    "hostInstanceType": "mq.m7g.large",
    "users": [{"username": "admin_user", "password": Secret(PASSWORD)}],
}
UNREAD = frozenset({"applyImmediately", "users"})


@pytest.fixture(scope="module")
def mq(emulator: RunningEmulator) -> Any:
    return emulator.client("mq")


@pytest.mark.parametrize("pulumi_type", FORCE_NEW)
def test_replacement_follows_terraform(pulumi_type: str) -> None:
    assert replacing(pulumi_type) == FORCE_NEW[pulumi_type]


def test_a_configuration_gets_a_revision_a_change(engine: PlayedEngine, mq: Any) -> None:
    program = {
        "engineType": "RabbitMQ",
        "engineVersion": "4.2",
        "description": "timeouts",
        "data": "consumer_timeout = 1800000\n",
        "tags": {"Name": "broker"},
    }
    configuration = engine.resource(CONFIGURATION, "broker").create(program)
    first = configuration.output("latestRevision")
    configuration.assert_settled(program)
    changed = {**program, "data": "consumer_timeout = 900000\n"}
    assert configuration.diff(changed) == ({"data"}, set())
    configuration.update(changed).assert_settled(changed)
    assert configuration.output("latestRevision") == first + 1

    mq.update_configuration(ConfigurationId=configuration.id, Data="Y2hhbm5lbF9tYXggPSAxCg==")
    configuration.refresh()
    assert configuration.diff(changed)[0] >= {"data"}, "what somebody changed is seen"
    configuration.delete()
    assert not configuration.refresh()


def test_a_production_broker_settles_and_changes_in_place(
    engine: PlayedEngine, network: Network, key: str, mq: Any
) -> None:
    configuration = engine.resource(CONFIGURATION, "orders").create(
        {"engineType": "RabbitMQ", "engineVersion": "4.2", "data": "consumer_timeout = 1800000\n"}
    )
    program: dict[str, Any] = {
        **MINIMAL,
        "brokerName": unique("orders"),
        "deploymentMode": "CLUSTER_MULTI_AZ",
        "subnetIds": network.subnets,
        "securityGroups": [network.security_group],
        "encryptionOptions": {"useAwsOwnedKey": False, "kmsKeyId": key},
        "configuration": {"id": configuration.id, "revision": configuration.output("latestRevision")},
        "logs": {"general": True},
        "maintenanceWindowStartTime": {"dayOfWeek": "sunday", "timeOfDay": "03:00", "timeZone": "UTC"},
        "autoMinorVersionUpgrade": True,
        "applyImmediately": True,
        "tags": {"Name": "orders"},
    }
    broker = engine.resource(BROKER, "orders").create(program)
    (endpoint,) = {found["endpoints"][0] for found in broker.output("instances")}
    assert endpoint.startswith("amqps://")
    broker.assert_settled(program, unread=UNREAD)
    assert PASSWORD not in str(reveal({k: v for k, v in broker.state.items() if not isinstance(v, Secret)}))

    rotated = {**program, "users": [{"username": "admin_user", "password": Secret("rotated-horse-battery")}]}
    assert broker.diff(rotated) == (set(), set()), "the API changes no users of RabbitMQ"
    changed = {
        **program,
        "hostInstanceType": "mq.m7g.xlarge",
        "logs": {"general": False},
        "autoMinorVersionUpgrade": False,
    }
    assert broker.diff(changed) == ({"hostInstanceType", "logs", "autoMinorVersionUpgrade"}, set())
    broker.update(changed).assert_settled(changed, unread=UNREAD)
    assert mq.describe_broker(BrokerId=broker.id)["HostInstanceType"] == "mq.m7g.xlarge"
    aws_key = {**changed, "encryptionOptions": {"useAwsOwnedKey": True}}
    assert broker.diff(aws_key)[1] == {"encryptionOptions"}

    mq.update_broker(BrokerId=broker.id, HostInstanceType="mq.m7g.large")
    mq.reboot_broker(BrokerId=broker.id)
    broker.refresh()
    assert broker.diff(changed) == ({"hostInstanceType"}, set()), "what somebody changed is seen"
    broker.delete()
    assert not broker.refresh()
    configuration.delete()


def test_what_the_api_insists_on_has_terraforms_defaults(engine: PlayedEngine) -> None:
    broker = engine.resource(BROKER, "minimal").create(MINIMAL)
    assert broker.output("brokerName").startswith("minimal-")
    assert (broker.output("deploymentMode"), broker.output("publiclyAccessible")) == (
        "SINGLE_INSTANCE",
        False,
    )
    broker.assert_settled(MINIMAL, unread=UNREAD)
    broker.delete()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engineType": "ActiveMQ"}, "give RabbitMQ"),
        ({"logs": {"audit": True}}, "ActiveMQ"),
        ({"deploymentMode": "THREE_NODES"}, "is not one of"),
        ({"hostInstanceType": 7}, "must be a string"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    engine: PlayedEngine, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        engine.resource(BROKER, "wrong").check({**MINIMAL, **given})


def test_a_preview_foretells_the_endpoints_only_as_unknown(engine: PlayedEngine) -> None:
    foretold = engine.resource(BROKER, "foretold").preview(MINIMAL)
    assert foretold["instances"] is UNKNOWN
