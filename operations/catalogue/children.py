"""Resources without tags of their own: found by what they connect, or not worth finding.

Each finder takes the record of a resource whose inputs are known and returns the id that the Terraform-based
provider would hold, or None when AWS has no such thing.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
import jmespath

from operations.clients import Clients, is_missing
from operations.state import Resource

REPEATABLE = frozenset(
    {
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/keyPolicy:KeyPolicy",
        "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup",
        "aws:secretsmanager/secretPolicy:SecretPolicy",
        "aws:secretsmanager/secretRotation:SecretRotation",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
    }
)
"""Creating these again has the same effect as creating them once: the next `up` simply does."""

OUTSIDE_AWS = ("random:", "pulumi:", "tls:", "time:")
"""Providers that keep nothing outside the state; a lost creation left nothing behind."""


@dataclass(frozen=True)
class Child:
    """A found resource.

    Attributes:
        id: Its id for Pulumi.
        overrides: Inputs that AWS knows better.
    """

    id: str
    overrides: Mapping[str, Any] = field(default_factory=dict)


Finder = Callable[[Clients, Mapping[str, Any]], Child | None]


def find_child(clients: Clients, resource: Resource) -> Child | None:
    """Look for a resource that has a natural key.

    Args:
        clients: Clients of its region.
        resource: Its record; its type is in `FINDERS`.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    inputs = {**resource.inputs, "__logical_name": resource.name}
    try:
        return FINDERS[resource.resource_type](clients, inputs)
    except botocore.exceptions.ClientError as error:
        if is_missing(error):
            return None
        raise


def autonamed(logical_name: str, names: Iterable[str]) -> str | None:
    """Return the one name that Pulumi's auto-naming would have made: the logical name and seven hex digits.

    Two such names are as good as none: nobody can tell which is meant.
    """
    pattern = re.compile(rf"{re.escape(logical_name)}-[0-9a-f]{{7}}")
    found = [name for name in names if pattern.fullmatch(name)]
    return found[0] if len(found) == 1 else None


def route_id(table: str, destination: str) -> str:
    """Return the provider's id of a route: the table and the CRC-32 of the destination.

    Terraform's `create.StringHashcode` behind
    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/route.
    """
    return f"r-{table}{zlib.crc32(destination.encode())}"


_DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}


def _route(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    table = _tables(clients, {"route-table-id": inputs["routeTableId"]})
    for key, attribute in _DESTINATIONS.items():
        wanted = inputs.get(key)
        if wanted and any(route.get(attribute) == wanted for each in table for route in each["Routes"]):
            return Child(route_id(inputs["routeTableId"], wanted))
    return None


def _association(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    for table in _tables(clients, {"route-table-id": inputs["routeTableId"]}):
        for association in table["Associations"]:
            if association.get("SubnetId") and association["SubnetId"] == inputs.get("subnetId"):
                return Child(association["RouteTableAssociationId"])
    return None


def _tables(clients: Clients, filters: Mapping[str, str]) -> list[dict[str, Any]]:
    wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    tables: list[dict[str, Any]] = clients.get("ec2").describe_route_tables(Filters=wanted)["RouteTables"]
    return tables


def _role_policy(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    names = clients.get("iam").list_role_policies(RoleName=inputs["role"])["PolicyNames"]
    name = inputs["name"] if inputs.get("name") in names else autonamed(inputs["__logical_name"], names)
    return Child(f"{inputs['role']}:{name}", {"name": name}) if name else None


def _alias(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    pages = clients.get("kms").get_paginator("list_aliases").paginate()
    names = [alias["AliasName"] for page in pages for alias in page["Aliases"]]
    name = (
        inputs["name"]
        if inputs.get("name") in names
        else autonamed(f"alias/{inputs['__logical_name']}", names)
    )
    return Child(name, {"name": name}) if name else None


def _secret_version(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    secret = clients.get("secretsmanager").describe_secret(SecretId=inputs["secretId"])
    for version, stages in (secret.get("VersionIdsToStages") or {}).items():
        if "AWSCURRENT" in stages:
            return Child(f"{inputs['secretId']}|{version}")
    return None


def _permission(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    policy = clients.get("lambda").get_policy(FunctionName=inputs["function"])["Policy"]
    statements = re.findall(r'"Sid"\s*:\s*"([^"]+)"', policy)
    wanted = inputs.get("statementId")
    name = wanted if wanted in statements else autonamed(inputs["__logical_name"], statements)
    return Child(name, {"statementId": name}) if name else None


def _proxy_target(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    proxy, group = inputs["dbProxyName"], inputs["targetGroupName"]
    targets = clients.get("rds").describe_db_proxy_targets(DBProxyName=proxy, TargetGroupName=group)[
        "Targets"
    ]
    for target in targets:
        wanted = inputs.get("dbInstanceIdentifier") or inputs.get("dbClusterIdentifier")
        if target["RdsResourceId"] == wanted:
            return Child(f"{proxy}/{group}/{target['Type']}/{wanted}")
    return None


_SOURCES = {
    "cidrBlocks": "IpRanges[].CidrIp",
    "ipv6CidrBlocks": "Ipv6Ranges[].CidrIpv6",
    "prefixListIds": "PrefixListIds[].PrefixListId",
}


def _classic_rule(clients: Clients, inputs: Mapping[str, Any]) -> Child | None:
    """Find a rule by what it opens: it is a resource of Pulumi's that EC2 knows only as permissions.

    The id is the one that the provider imports by; it replaces it by its own when it reads the rule
    (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group_rule#import).
    """
    group = inputs["securityGroupId"]
    (found,) = clients.get("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    direction, protocol = inputs["type"], str(inputs["protocol"])
    first, last = inputs.get("fromPort"), inputs.get("toPort")
    wanted = {source for key in _SOURCES for source in inputs.get(key) or ()}
    wanted |= {group} if inputs.get("self") else set()
    wanted |= {inputs["sourceSecurityGroupId"]} if inputs.get("sourceSecurityGroupId") else set()
    admitted: set[str] = set()
    for each in found["IpPermissions" if direction == "ingress" else "IpPermissionsEgress"]:
        everything = protocol in {"-1", "all"} and each["IpProtocol"] == "-1"
        if everything or (each["IpProtocol"], each.get("FromPort"), each.get("ToPort")) == (
            protocol,
            first,
            last,
        ):
            paths = (*_SOURCES.values(), "UserIdGroupPairs[].GroupId")
            admitted |= {source for path in paths for source in jmespath.search(path, each) or ()}
    if not wanted or not wanted <= admitted:
        return None
    named = sorted("self" if source == group else source for source in wanted)
    return Child("_".join([group, direction, protocol, str(first), str(last), *named]))


FINDERS: Mapping[str, Finder] = {
    "aws:ec2/securityGroupRule:SecurityGroupRule": _classic_rule,
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kms/alias:Alias": _alias,
    "aws:lambda/permission:Permission": _permission,
    "aws:rds/proxyTarget:ProxyTarget": _proxy_target,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
}
"""Finders by Pulumi's type."""
