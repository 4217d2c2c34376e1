import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, make_network, unique

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def network(emulator: RunningEmulator) -> Network:
    return make_network(emulator)


@pytest.fixture(scope="module")
def mq(emulator: RunningEmulator) -> Any:
    return emulator.client("mq")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def create(mq: Any, network: Network, **overrides: Any) -> str:
    arguments = {
        "BrokerName": unique("broker"),
        "EngineType": "RABBITMQ",
        "EngineVersion": "4.2",
        "DeploymentMode": "CLUSTER_MULTI_AZ",
        "HostInstanceType": "mq.m7g.large",
        "PubliclyAccessible": False,
        "AutoMinorVersionUpgrade": True,
        "SubnetIds": network.subnets,
        "SecurityGroups": [network.security_group],
        "Users": [{"Username": "administrator", "Password": PASSWORD}],
        **overrides,
    }
    return str(mq.create_broker(**arguments)["BrokerId"])


def test_a_broker_reads_back(mq: Any, network: Network) -> None:
    window = {"DayOfWeek": "SUNDAY", "TimeOfDay": "07:30", "TimeZone": "UTC"}
    key = "arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111"
    broker = create(
        mq,
        network,
        Logs={"General": True},
        MaintenanceWindowStartTime=window,
        EncryptionOptions={"UseAwsOwnedKey": False, "KmsKeyId": key},
        Tags={"owner": "platform"},
    )
    read = mq.describe_broker(BrokerId=broker)
    assert read["BrokerArn"].endswith(f":broker:{read['BrokerName']}:{broker}")
    assert (read["EngineType"], read["EngineVersion"]) == ("RABBITMQ", "4.2")
    assert read["Logs"]["General"] is True
    assert read["Logs"]["GeneralLogGroup"] == f"/aws/amazonmq/broker/{broker}/general"
    assert read["MaintenanceWindowStartTime"] == window
    assert read["EncryptionOptions"] == {"UseAwsOwnedKey": False, "KmsKeyId": key}
    assert read["PubliclyAccessible"] is False
    assert read["StorageType"] == "EBS"
    assert read["SubnetIds"] == network.subnets
    assert read["Tags"] == {"owner": "platform"}
    assert read.get("Users", []) == []
    instance = read["BrokerInstances"][0]
    assert instance["Endpoints"] == [f"amqps://{broker}.mq.us-east-1.on.aws:5671"]
    assert instance["ConsoleURL"] == f"https://{broker}.mq.us-east-1.on.aws"


def test_changes_wait_for_a_reboot(mq: Any, network: Network) -> None:
    first = mq.create_configuration(Name=unique("c"), EngineType="RABBITMQ", EngineVersion="4.2")["Id"]
    broker = create(mq, network, Configuration={"Id": first, "Revision": 1})
    data = base64.b64encode(b"consumer_timeout = 900000").decode()
    revision = mq.update_configuration(ConfigurationId=first, Data=data, Description="d")["LatestRevision"]
    mq.update_broker(
        BrokerId=broker,
        HostInstanceType="mq.m7g.xlarge",
        Configuration={"Id": first, "Revision": revision["Revision"]},
        Logs={"General": True},
    )
    read = mq.describe_broker(BrokerId=broker)
    assert (read["HostInstanceType"], read["PendingHostInstanceType"]) == ("mq.m7g.large", "mq.m7g.xlarge")
    assert read["Configurations"]["Current"]["Revision"] == 1
    assert read["Configurations"]["Pending"]["Revision"] == 2
    assert read["Logs"]["Pending"]["General"] is True
    mq.reboot_broker(BrokerId=broker)
    read = mq.describe_broker(BrokerId=broker)
    assert read["HostInstanceType"] == "mq.m7g.xlarge"
    assert "PendingHostInstanceType" not in read
    assert read["Configurations"]["Current"]["Revision"] == 2
    assert "Pending" not in read["Configurations"]
    assert read["Logs"]["General"] is True
    assert (
        mq.describe_configuration_revision(ConfigurationId=first, ConfigurationRevision="2")["Data"] == data
    )


def test_an_update_to_the_same_leaves_nothing_pending(mq: Any, network: Network) -> None:
    broker = create(mq, network)
    mq.update_broker(BrokerId=broker, HostInstanceType="mq.m7g.large", AutoMinorVersionUpgrade=False)
    read = mq.describe_broker(BrokerId=broker)
    assert "PendingHostInstanceType" not in read
    assert read["AutoMinorVersionUpgrade"] is False


def test_a_deleted_broker_leaves_nothing(mq: Any, network: Network, emulator: RunningEmulator) -> None:
    before = emulator.inventory()
    name = unique("broker")
    broker = create(mq, network, BrokerName=name)
    with pytest.raises(ClientError) as error:
        create(mq, network, BrokerName=name)
    assert code(error) == "ConflictException"
    mq.delete_broker(BrokerId=broker)
    assert emulator.inventory() == before
    for operation in (mq.describe_broker, mq.delete_broker, mq.reboot_broker, mq.update_broker):
        with pytest.raises(ClientError) as error:
            operation(BrokerId=broker)
        assert code(error) == "NotFoundException"


def test_a_missing_configuration_is_refused(mq: Any, network: Network) -> None:
    with pytest.raises(ClientError) as error:
        create(mq, network, Configuration={"Id": "c-00", "Revision": 1})
    assert code(error) == "NotFoundException"
    with pytest.raises(ClientError) as error:
        mq.update_configuration(ConfigurationId="c-00", Data="")
    assert code(error) == "NotFoundException"


def test_engines_and_instance_types(mq: Any) -> None:
    engines = mq.describe_broker_engine_types(EngineType="RABBITMQ")["BrokerEngineTypes"]
    assert [v["Name"] for v in engines[0]["EngineVersions"]] == ["3.13", "4.2", "4.3"]
    options = mq.describe_broker_instance_options(HostInstanceType="mq.m7g.large")["BrokerInstanceOptions"]
    assert options[0]["SupportedEngineVersions"] == ["3.13", "4.2", "4.3"]
    assert "CLUSTER_MULTI_AZ" in options[0]["SupportedDeploymentModes"]
    small = mq.describe_broker_instance_options(HostInstanceType="mq.t3.micro")["BrokerInstanceOptions"][0]
    assert small["SupportedEngineVersions"] == ["3.13"]
    assert small["SupportedDeploymentModes"] == ["SINGLE_INSTANCE"]


def test_brokers_and_configurations_in_the_tagging_api(
    mq: Any, network: Network, emulator: RunningEmulator
) -> None:
    team = unique("team")
    broker = mq.describe_broker(BrokerId=create(mq, network, Tags={"owner": team}))["BrokerArn"]
    configuration = mq.create_configuration(
        Name=unique("c"), EngineType="RABBITMQ", EngineVersion="4.2", Tags={"owner": team}
    )["Arn"]
    mq.create_tags(ResourceArn=broker, Tags={"more": "1"})
    mq.delete_tags(ResourceArn=broker, TagKeys=["more"])
    assert mq.list_tags(ResourceArn=broker)["Tags"] == {"owner": team}
    found = emulator.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "owner", "Values": [team]}]
    )
    assert {r["ResourceARN"] for r in found["ResourceTagMappingList"]} == {broker, configuration}
