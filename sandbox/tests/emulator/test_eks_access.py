import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.kubernetes import Account, role
from sandbox.tests.emulator.network import make_network, unique

pytestmark = pytest.mark.mission_M21

POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@pytest.fixture(scope="module")
def account(emulator: RunningEmulator) -> Account:
    return Account(emulator, make_network(emulator))


@pytest.fixture(scope="module")
def cluster(account: Account) -> str:
    return account.cluster()


@pytest.fixture
def principal(account: Account) -> str:
    return role(account.emulator, "ec2.amazonaws.com")


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def shown(account: Account, cluster: str, principal: str) -> dict[str, Any]:
    entries = account.document(cluster)["accessEntries"]
    found: dict[str, Any] = next(entry for entry in entries if entry["principalArn"] == principal)
    return found


def pods_role(account: Account) -> str:
    return role(account.emulator, "pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")


def test_an_entry_and_its_policies(account: Account, cluster: str, principal: str) -> None:
    eks, place = account.eks, {"clusterName": cluster, "principalArn": principal}
    created = eks.create_access_entry(**place, kubernetesGroups=["developers"], tags={"a": "b"})[
        "accessEntry"
    ]
    name = principal.rsplit("/", 1)[-1]
    assert created["username"] == f"arn:aws:sts::123456789012:assumed-role/{name}/{{{{SessionName}}}}"
    assert (created["type"], created["kubernetesGroups"], created["tags"]) == (
        "STANDARD",
        ["developers"],
        {"a": "b"},
    )
    scope = {"type": "namespace", "namespaces": ["orders", "users"]}
    eks.associate_access_policy(**place, policyArn=POLICY, accessScope=scope)
    listed = eks.list_associated_access_policies(**place)["associatedAccessPolicies"]
    assert [(p["policyArn"], p["accessScope"]) for p in listed] == [(POLICY, scope)]
    assert shown(account, cluster, principal)["policies"] == [
        {"name": "AmazonEKSViewPolicy", "namespaces": ["orders", "users"]}
    ]
    assert eks.list_access_entries(clusterName=cluster, associatedPolicyArn=POLICY)["accessEntries"] == [
        principal
    ]
    eks.associate_access_policy(**place, policyArn=POLICY, accessScope={"type": "cluster"})
    assert shown(account, cluster, principal)["policies"] == [
        {"name": "AmazonEKSViewPolicy", "namespaces": []}
    ]
    eks.update_access_entry(**place, kubernetesGroups=["auditors"], username="someone")
    assert (shown(account, cluster, principal)["groups"], shown(account, cluster, principal)["username"]) == (
        ["auditors"],
        "someone",
    )
    eks.disassociate_access_policy(**place, policyArn=POLICY)
    again = {**place, "policyArn": POLICY}
    assert refused(eks.disassociate_access_policy, **again) == "ResourceNotFoundException"
    eks.delete_access_entry(**place)
    assert refused(eks.describe_access_entry, **place) == "ResourceNotFoundException"
    assert principal not in eks.list_access_entries(clusterName=cluster)["accessEntries"]


def test_a_role_with_a_path(account: Account, cluster: str) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    arn = account.emulator.client("iam").create_role(
        Path="/team/platform/", RoleName=unique("deep"), AssumeRolePolicyDocument=document
    )["Role"]["Arn"]
    place = {"clusterName": cluster, "principalArn": arn}
    created = account.eks.create_access_entry(**place)["accessEntry"]
    assert (
        created["username"]
        == f"arn:aws:sts::123456789012:assumed-role/{arn.rsplit('/', 1)[-1]}/{{{{SessionName}}}}"
    )
    assert account.eks.describe_access_entry(**place)["accessEntry"]["principalArn"] == arn


def test_creator_and_nodes_get_their_entries(account: Account) -> None:
    caller = "arn:aws:iam::123456789012:user/moto"
    cluster = account.cluster()
    document = account.document(cluster)
    assert (document["creatorArn"], document["creatorIsAdmin"]) == (caller, True)
    admin = shown(account, cluster, caller)
    assert admin["policies"] == [{"name": "AmazonEKSClusterAdminPolicy", "namespaces": []}]
    account.nodegroup(cluster)
    nodes = shown(account, cluster, account.node_role)
    assert (nodes["type"], nodes["username"], nodes["groups"]) == (
        "EC2_LINUX",
        "system:node:{{EC2PrivateDNSName}}",
        ["system:nodes"],
    )
    mode = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    assert account.document(account.cluster(accessConfig=mode))["accessEntries"] == []


def test_the_config_map_mode_has_no_entries(account: Account, principal: str) -> None:
    cluster = account.cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    place = {"clusterName": cluster, "principalArn": principal}
    for operation in (account.eks.create_access_entry, account.eks.describe_access_entry):
        assert refused(operation, **place) == "InvalidRequestException"
    assert refused(account.eks.list_access_entries, clusterName=cluster) == "InvalidRequestException"


def test_access_policies_are_listed(account: Account) -> None:
    policies = account.eks.list_access_policies()["accessPolicies"]
    assert {"name": "AmazonEKSViewPolicy", "arn": POLICY} in policies
    assert len(policies) > 20


def test_entries_that_eks_refuses(account: Account, cluster: str, principal: str) -> None:
    session = "arn:aws:sts::123456789012:assumed-role/x/y"
    absent = "arn:aws:iam::123456789012:role/absent"
    cases: list[dict[str, Any]] = [
        {"principalArn": session},
        {"principalArn": absent},
        {"principalArn": "arn:aws:iam::123456789012:group/g"},
        {"kubernetesGroups": ["system:masters"]},
        {"kubernetesGroups": ["eks:admins"]},
        {"username": "system:admin"},
        {"type": "ADMIN"},
        {"type": "EC2_LINUX", "kubernetesGroups": ["a"]},
    ]
    for case in cases:
        arguments = {"clusterName": cluster, "principalArn": principal, **case}
        assert refused(account.eks.create_access_entry, **arguments) == "InvalidParameterException", case
    place = {"clusterName": cluster, "principalArn": principal}
    account.eks.create_access_entry(**place)
    assert refused(account.eks.create_access_entry, **place) == "ResourceInUseException"
    masters = {**place, "kubernetesGroups": ["system:masters"]}
    assert refused(account.eks.update_access_entry, **masters) == "InvalidParameterException"
    everywhere = {"type": "cluster"}
    policies: list[dict[str, Any]] = [
        {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "accessScope": everywhere},
        {"policyArn": POLICY.replace("View", "Imaginary"), "accessScope": everywhere},
        {"policyArn": POLICY.replace("View", "ClusterInsights"), "accessScope": everywhere},
        {"policyArn": POLICY, "accessScope": {"type": "namespace"}},
        {"policyArn": POLICY, "accessScope": {"type": "cluster", "namespaces": ["a"]}},
    ]
    for case in policies:
        assert refused(account.eks.associate_access_policy, **place, **case) == "InvalidParameterException", (
            case
        )
    nowhere = {**place, "clusterName": "absent"}
    assert refused(account.eks.create_access_entry, **nowhere) == "ResourceNotFoundException"


def test_a_policy_on_nodes_is_refused(account: Account, cluster: str, principal: str) -> None:
    place = {"clusterName": cluster, "principalArn": principal}
    account.eks.create_access_entry(**place, type="EC2_LINUX")
    arguments = {**place, "policyArn": POLICY, "accessScope": {"type": "cluster"}}
    assert refused(account.eks.associate_access_policy, **arguments) == "InvalidParameterException"


def test_pod_identity(account: Account, cluster: str) -> None:
    eks, first, second = account.eks, pods_role(account), pods_role(account)
    account_name = {"clusterName": cluster, "namespace": "orders", "serviceAccount": unique("api")}
    created = eks.create_pod_identity_association(**account_name, roleArn=first)["association"]
    place = {"clusterName": cluster, "associationId": created["associationId"]}
    again = {**account_name, "roleArn": second}
    assert refused(eks.create_pod_identity_association, **again) == "ResourceInUseException"
    eks.update_pod_identity_association(**place, roleArn=second)
    assert eks.describe_pod_identity_association(**place)["association"]["roleArn"] == second
    assert {
        "id": created["associationId"],
        "namespace": "orders",
        "serviceAccount": account_name["serviceAccount"],
        "roleArn": second,
    } in account.document(cluster)["podIdentityAssociations"]
    listed = eks.list_pod_identity_associations(clusterName=cluster, namespace="orders")["associations"]
    assert created["associationId"] in {association["associationId"] for association in listed}
    assert eks.list_pod_identity_associations(clusterName=cluster, namespace="other")["associations"] == []
    untrusting = [
        account.node_role,
        role(account.emulator, "pods.eks.amazonaws.com"),
        "arn:aws:iam::123456789012:role/absent",
    ]
    for arn in untrusting:
        arguments = {**account_name, "serviceAccount": unique("api"), "roleArn": arn}
        assert refused(eks.create_pod_identity_association, **arguments) == "InvalidParameterException"
        assert (
            refused(eks.update_pod_identity_association, **place, roleArn=arn) == "InvalidParameterException"
        )
    eks.delete_pod_identity_association(**place)
    assert refused(eks.describe_pod_identity_association, **place) == "ResourceNotFoundException"
    assert refused(eks.delete_pod_identity_association, **place) == "ResourceNotFoundException"


def test_an_addon_reads_back(account: Account, cluster: str) -> None:
    eks, place = account.eks, {"clusterName": cluster, "addonName": "aws-ebs-csi-driver"}
    pods, values = pods_role(account), '{"controller": {"replicaCount": 2}}'
    eks.create_addon(
        **place,
        addonVersion="v1.64.0-eksbuild.1",
        configurationValues=values,
        resolveConflicts="OVERWRITE",
        podIdentityAssociations=[{"serviceAccount": "ebs-csi-controller-sa", "roleArn": pods}],
    )
    read = eks.describe_addon(**place)["addon"]
    assert (read["status"], read["addonVersion"]) == ("ACTIVE", "v1.64.0-eksbuild.1")
    assert read["configurationValues"] == values
    association = eks.list_pod_identity_associations(clusterName=cluster)["associations"][0]
    assert read["podIdentityAssociations"] == [association["associationArn"]]
    assert association["ownerArn"] == read["addonArn"]
    document = next(a for a in account.document(cluster)["addons"] if a["name"] == "aws-ebs-csi-driver")
    assert document["configuration"] == {"controller": {"replicaCount": 2}}
    assert refused(eks.create_addon, **place) == "ResourceInUseException"
    update = eks.update_addon(**place, addonVersion="v1.66.0-eksbuild.1", configurationValues="a: {b: 1}")[
        "update"
    ]
    described = eks.describe_update(name=cluster, addonName=place["addonName"], updateId=update["id"])[
        "update"
    ]
    assert (described["type"], described["status"]) == ("AddonUpdate", "Successful")
    assert eks.describe_addon(**place)["addon"]["addonVersion"] == "v1.66.0-eksbuild.1"
    eks.delete_addon(**place)
    assert refused(eks.describe_addon, **place) == "ResourceNotFoundException"
    assert eks.list_pod_identity_associations(clusterName=cluster)["associations"] == []
    assert "aws-ebs-csi-driver" not in eks.list_addons(clusterName=cluster)["addons"]


def test_the_default_version_of_an_addon_is_an_offered_one(account: Account) -> None:
    offered = account.eks.describe_addon_versions(kubernetesVersion="1.36")["addons"]
    cluster = account.cluster(version="1.36")
    for kind in offered:
        defaults = [
            version["addonVersion"]
            for version in kind["addonVersions"]
            if any(c["defaultVersion"] for c in version["compatibilities"])
        ]
        created = account.eks.create_addon(clusterName=cluster, addonName=kind["addonName"])["addon"]
        assert [created["addonVersion"]] == defaults
    only = account.eks.describe_addon_versions(addonName="kube-proxy", kubernetesVersion="1.35")["addons"]
    assert all(v["addonVersion"].startswith("v1.35.") for v in only[0]["addonVersions"])


def test_addons_that_eks_refuses(account: Account, cluster: str) -> None:
    proxy = {"addonName": "kube-proxy"}
    cases: list[dict[str, Any]] = [
        {"addonName": "imaginary"},
        {**proxy, "addonVersion": "v1.36.0-eksbuild.14"},
        {**proxy, "addonVersion": "v1.35.0-eksbuild.1"},
        {**proxy, "addonVersion": "latest"},
        {**proxy, "configurationValues": "{"},
        {**proxy, "configurationValues": "[1, 2]"},
        {**proxy, "configurationValues": "[" * 20_000},
        {**proxy, "configurationValues": "since: 2026-01-01"},
        {**proxy, "configurationValues": "much: .nan"},
        {**proxy, "configurationValues": "a: &a [1]\nb: [*a, *a]"},
        {**proxy, "configurationValues": "a: &a [*a]"},
        {**proxy, "serviceAccountRoleArn": "arn:aws:iam::123456789012:role/absent"},
        {**proxy, "podIdentityAssociations": [{"serviceAccount": "a", "roleArn": account.node_role}]},
    ]
    for case in cases:
        assert refused(account.eks.create_addon, clusterName=cluster, **case) == "InvalidParameterException"
    assert "kube-proxy" not in account.eks.list_addons(clusterName=cluster)["addons"]
    later = account.eks.create_addon(clusterName=cluster, **proxy, addonVersion="v1.35.9-eksbuild.1")["addon"]
    assert later["addonVersion"] == "v1.35.9-eksbuild.1"
