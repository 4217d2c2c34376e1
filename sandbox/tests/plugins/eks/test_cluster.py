"""`pulumi_eks` on the real engine, with the sandbox's plugins."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.plugins.eks.engine import Engine, make_engine

pytestmark = [pytest.mark.mission_M21, pytest.mark.timeout(600)]
COMPONENT = "eks:index:Cluster"
PRODUCTION = """
key = aws.kms.Key("key", opts=explicit)
cluster = eks.Cluster(
    "core",
    **{**smallest, "version": VERSION},
    endpoint_private_access=True,
    endpoint_public_access=False,
    encryption_config_key_arn=key.arn,
    enabled_cluster_log_types=["api", "audit"],
    vpc_cni_options=eks.VpcCniOptionsArgs(enable_prefix_delegation=True),
    coredns_addon_options=eks.CoreDnsAddonOptionsArgs(enabled=True),
    access_entries={
        "platform": eks.AccessEntryArgs(
            principal_arn=admin.arn,
            kubernetes_groups=["cloudcommerce:platform"],
            access_policies={
                "admin": eks.AccessPolicyAssociationArgs(
                    policy_arn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                    access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
                )
            },
        )
    },
    tags={"Owner": "platform"},
    cluster_tags={"Name": "core"},
    opts=pulumi.ResourceOptions(provider=provider, protect=PROTECT),
)
eks.Addon("snapshots", cluster=cluster, addon_name="snapshot-controller", opts=explicit)
pulumi.export("kubeconfig", cluster.kubeconfig_json)
pulumi.export("scoped", cluster.get_kubeconfig(role_arn=admin.arn))
pulumi.export("group", cluster.cluster_security_group_id)
pulumi.export("issuer", cluster.oidc_issuer)
pulumi.export("name", cluster.eks_cluster.name)
pulumi.export("core_arn", cluster.core.cluster.arn)
"""
ENTRY = f"{COMPONENT}$aws:eks/accessEntry:AccessEntry"
CHILDREN = {
    f"{COMPONENT}::core",
    f"{COMPONENT}$eks:index:ServiceRole::core-eksRole",
    f"{COMPONENT}$eks:index:ServiceRole$aws:iam/role:Role::core-eksRole-role",
    # The hash is of the policy's ARN, as in the official plugin's state.
    f"{COMPONENT}$eks:index:ServiceRole$aws:iam/rolePolicyAttachment:RolePolicyAttachment::core-eksRole-4b490823",
    f"{COMPONENT}$aws:eks/cluster:Cluster::core-eksCluster",
    f"{COMPONENT}$aws:eks/addon:Addon::core-kube-proxy",
    f"{COMPONENT}$pulumi:providers:kubernetes::core-eks-k8s",
    f"{ENTRY}::core-platform",
    f"{ENTRY}$aws:eks/accessPolicyAssociation:AccessPolicyAssociation::core-platform-admin",
    f"{COMPONENT}$eks:index:VpcCniAddon::core-vpc-cni",
    f"{COMPONENT}$eks:index:VpcCniAddon$aws:eks/addon:Addon::core-vpc-cni",
    f"{COMPONENT}$aws:eks/addon:Addon::core-coredns",
    f"{COMPONENT}$eks:index:Addon::snapshots",
    f"{COMPONENT}$eks:index:Addon$aws:eks/addon:Addon::snapshots",
}
CONTROL_PLANE = f"{COMPONENT}$aws:eks/cluster:Cluster::core-eksCluster"


def _production(version: str = "1.34", *, protect: bool = False) -> str:
    return f"VERSION, PROTECT = {version!r}, {protect}\n{PRODUCTION}"


@pytest.fixture
def engine(tmp_path: Path, pulumi: Path, emulator: RunningEmulator) -> Engine:
    return make_engine(tmp_path, pulumi, emulator.url)


def test_a_cluster_lives_through_the_engine(engine: Engine, emulator: RunningEmulator) -> None:
    eks: Any = emulator.client("eks")
    engine.program(_production())
    wanted = engine.preview()
    assert {urn for urn in wanted if urn.startswith(COMPONENT)} == CHILDREN
    # What is not yet known is no reason to leave out what is.
    assert wanted[CONTROL_PLANE]["version"] == "1.34"
    assert wanted[CONTROL_PLANE]["vpcConfig"]["endpointPublicAccess"] is False
    assert eks.list_clusters()["clusters"] == []

    engine.up()
    resources = engine.resources()
    assert {urn for urn in resources if urn.startswith(COMPONENT)} == CHILDREN
    children = [record for urn, record in resources.items() if urn in CHILDREN and record["custom"]]
    explicit = resources["pulumi:providers:aws::aws"]
    of_aws = [record for record in children if record["type"].startswith("aws:")]
    assert {record["provider"] for record in of_aws} == {f"{explicit['urn']}::{explicit['id']}"}
    outputs = engine.outputs()
    found = eks.describe_cluster(name=outputs["name"])["cluster"]
    assert found["tags"] == {"Name": "core", "Owner": "platform"}
    assert outputs["core_arn"] == found["arn"]
    assert outputs["group"] == found["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert f"https://{outputs['issuer']}" == found["identity"]["oidc"]["issuer"]
    kubeconfig = json.loads(outputs["kubeconfig"])
    assert kubeconfig["clusters"][0]["cluster"] == {
        "server": found["endpoint"],
        "certificate-authority-data": found["certificateAuthority"]["data"],
    }
    command = json.loads(outputs["scoped"])["users"][0]["user"]["exec"]
    assert command["args"][-2] == "--role"
    assert ":role/admin-" in command["args"][-1]

    assert set(engine.up()) == {"same"}
    assert set(engine.refresh()) == {"same"}

    engine.program(_production("1.35"))
    engine.up()
    assert eks.describe_cluster(name=outputs["name"])["cluster"]["version"] == "1.35"
    assert set(engine.up()) == {"same"}

    engine.program(_production("1.35", protect=True))
    engine.up()
    protected = {urn for urn, record in engine.resources().items() if record.get("protect")}
    assert CONTROL_PLANE in protected, "what the component is told holds for its children"
    refused = engine.run("destroy", "--yes", "--skip-preview")
    assert refused.returncode != 0
    engine.program(_production("1.35"))
    engine.up()
    engine.destroy()
    assert eks.list_clusters()["clusters"] == []


def test_security_groups_and_an_instance_role_are_made_when_asked_for(engine: Engine) -> None:
    engine.program(
        """
asked = {**smallest, "skip_default_security_groups": False, "create_instance_role": True}
cluster = eks.Cluster("wide", **asked, use_default_vpc_cni=True, opts=explicit)
pulumi.export("groups", [cluster.cluster_security_group_id, cluster.node_security_group_id])
"""
    )
    engine.up()
    names = {urn.rpartition("::")[2] for urn in engine.resources() if urn.startswith(f"{COMPONENT}$")}
    assert {
        "wide-eksClusterSecurityGroup",
        "wide-eksClusterInternetEgressRule",
        "wide-nodeSecurityGroup",
        "wide-eksNodeIngressRule",
        "wide-eksNodeClusterIngressRule",
        "wide-eksExtApiServerClusterIngressRule",
        "wide-eksNodeInternetEgressRule",
        "wide-eksClusterIngressRule",
        "wide-instanceRole-role",
        "wide-instanceProfile",
        "wide-defaultNodeGroupInstanceRole",
    } <= names
    assert "wide-vpc-cni" not in names
    assert len(set(engine.outputs()["groups"])) == 2
    assert set(engine.up()) == {"same"}
    engine.destroy()


def test_what_is_not_implemented_is_refused_by_its_path_before_anything_is_made(engine: Engine) -> None:
    engine.program('eks.Cluster("core", **{**smallest, "fargate": True, "proxy": "http://a"}, opts=explicit)')
    done = engine.run("preview")
    assert done.returncode != 0
    assert "fargate" in done.stdout
    assert "the sandbox does not implement it: Fargate: use aws.eks.NodeGroup" in done.stdout
    assert "proxy" in done.stdout


def test_other_components_are_refused_by_name(engine: Engine) -> None:
    engine.program(
        """
cluster = eks.Cluster("core", **smallest, opts=explicit)
eks.ManagedNodeGroup("nodes", cluster=cluster, node_role_arn=admin.arn, opts=explicit)
"""
    )
    done = engine.run("preview")
    assert done.returncode != 0
    assert "does not implement eks:index:ManagedNodeGroup" in done.stdout


def test_a_killed_plugin_loses_nothing(engine: Engine, emulator: RunningEmulator) -> None:
    engine.program(_production())
    process = subprocess.Popen(
        engine.command("up", "--yes", "--skip-preview"),
        cwd=engine.layout.checkout,
        env=engine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eks: Any = emulator.client("eks")
    deadline = time.monotonic() + 60
    while not eks.list_clusters()["clusters"]:
        assert time.monotonic() < deadline, "no cluster in 60 s"
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(_plugin_of(process.pid), signal.SIGKILL)
    assert process.wait(120) != 0
    engine.up()
    assert {urn for urn in engine.resources() if urn.startswith(COMPONENT)} == CHILDREN
    assert len(eks.list_clusters()["clusters"]) == 1
    assert set(engine.up()) == {"same"}
    engine.destroy()


def _plugin_of(engine: int) -> int:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
        if parent == engine and b"cloudcommerce_sandbox.plugins.eks" in command:
            return int(entry.name)
    pytest.fail("the engine has no eks plugin")
