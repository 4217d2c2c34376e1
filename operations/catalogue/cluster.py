"""Kinds of the cluster: what the program makes, and what EKS and the cluster's controllers make for it."""

import botocore.exceptions

from operations.catalogue.model import Delete, Detail, Kind, TagCall, Thing, Within, simply
from operations.clients import Clients

CLUSTER_TYPE = "aws:eks/cluster:Cluster"

_IN_EACH_CLUSTER = Within("list_clusters", "clusters", "clusterName")


def _delete_cluster(clients: Clients, thing: Thing) -> None:
    eks = clients.get("eks")
    if thing.item.get("deletionProtection"):
        eks.update_cluster_config(name=thing.id, deletionProtection=False)
    eks.delete_cluster(name=thing.id)


def _of_cluster(operation: str, parameter: str, value: str) -> Delete:
    def delete(clients: Clients, thing: Thing) -> None:
        request = {"clusterName": thing.item["clusterName"], parameter: thing.item[value]}
        getattr(clients.get("eks"), operation)(**request)

    return delete


def _delete_scaling_group(clients: Clients, thing: Thing) -> None:
    try:
        clients.get("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=thing.id, ForceDelete=True)
    except botocore.exceptions.ClientError as error:
        # The service has no code of its own for this; a node group takes its scaling group with it.
        if "not found" not in str(error):
            raise


def _delete_load_balancer(clients: Clients, thing: Thing) -> None:
    elb = clients.get("elbv2")
    off = {"Key": "deletion_protection.enabled", "Value": "false"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=thing.id, Attributes=[off])
    elb.delete_load_balancer(LoadBalancerArn=thing.id)


def _delete_volume(clients: Clients, thing: Thing) -> None:
    """Delete a volume; what was on it stays in a snapshot, which AWS goes on with after the deletion."""
    ec2 = clients.get("ec2")
    listed = [{"Key": key, "Value": value} for key, value in thing.tags.items() if not key.startswith("aws:")]
    specification = [{"ResourceType": "snapshot", "Tags": listed}] if listed else []
    ec2.create_snapshot(VolumeId=thing.id, Description=f"orphan {thing.id}", TagSpecifications=specification)
    ec2.delete_volume(VolumeId=thing.id)


def _delete_instance_profile(clients: Clients, thing: Thing) -> None:
    iam = clients.get("iam")
    for role in thing.item.get("Roles", ()):
        iam.remove_role_from_instance_profile(InstanceProfileName=thing.id, RoleName=role["RoleName"])
    iam.delete_instance_profile(InstanceProfileName=thing.id)


_EKS = (
    Kind(
        resource_type=CLUSTER_TYPE,
        service="eks",
        operation="list_clusters",
        items="clusters[].{name: @}",
        detail=Detail("describe_cluster", "name", "name", "cluster"),
        id="name",
        arn="arn",
        arn_type="eks:cluster",
        name="name",
        name_input="name",
        tags="tags",
        state="status",
        delete=_delete_cluster,
        rank=36,
    ),
    Kind(
        resource_type="aws:eks/nodeGroup:NodeGroup",
        service="eks",
        within=_IN_EACH_CLUSTER,
        operation="list_nodegroups",
        items="nodegroups[].{nodegroupName: @}",
        detail=Detail("describe_nodegroup", "nodegroupName", "nodegroupName", "nodegroup"),
        id="join(':', [clusterName, nodegroupName])",
        id_inputs="{clusterName}:{nodeGroupName}",
        arn="nodegroupArn",
        arn_type="eks:nodegroup",
        tags="tags",
        state="status",
        delete=_of_cluster("delete_nodegroup", "nodegroupName", "nodegroupName"),
        rank=32,
    ),
    Kind(
        resource_type="aws:eks/addon:Addon",
        service="eks",
        within=_IN_EACH_CLUSTER,
        operation="list_addons",
        items="addons[].{addonName: @}",
        detail=Detail("describe_addon", "addonName", "addonName", "addon"),
        id="join(':', [clusterName, addonName])",
        id_inputs="{clusterName}:{addonName}",
        arn="addonArn",
        arn_type="eks:addon",
        tags="tags",
        state="status",
        delete=_of_cluster("delete_addon", "addonName", "addonName"),
        rank=33,
    ),
    Kind(
        resource_type="aws:eks/accessEntry:AccessEntry",
        service="eks",
        within=_IN_EACH_CLUSTER,
        operation="list_access_entries",
        items="accessEntries[].{principalArn: @}",
        detail=Detail("describe_access_entry", "principalArn", "principalArn", "accessEntry"),
        id="join(':', [clusterName, principalArn])",
        id_inputs="{clusterName}:{principalArn}",
        arn="accessEntryArn",
        arn_type="eks:access-entry",
        tags="tags",
        delete=_of_cluster("delete_access_entry", "principalArn", "principalArn"),
        rank=34,
    ),
    Kind(
        resource_type="aws:eks/podIdentityAssociation:PodIdentityAssociation",
        service="eks",
        within=_IN_EACH_CLUSTER,
        operation="list_pod_identity_associations",
        items="associations",
        detail=Detail("describe_pod_identity_association", "associationId", "associationId", "association"),
        id="associationId",
        arn="associationArn",
        arn_type="eks:podidentityassociation",
        tags="tags",
        delete=_of_cluster("delete_pod_identity_association", "associationId", "associationId"),
        rank=34,
    ),
)

_COMPUTE = (
    Kind(
        resource_type="aws:ec2/launchTemplate:LaunchTemplate",
        service="ec2",
        operation="describe_launch_templates",
        items="LaunchTemplates",
        id="LaunchTemplateId",
        arn_type="ec2:launch-template",
        name="LaunchTemplateName",
        name_input="name",
        delete=simply("delete_launch_template", "LaunchTemplateId"),
    ),
    Kind(
        resource_type="aws:autoscaling/group:Group",
        service="autoscaling",
        operation="describe_auto_scaling_groups",
        items="AutoScalingGroups",
        id="AutoScalingGroupName",
        arn="AutoScalingGroupARN",
        arn_type="autoscaling:autoScalingGroup",
        name="AutoScalingGroupName",
        name_input="name",
        state="Status",
        delete=_delete_scaling_group,
        rank=37,
    ),
    Kind(
        resource_type="aws:ec2/instance:Instance",
        service="ec2",
        operation="describe_instances",
        items="Reservations[].Instances[]",
        id="InstanceId",
        arn_type="ec2:instance",
        state="State.Name",
        delete=simply("terminate_instances", "InstanceIds[]"),
        rank=38,
    ),
    Kind(
        resource_type="aws:ebs/volume:Volume",
        service="ec2",
        operation="describe_volumes",
        items="Volumes",
        id="VolumeId",
        arn_type="ec2:volume",
        state="State",
        delete=_delete_volume,
        rank=70,
        holds_data=True,
    ),
    Kind(
        resource_type="aws:ec2/networkInterface:NetworkInterface",
        service="ec2",
        operation="describe_network_interfaces",
        # One in use goes with what uses it, which is listed itself.
        items="NetworkInterfaces[?Status == 'available']",
        id="NetworkInterfaceId",
        arn_type="ec2:network-interface",
        tags="TagSet",
        delete=simply("delete_network_interface", "NetworkInterfaceId"),
        rank=60,
    ),
    Kind(
        resource_type="aws:iam/instanceProfile:InstanceProfile",
        service="iam",
        operation="list_instance_profiles",
        items="InstanceProfiles",
        id="InstanceProfileName",
        arn="Arn",
        arn_type="iam:instance-profile",
        name="InstanceProfileName",
        name_input="name",
        tags=TagCall("list_instance_profile_tags", "InstanceProfileName", "InstanceProfileName", "Tags"),
        delete=_delete_instance_profile,
        rank=78,
    ),
)

_LOAD_BALANCING = (
    Kind(
        resource_type="aws:lb/loadBalancer:LoadBalancer",
        service="elbv2",
        operation="describe_load_balancers",
        items="LoadBalancers",
        id="LoadBalancerArn",
        arn="LoadBalancerArn",
        arn_type="elasticloadbalancing:loadbalancer",
        name="LoadBalancerName",
        name_input="name",
        tags=TagCall("describe_tags", "ResourceArns", "[LoadBalancerArn]", "TagDescriptions[0].Tags"),
        state="State.Code == 'provisioning' && 'creating' || ''",
        delete=_delete_load_balancer,
        rank=39,
    ),
    Kind(
        # What a Service of type LoadBalancer gets from Kubernetes' own controller.
        resource_type="aws:elb/loadBalancer:LoadBalancer",
        service="elb",
        operation="describe_load_balancers",
        items="LoadBalancerDescriptions",
        id="LoadBalancerName",
        arn_type="elasticloadbalancing:loadbalancer",
        name="LoadBalancerName",
        name_input="name",
        tags=TagCall("describe_tags", "LoadBalancerNames", "[LoadBalancerName]", "TagDescriptions[0].Tags"),
        delete=simply("delete_load_balancer", "LoadBalancerName"),
        rank=39,
    ),
    Kind(
        resource_type="aws:lb/targetGroup:TargetGroup",
        service="elbv2",
        operation="describe_target_groups",
        items="TargetGroups",
        id="TargetGroupArn",
        arn="TargetGroupArn",
        arn_type="elasticloadbalancing:targetgroup",
        name="TargetGroupName",
        name_input="name",
        tags=TagCall("describe_tags", "ResourceArns", "[TargetGroupArn]", "TagDescriptions[0].Tags"),
        delete=simply("delete_target_group", "TargetGroupArn"),
        rank=41,
    ),
)

KINDS = (*_EKS, *_COMPUTE, *_LOAD_BALANCING)
