"""EKS clusters: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/eks_cluster."""

from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import UNKNOWN

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, make_network
from sandbox.tests.plugins.types.eks_fixtures import (
    ADDON,
    CLUSTER,
    NEXT_VERSION,
    VERSION,
    make_role,
    production_cluster,
)
from sandbox.tests.plugins.types.played_engine import PlayedEngine, Refused

pytestmark = pytest.mark.mission_M21


@pytest.fixture(scope="module")
def eks(emulator: RunningEmulator) -> Any:
    return emulator.client("eks")


@pytest.fixture(scope="module")
def role(emulator: RunningEmulator) -> str:
    return make_role(emulator, "eks.amazonaws.com")


@pytest.fixture
def program(role: str, network: Network, key: str) -> dict[str, Any]:
    return production_cluster(role, network, key)


def test_a_cluster_settles_and_tells_what_others_need(
    engine: PlayedEngine, eks: Any, network: Network, program: dict[str, Any]
) -> None:
    cluster = engine.resource(CLUSTER, "core").create(program)
    cluster.assert_settled(program)
    assert cluster.output("name").startswith("core-")
    assert cluster.output("endpoint").startswith("https://")
    assert cluster.output("certificateAuthority")["data"]
    assert cluster.output("identities")[0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.")
    network_config = cluster.output("vpcConfig")
    assert network_config["clusterSecurityGroupId"].startswith("sg-")
    assert network_config["vpcId"] == network.vpc
    assert cluster.output("version") == VERSION
    asked = eks.describe_cluster(name=cluster.id)["cluster"]
    assert asked["accessConfig"]["authenticationMode"] == "API"
    assert asked["tags"] == {"Name": "core"}
    cluster.delete()
    assert not cluster.refresh()


def test_what_only_aws_tells_is_unknown_in_preview_and_refused_as_an_input(
    engine: PlayedEngine, program: dict[str, Any]
) -> None:
    cluster = engine.resource(CLUSTER, "core")
    foreseen = cluster.preview(program)
    assert foreseen["vpcConfig"]["clusterSecurityGroupId"] is UNKNOWN
    assert foreseen["vpcConfig"]["endpointPublicAccess"] is False
    assert foreseen["endpoint"] is UNKNOWN
    own = {**program["vpcConfig"], "clusterSecurityGroupId": "sg-1"}
    with pytest.raises(Refused, match=r"vpcConfig\.clusterSecurityGroupId: is told by AWS"):
        cluster.check({**program, "vpcConfig": own})


def test_each_kind_of_change_is_an_update_of_its_own(
    engine: PlayedEngine, eks: Any, program: dict[str, Any]
) -> None:
    plain = {name: value for name, value in program.items() if name != "encryptionConfig"}
    cluster = engine.resource(CLUSTER, "grows").create(plain)
    opened = {
        **plain["vpcConfig"],
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["192.0.2.0/24"],
        "subnetIds": plain["vpcConfig"]["subnetIds"][:2],
    }
    changed = {
        **program,
        "version": NEXT_VERSION,
        "vpcConfig": opened,
        "enabledClusterLogTypes": ["scheduler"],
        "deletionProtection": True,
        "tags": {"Name": "core", "Tier": "one"},
    }
    differing, replacing = cluster.diff(changed)
    assert differing == {
        "version",
        "vpcConfig",
        "encryptionConfig",
        "enabledClusterLogTypes",
        "deletionProtection",
        "tags",
    }
    assert not replacing
    cluster.update(changed).assert_settled(changed)
    kinds = {
        eks.describe_update(name=cluster.id, updateId=update)["update"]["type"]
        for update in eks.list_updates(name=cluster.id)["updateIds"]
    }
    assert {
        "VersionUpdate",
        "EndpointAccessUpdate",
        "LoggingUpdate",
        "AssociateEncryptionConfig",
        "VpcConfigUpdate",
    } <= kinds
    asked = eks.describe_cluster(name=cluster.id)["cluster"]
    assert asked["version"] == NEXT_VERSION
    assert asked["resourcesVpcConfig"]["publicAccessCidrs"] == ["192.0.2.0/24"]
    assert sorted(asked["resourcesVpcConfig"]["subnetIds"]) == sorted(opened["subnetIds"])
    assert [one["types"] for one in asked["logging"]["clusterLogging"] if one["enabled"]] == [["scheduler"]]
    assert asked["tags"] == changed["tags"]
    with pytest.raises(Refused, match=r"(?i)deletion ?protection"):
        cluster.delete()
    cluster.update({**changed, "deletionProtection": False}).delete()


def test_logs_that_the_program_stops_naming_end(
    engine: PlayedEngine, eks: Any, program: dict[str, Any]
) -> None:
    cluster = engine.resource(CLUSTER, "quiet").create(program)
    silent = {name: value for name, value in program.items() if name != "enabledClusterLogTypes"}
    assert cluster.diff(silent) == ({"enabledClusterLogTypes"}, set())
    cluster.update(silent).assert_settled(silent)
    logging = eks.describe_cluster(name=cluster.id)["cluster"]["logging"]["clusterLogging"]
    assert not any(setup["enabled"] for setup in logging)


def test_drift_by_hand_is_seen(engine: PlayedEngine, eks: Any, program: dict[str, Any]) -> None:
    cluster = engine.resource(CLUSTER, "drifts").create(program)
    eks.update_cluster_config(name=cluster.id, upgradePolicy={"supportType": "EXTENDED"})
    assert cluster.refresh()
    assert cluster.diff(program) == ({"upgradePolicy"}, set())
    cluster.update(program).assert_settled(program)


def test_what_replaces(engine: PlayedEngine, program: dict[str, Any]) -> None:
    addressed = {**program, "kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.96.0.0/16"}}
    cluster = engine.resource(CLUSTER, "replaced").create(addressed)
    changes: list[tuple[dict[str, Any], set[str]]] = [
        ({"encryptionConfig": None}, {"encryptionConfig"}),
        ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.100.0.0/16"}}, {"kubernetesNetworkConfig"}),
        ({"accessConfig": {**program["accessConfig"], "authenticationMode": "API_AND_CONFIG_MAP"}}, set()),
        ({"upgradePolicy": None}, set()),
        ({"version": None}, set()),
    ]
    for change, replaced in changes:
        assert cluster.diff({**addressed, **change})[1] == replaced, change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"computeConfig": {"enabled": True}}, "computeConfig: the sandbox does not implement it: EKS Auto"),
        ({"vpcConfig": {"subnetIds": ["subnet-1"], "endpointPublicAccess": False}}, "no one could reach"),
        (
            {"accessConfig": {"authenticationMode": "api"}},
            "accessConfig.authenticationMode: 'api' is not one",
        ),
        (
            {"enabledClusterLogTypes": ["apiserver"]},
            "enabledClusterLogTypes[0]: 'apiserver' is not one of api, audit",
        ),
        ({"name": "a_b" * 40}, "name: "),
    ],
)
def test_impossible_inputs_are_refused(
    engine: PlayedEngine, program: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        engine.resource(CLUSTER, "core").check({**program, **change})
    assert reason in str(refused.value)


def test_functions(engine: PlayedEngine, emulator: RunningEmulator, program: dict[str, Any]) -> None:
    cluster = engine.resource(CLUSTER, "asked").create(program)
    told = engine.invoke("aws:eks/getCluster:getCluster", name=cluster.id)
    assert told["arn"] == cluster.output("arn")
    assert told["vpcConfig"]["clusterSecurityGroupId"]
    assert set(told["enabledClusterLogTypes"]) == {"api", "audit"}
    assert told["certificateAuthorities"][0]["data"]
    versions = {
        recent: engine.invoke(
            "aws:eks/getAddonVersion:getAddonVersion",
            addonName="coredns",
            kubernetesVersion=VERSION,
            mostRecent=recent,
        )["version"]
        for recent in (True, False)
    }
    assert all(version.startswith("v1.") for version in versions.values())
    with pytest.raises(Refused, match="nothing"):
        engine.invoke(
            "aws:eks/getAddonVersion:getAddonVersion", addonName="nothing", kubernetesVersion=VERSION
        )
    west = engine.invoke("aws:index/getRegion:getRegion", region="us-west-2")
    assert west["name"] == west["region"] == "us-west-2"
    emulator.client("ssm").put_parameter(Name="/shop/image", Value="ami-1", Type="String")
    parameter = engine.invoke("aws:ssm/getParameter:getParameter", name="/shop/image")
    assert parameter["insecureValue"] == "ami-1"
    assert repr(parameter["value"]) == "Secret(…)"
    with pytest.raises(Refused, match="no parameter '/shop/none'"):
        engine.invoke("aws:ssm/getParameter:getParameter", name="/shop/none")


def test_a_cluster_of_the_other_region(engine: PlayedEngine, emulator: RunningEmulator, role: str) -> None:
    west = make_network(emulator, region="us-west-2")
    program = {"roleArn": role, "region": "us-west-2", "vpcConfig": {"subnetIds": west.subnets}}
    cluster = engine.resource(CLUSTER, "west").create(program)
    assert ":us-west-2:" in cluster.output("arn")
    addon = {"clusterName": cluster.id, "addonName": "coredns", "region": "us-west-2"}
    coredns = engine.resource(ADDON, "coredns").create(addon)
    assert coredns.refresh()
    assert coredns.diff(addon) == (set(), set())
