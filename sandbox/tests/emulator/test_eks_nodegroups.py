import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloudcommerce_sandbox.emulator.extensions.eks.configuration import max_pods, reserved_memory_mib

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.kubernetes import NODE_CONFIG, Account, multipart
from sandbox.tests.emulator.network import make_network, unique

pytestmark = [pytest.mark.mission_M21, pytest.mark.mission_M39]


@pytest.fixture(scope="module")
def account(emulator: RunningEmulator) -> Account:
    return Account(emulator, make_network(emulator))


@pytest.fixture(scope="module")
def cluster(account: Account) -> str:
    return account.cluster()


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def running(account: Account, cluster: str, name: str) -> list[dict[str, Any]]:
    filters = [
        {"Name": "tag:eks:cluster-name", "Values": [cluster]},
        {"Name": "tag:eks:nodegroup-name", "Values": [name]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    reservations = account.ec2.describe_instances(Filters=filters)["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def test_a_node_group_reads_back(account: Account, cluster: str) -> None:
    labels = {"pool": "main"}
    taints = [{"key": "spot", "value": "true", "effect": "NO_SCHEDULE"}]
    name = account.nodegroup(
        cluster,
        labels=labels,
        taints=taints,
        tags={"owner": "platform"},
        updateConfig={"maxUnavailablePercentage": 25},
        nodeRepairConfig={"enabled": True},
        diskSize=30,
    )
    read = account.describe_nodegroup(cluster, name)
    assert read["status"] == "ACTIVE"
    assert read["scalingConfig"] == {"minSize": 1, "maxSize": 6, "desiredSize": 3}
    assert (read["labels"], read["taints"], read["tags"]) == (labels, taints, {"owner": "platform"})
    assert read["updateConfig"] == {"maxUnavailablePercentage": 25}
    assert read["nodeRepairConfig"] == {"enabled": True}
    assert (read["amiType"], read["capacityType"]) == ("AL2023_x86_64_STANDARD", "ON_DEMAND")
    assert (read["version"], read["diskSize"], read["instanceTypes"]) == ("1.35", 30, ["t3.medium"])
    assert read["releaseVersion"].startswith("1.35.")
    assert "remoteAccess" not in read
    assert "launchTemplate" not in read
    document = account.document_of(cluster, name)
    assert (document["rootVolumeGiB"], document["maxPods"]) == (30, None)
    assert (document["labels"], document["taints"]) == (labels, taints)


def test_nodes_are_instances_spread_over_the_zones(account: Account, cluster: str) -> None:
    name = account.nodegroup(cluster, scalingConfig={"minSize": 1, "maxSize": 6, "desiredSize": 5})
    instances = running(account, cluster, name)
    zones = [instance["Placement"]["AvailabilityZone"] for instance in instances]
    assert sorted(zones.count(f"us-east-1{letter}") for letter in "abc") == [1, 2, 2]
    assert len({instance["PrivateIpAddress"] for instance in instances}) == 5
    security_group = account.eks.describe_cluster(name=cluster)["cluster"]["resourcesVpcConfig"][
        "clusterSecurityGroupId"
    ]
    for instance in instances:
        assert [group["GroupId"] for group in instance["SecurityGroups"]] == [security_group]
    shown = {instance["id"]: instance for instance in account.document_of(cluster, name)["instances"]}
    for instance in instances:
        document = shown[instance["InstanceId"]]
        assert document["zone"] == instance["Placement"]["AvailabilityZone"]
        assert document["zoneId"].startswith("use1-az")
        assert document["subnetId"] == instance["SubnetId"]
        assert document["privateIp"] == instance["PrivateIpAddress"]
        assert document["privateDnsName"] == instance["PrivateDnsName"]
        assert (document["type"], document["vcpus"], document["memoryMiB"]) == ("t3.medium", 2, 4096)
        assert document["architecture"] == "x86_64"


def test_spot_nodes_are_of_several_types(account: Account, cluster: str) -> None:
    types = ["t3.medium", "t3a.medium", "m5.large", "m5a.large", "m6i.large", "m6a.large"]
    sizes = {"minSize": 0, "maxSize": 6, "desiredSize": 6}
    name = account.nodegroup(cluster, capacityType="SPOT", instanceTypes=types, scalingConfig=sizes)
    instances = running(account, cluster, name)
    assert sorted(instance["InstanceType"] for instance in instances) == sorted(types)
    assert {instance["InstanceLifecycle"] for instance in instances} == {"spot"}
    document = account.document_of(cluster, name)
    assert document["capacityType"] == "SPOT"
    assert {i["memoryMiB"] for i in document["instances"]} == {4096, 8192}
    group = account.autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[account.scaling_group(cluster, name)]
    )["AutoScalingGroups"][0]
    overrides = group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]
    assert [override["InstanceType"] for override in overrides] == types


def test_nodes_are_launched_by_the_launch_template(account: Account, cluster: str) -> None:
    device = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50, "VolumeType": "gp3", "Encrypted": True}}
    template = account.template(
        UserData=multipart(NODE_CONFIG),
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        BlockDeviceMappings=[device],
        SecurityGroupIds=[account.network.security_group],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]},
            {"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "root"}]},
        ],
    )
    name = account.nodegroup(cluster, launchTemplate={"id": template})
    read = account.describe_nodegroup(cluster, name)
    assert (read["launchTemplate"]["id"], read["launchTemplate"]["version"]) == (template, "1")
    assert "diskSize" not in read
    instance = running(account, cluster, name)[0]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags["Name"] == "node"
    assert tags["eks:nodegroup-name"] == name
    assert tags[f"kubernetes.io/cluster/{cluster}"] == "owned"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [account.network.security_group]
    volume_id = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    volume = account.ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (50, "gp3", True)
    assert {"Key": "Name", "Value": "root"} in volume["Tags"]
    document = account.document_of(cluster, name)
    assert (document["rootVolumeGiB"], document["maxPods"], document["reservedMemoryMiB"]) == (50, 58, 893)
    assert (
        refused(account.ec2.delete_security_group, GroupId=account.network.security_group)
        == "DependencyViolation"
    )


def test_scaling_a_node_group_that_is_not_there_says_so(account: Account, cluster: str) -> None:
    absent = {"clusterName": cluster, "nodegroupName": "absent", "scalingConfig": {"desiredSize": 3}}

    assert refused(account.eks.update_nodegroup_config, **absent) == "ResourceNotFoundException"


def test_nodes_follow_each_way_of_scaling(account: Account, cluster: str) -> None:
    name = account.nodegroup(cluster)
    first = account.instance_ids(cluster, name)
    group = account.scaling_group(cluster, name)
    account.eks.update_nodegroup_config(
        clusterName=cluster, nodegroupName=name, scalingConfig={"minSize": 1, "maxSize": 8, "desiredSize": 5}
    )
    grown = account.instance_ids(cluster, name)
    assert (len(grown), first < grown) == (5, True)
    account.autoscaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=7)
    assert len(account.instance_ids(cluster, name)) == 7
    assert account.describe_nodegroup(cluster, name)["scalingConfig"]["desiredSize"] == 7
    account.autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, DesiredCapacity=3)
    shrunk = account.document_of(cluster, name)["instances"]
    assert {instance["zone"] for instance in shrunk} == {f"us-east-1{letter}" for letter in "abc"}
    victim = shrunk[0]["id"]
    account.ec2.terminate_instances(InstanceIds=[victim])
    replaced = account.instance_ids(cluster, name)
    assert len(replaced) == 3
    assert victim not in replaced
    assert {i["InstanceId"] for i in running(account, cluster, name)} == replaced
    last = replaced.pop()
    account.autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=last, ShouldDecrementDesiredCapacity=True
    )
    assert account.instance_ids(cluster, name) == replaced
    assert account.describe_nodegroup(cluster, name)["scalingConfig"]["desiredSize"] == 2
    too_many = {"AutoScalingGroupName": group, "DesiredCapacity": 9}
    assert refused(account.autoscaling.set_desired_capacity, **too_many) == "ValidationError"
    assert account.instance_ids(cluster, name) == replaced


def test_a_deleted_node_group_leaves_nothing(account: Account) -> None:
    cluster = account.cluster()
    account.nodegroup(cluster)  # the nodes' access entry and image are there from now on
    before = account.emulator.inventory()
    name = account.nodegroup(cluster)
    group = account.scaling_group(cluster, name)
    kinds = {item[:2] for item in account.emulator.inventory() - before}
    assert kinds == {("eks", "node-group"), ("autoscaling", "group"), ("ec2", "instance"), ("ec2", "volume")}
    assert refused(account.eks.delete_cluster, name=cluster) == "ResourceInUseException"
    account.eks.delete_nodegroup(clusterName=cluster, nodegroupName=name)
    assert account.emulator.inventory() == before
    found = account.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    assert found["AutoScalingGroups"] == []
    gone = {"clusterName": cluster, "nodegroupName": name}
    for operation in (account.eks.describe_nodegroup, account.eks.delete_nodegroup):
        assert refused(operation, **gone) == "ResourceNotFoundException"
    names = account.ec2.describe_launch_templates()["LaunchTemplates"]
    assert group not in {template["LaunchTemplateName"] for template in names}


def test_labels_and_taints_change(account: Account, cluster: str) -> None:
    taint = {"key": "a", "value": "1", "effect": "NO_SCHEDULE"}
    name = account.nodegroup(cluster, labels={"a": "1", "b": "2"}, taints=[taint])
    other = {"key": "b", "value": "2", "effect": "NO_EXECUTE"}
    update = account.eks.update_nodegroup_config(
        clusterName=cluster,
        nodegroupName=name,
        labels={"addOrUpdateLabels": {"c": "3"}, "removeLabels": ["a"]},
        taints={"addOrUpdateTaints": [{**taint, "value": "2"}, other]},
        updateConfig={"maxUnavailable": 2},
    )["update"]
    assert (update["type"], {p["type"] for p in update["params"]} >= {"LabelsToAdd", "TaintsToAdd"}) == (
        "ConfigUpdate",
        True,
    )
    read = account.describe_nodegroup(cluster, name)
    assert read["labels"] == {"b": "2", "c": "3"}
    assert read["taints"] == [{**taint, "value": "2"}, other]
    assert read["updateConfig"] == {"maxUnavailable": 2}
    account.eks.update_nodegroup_config(
        clusterName=cluster, nodegroupName=name, taints={"removeTaints": [other]}
    )
    assert account.describe_nodegroup(cluster, name)["taints"] == [{**taint, "value": "2"}]
    listed = account.eks.list_updates(name=cluster, nodegroupName=name)["updateIds"]
    assert update["id"] in listed
    described = account.eks.describe_update(name=cluster, nodegroupName=name, updateId=update["id"])
    assert described["update"]["status"] == "Successful"


def test_a_new_launch_template_version_replaces_the_nodes(account: Account, cluster: str) -> None:
    template = account.template(UserData=multipart(NODE_CONFIG))
    name = account.nodegroup(cluster, launchTemplate={"id": template, "version": "1"})
    old = account.instance_ids(cluster, name)
    more = {**NODE_CONFIG, "spec": {"kubelet": {"config": {"maxPods": 40}}}}
    account.ec2.create_launch_template_version(
        LaunchTemplateId=template, LaunchTemplateData={"UserData": multipart(more)}
    )
    update = account.eks.update_nodegroup_version(
        clusterName=cluster, nodegroupName=name, launchTemplate={"id": template, "version": "2"}
    )["update"]
    assert update["type"] == "VersionUpdate"
    assert not old & account.instance_ids(cluster, name)
    assert len(running(account, cluster, name)) == 3
    assert account.document_of(cluster, name)["maxPods"] == 40
    another = {"id": account.template(), "version": "1"}
    arguments = {"clusterName": cluster, "nodegroupName": name, "launchTemplate": another}
    assert refused(account.eks.update_nodegroup_version, **arguments) == "InvalidParameterException"


def test_nodes_follow_the_control_planes_version(account: Account) -> None:
    cluster = account.cluster(version="1.34")
    name = account.nodegroup(cluster)
    ahead = {"clusterName": cluster, "nodegroupName": name, "version": "1.35"}
    assert refused(account.eks.update_nodegroup_version, **ahead) == "InvalidParameterException"
    account.eks.update_cluster_version(name=cluster, version="1.35")
    assert account.describe_nodegroup(cluster, name)["version"] == "1.34"
    account.eks.update_nodegroup_version(clusterName=cluster, nodegroupName=name)
    assert account.describe_nodegroup(cluster, name)["version"] == "1.35"
    back = {"clusterName": cluster, "nodegroupName": name, "version": "1.34"}
    assert refused(account.eks.update_nodegroup_version, **back) == "InvalidParameterException"


def test_old_nodes_hold_the_control_plane_back(account: Account) -> None:
    cluster = account.cluster(version="1.32")
    account.nodegroup(cluster)
    for version in ("1.33", "1.34", "1.35"):
        account.eks.update_cluster_version(name=cluster, version=version)
    ahead = {"name": cluster, "version": "1.36"}
    assert refused(account.eks.update_cluster_version, **ahead) == "InvalidRequestException"


def test_a_deleted_scaling_group_degrades_its_node_group(account: Account, cluster: str) -> None:
    name = account.nodegroup(cluster)
    group = account.scaling_group(cluster, name)
    account.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=group, ForceDelete=True)
    read = account.describe_nodegroup(cluster, name)
    assert read["status"] == "DEGRADED"
    assert read["health"]["issues"][0]["code"] == "AutoScalingGroupNotFound"
    assert account.instance_ids(cluster, name) == set()
    account.eks.delete_nodegroup(clusterName=cluster, nodegroupName=name)


def test_node_groups_that_eks_refuses(account: Account, cluster: str, emulator: RunningEmulator) -> None:
    plain = base64.b64encode(b"kind: NodeConfig").decode()
    bad_pods = {**NODE_CONFIG, "spec": {"kubelet": {"config": {"maxPods": "many"}}}}
    bad_reserve = {**NODE_CONFIG, "spec": {"kubelet": {"config": {"kubeReserved": {"memory": "much"}}}}}
    templates = {
        "profile": account.template(IamInstanceProfile={"Name": "x"}),
        "subnet": account.template(
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": account.network.subnets[0]}]
        ),
        "spot": account.template(InstanceMarketOptions={"MarketType": "spot"}),
        "hibernation": account.template(HibernationOptions={"Configured": True}),
        "plain": account.template(UserData=plain),
        "pods": account.template(UserData=multipart(bad_pods)),
        "reserve": account.template(UserData=multipart(bad_reserve)),
    }
    good = {"id": account.template()}
    typed = {"id": account.template(InstanceType="t3.large")}
    custom = {"id": account.template(ImageId="ami-03cf127a")}
    no_schedule = {"key": "a", "value": "b", "effect": "NO_SCHEDULE"}
    cases: list[dict[str, Any]] = [
        {"nodegroupName": "x" * 64},
        {"nodeRole": account.cluster_role},
        {"subnets": ["subnet-0"]},
        {"subnets": make_network(emulator).subnets},
        {"scalingConfig": {"minSize": 3, "maxSize": 4, "desiredSize": 2}},
        {"scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 3}},
        {"instanceTypes": ["t99.huge"]},
        {"instanceTypes": ["m8g.large"]},
        {"instanceTypes": ["t3.medium"], "amiType": "AL2023_ARM_64_STANDARD"},
        {"amiType": "DEBIAN"},
        {"capacityType": "FREE"},
        {"version": "1.34"},
        {"taints": [{**no_schedule, "effect": "NoSchedule"}]},
        {"taints": [no_schedule, no_schedule]},
        {"taints": [{"effect": "NO_SCHEDULE"}]},
        {"labels": {"kubernetes.io/role": "x"}},
        {"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 10}},
        {"updateConfig": {"maxUnavailablePercentage": 101}},
        {"launchTemplate": {"id": "lt-0"}},
        {"launchTemplate": {**good, "version": "7"}},
        {"launchTemplate": good, "diskSize": 20},
        {"launchTemplate": good, "remoteAccess": {"ec2SshKey": "x"}},
        {"launchTemplate": typed, "instanceTypes": ["t3.medium"]},
        {"launchTemplate": custom, "version": "1.35"},
        *({"launchTemplate": {"id": template}} for template in templates.values()),
    ]
    before = emulator.inventory()
    for case in cases:
        arguments = account.nodegroup_arguments(cluster, **case)
        assert refused(account.eks.create_nodegroup, **arguments) == "InvalidParameterException", case
    absent = account.nodegroup_arguments(cluster, nodeRole="arn:aws:iam::123456789012:role/absent")
    assert refused(account.eks.create_nodegroup, **absent) == "InvalidRequestException"
    nowhere = account.nodegroup_arguments("absent")
    assert refused(account.eks.create_nodegroup, **nowhere) == "ResourceNotFoundException"
    assert emulator.inventory() == before
    name = account.nodegroup(cluster)
    again = account.nodegroup_arguments(cluster, nodegroupName=name)
    assert refused(account.eks.create_nodegroup, **again) == "ResourceInUseException"


def test_arm_nodes_and_one_spot_type_are_fine(account: Account, cluster: str) -> None:
    name = account.nodegroup(
        cluster, amiType="AL2023_ARM_64_STANDARD", capacityType="SPOT", instanceTypes=["m8g.large"]
    )
    architectures = {i["architecture"] for i in account.document_of(cluster, name)["instances"]}
    assert architectures == {"arm64"}


@pytest.mark.parametrize(
    ("text", "pods"),
    [
        ("apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {kubelet: {config: {maxPods: 29}}}", 29),
        ("kind: NodeConfig\nspec: {kubelet: {flags: ['--max-pods=17']}}", 17),
        ("[settings.kubernetes]\nmax-pods = 42", 42),
        ("#!/bin/bash\necho maxPods: 1", None),
        ("kind: NodeConfig", None),
        ("", None),
    ],
)
def test_user_data_says_how_many_pods(text: str, pods: int | None) -> None:
    assert max_pods(base64.b64encode(text.encode()).decode()) == pods


@pytest.mark.parametrize(
    ("amount", "mib"), [("585Mi", 585), ("1Gi", 1024), ("1.5Gi", 1536), ("1048576", 1), (None, None)]
)
def test_user_data_says_how_much_memory_is_reserved(amount: str | None, mib: int | None) -> None:
    reserved = {} if amount is None else {"kubeReserved": {"memory": amount}}
    config = {"kind": "NodeConfig", "spec": {"kubelet": {"config": reserved}}}
    assert reserved_memory_mib(base64.b64encode(json.dumps(config).encode()).decode()) == mib


@pytest.mark.parametrize("user_data", ["not base64!", base64.b64encode(b"\xff" * 9).decode()[:-1]])
def test_user_data_that_is_not_base64(user_data: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        max_pods(user_data)


def test_hostile_user_data_is_refused_or_says_nothing(account: Account, cluster: str) -> None:
    for text in ("[" * 20_000, "a: &a [*a]", "\x00" * 100, "spec: " * 1000):
        template = account.template(UserData=base64.b64encode(text.encode()).decode())
        arguments = account.nodegroup_arguments(cluster, launchTemplate={"id": template})
        assert refused(account.eks.create_nodegroup, **arguments) == "InvalidParameterException"


def test_names_are_free_again(account: Account, cluster: str) -> None:
    name = unique("again")
    for _ in range(2):
        account.nodegroup(cluster, nodegroupName=name)
        account.eks.delete_nodegroup(clusterName=cluster, nodegroupName=name)
