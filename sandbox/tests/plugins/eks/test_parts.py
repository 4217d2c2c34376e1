"""The parts of the eks plugin that need no engine."""

import json
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.eks import checks, cni_settings, kubeconfig
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, decode
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

SMALLEST: dict[str, Any] = {
    "authenticationMode": "API",
    "vpcId": UNKNOWN,
    "privateSubnetIds": UNKNOWN,
    "skipDefaultNodeGroup": True,
}


def _refused(**inputs: Any) -> dict[str, str]:
    found = checks.failures(checks.CLUSTER, {**SMALLEST, **inputs})
    return {failure.path: failure.reason for failure in found}


def test_what_is_asked_for_in_production_is_let_through() -> None:
    assert _refused(encryptionConfigKeyArn=Secret(UNKNOWN), endpointPublicAccess=UNKNOWN) == {}
    assert _refused(storageClasses="gp3", fargate=False, vpcCniOptions={"enablePrefixDelegation": True}) == {}


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"skipDefaultNodegroup": True}, "skipDefaultNodegroup", "did you mean skipDefaultNodeGroup?"),
        ({"version": 1.35}, "version", "must be a string, got a number"),
        ({"skipDefaultNodeGroup": None}, "skipDefaultNodeGroup", "must be true"),
        ({"authenticationMode": None}, "authenticationMode", "must be API"),
        ({"fargate": {"selectors": []}}, "fargate", "Fargate"),
        ({"createOidcProvider": True}, "createOidcProvider", "PodIdentityAssociation"),
        ({"minSize": 2}, "minSize", "aws.eks.NodeGroup"),
        (
            {"roleMappings": [{"groups": [], "roleArn": "a", "username": "u"}]},
            "roleMappings",
            "accessEntries",
        ),
        ({"vpcId": None}, "vpcId", "default VPC"),
        ({"privateSubnetIds": None}, "subnetIds", "is needed"),
        ({"subnetIds": ["subnet-1"]}, "subnetIds", "mutually exclusive"),
        (
            {"vpcCniOptions": {"externalSnat": True, "cniExternalSnat": True}},
            "vpcCniOptions.externalSnat",
            "one",
        ),
        (
            {"vpcCniOptions": {"securityContextPrivileged": True}},
            "vpcCniOptions.securityContextPrivileged",
            "patch",
        ),
        ({"accessEntries": {"a": {"groups": []}}}, "accessEntries.a.groups", "is no property"),
        ({"storageClasses": {"a": {"type": 3}}}, "storageClasses.a.type", "must be a string"),
    ],
)
def test_what_can_not_be_is_refused_by_its_path(inputs: dict[str, Any], path: str, reason: str) -> None:
    assert reason in _refused(**inputs)[path]


def test_secret_values_are_not_shown() -> None:
    assert "swordfish" not in str(_refused(version=Secret({"a": "swordfish"})))


def test_values_with_dependencies_are_understood() -> None:
    signature = "4dabf18193072939515e22adb298388d"
    output = {signature: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    struct = struct_pb2.Struct()
    document = {
        "known": {**output, "value": ["a"], "dependencies": ["urn"]},
        "unknown": output,
        "hidden": {**output, "value": "a", "secret": True},
    }
    json_format.ParseDict(document, struct)
    assert decode(struct) == {"known": ["a"], "unknown": UNKNOWN, "hidden": Secret("a")}


def test_the_options_of_the_cni_become_its_configuration() -> None:
    found = cni_settings.configuration(
        {
            "enablePrefixDelegation": True,
            "warmEniTarget": 0,
            "warmIpTarget": 5,
            "enableNetworkPolicy": True,
            "externalSnat": True,
            "configurationValues": {"env": {"WARM_IP_TARGET": "7"}, "init": {"image": {}}, "nodeAgent": {}},
        }
    )
    assert found["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
    assert found["env"]["WARM_ENI_TARGET"] == "0"
    assert found["env"]["WARM_IP_TARGET"] == "7", "the program's own values win"
    assert found["env"]["AWS_VPC_K8S_CNI_EXTERNALSNAT"] == "true"
    assert found["env"]["AWS_VPC_ENI_MTU"] == "9001"
    assert found["enableNetworkPolicy"] == "true"
    assert found["init"] == {"image": {}, "env": {"DISABLE_TCP_EARLY_DEMUX": "false"}}
    assert found["nodeAgent"] == {}


@given(
    st.dictionaries(st.sampled_from(["enablePodEni", "logLevel", "eniMtu"]), st.sampled_from([True, "x", 9]))
)
def test_every_setting_of_the_cni_is_text(options: dict[str, Any]) -> None:
    found = cni_settings.configuration(options)
    assert all(isinstance(value, str) for value in [*found["env"].values(), *found["init"]["env"].values()])


def test_a_kubeconfig_names_who_asks() -> None:
    plain = kubeconfig.kubeconfig("core", "https://a", "Y2E=", "us-east-1")
    assert plain["users"][0]["user"]["exec"]["args"] == [
        *("--region", "us-east-1", "eks", "get-token", "--cluster-name", "core", "--output", "json"),
    ]
    scoped = kubeconfig.kubeconfig("core", "https://a", "Y2E=", "us-east-1", role="arn:r", profile="work")
    assert scoped["users"][0]["user"]["exec"]["args"][-4:] == ["--role", "arn:r", "--profile", "work"]
    assert json.loads(scoped["users"][0]["user"]["exec"]["env"][0]["value"])["apiVersion"].endswith("v1beta1")


@pytest.mark.parametrize("text", ["", "core", "arn:aws", "urn:aws:eks:us-east-1:1:cluster/core"])
def test_what_is_no_arn_has_no_region(text: str) -> None:
    with pytest.raises(ValueError, match="is no ARN"):
        kubeconfig.region_of(text)
