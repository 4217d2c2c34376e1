"""Security group rules in the two forms AWS has: permissions (grouped) and single grants.

A grant is one protocol, port range and source with its description; a block of a security group is a bundle
of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import Convert

_ALL = "-1"
# The protocol numbers that the API reports by name:
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": _ALL}
_SOURCES = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}
SELF = "self"


@dataclass(frozen=True, order=True)
class Grant:
    """What one rule opens.

    Attributes:
        protocol: `tcp`, `-1` for all, …
        from_port: First port; -1 for all protocols.
        to_port: Last port.
        kind: Property name of the source, for example `cidrBlocks`.
        source: The source itself; `self` for the group's own members.
        description: Free text.
    """

    protocol: str
    from_port: int
    to_port: int
    kind: str
    source: str
    description: str = ""


def protocol_name(protocol: Any) -> str:
    """Return the protocol as AWS reports it."""
    text = str(protocol).lower()
    return _NAMES.get(text, text)


PROTOCOL = Convert(equal=lambda a, b: protocol_name(a) == protocol_name(b))
"""A protocol by name or number."""


def of_blocks(blocks: Iterable[Mapping[str, Any]] | None) -> set[Grant]:
    """Return the grants of `ingress` or `egress` blocks of a program."""
    return {grant for block in blocks or () for grant in _of_block(block)}


def _of_block(block: Mapping[str, Any]) -> Iterable[Grant]:
    protocol = protocol_name(block.get("protocol", _ALL))
    ports = (-1, -1) if protocol == _ALL else (int(block["fromPort"]), int(block["toPort"]))
    description = block.get("description") or ""
    for kind in _SOURCES:
        for source in block.get(kind) or ():
            yield Grant(protocol, *ports, kind, source, description)
    if block.get("self"):
        yield Grant(protocol, *ports, "securityGroups", SELF, description)


def of_permissions(permissions: Iterable[Mapping[str, Any]], group: str) -> set[Grant]:
    """Return the grants of a group's permissions in AWS's answer."""
    found = set()
    for permission in permissions:
        protocol = protocol_name(permission["IpProtocol"])
        ports = (int(permission.get("FromPort", -1)), int(permission.get("ToPort", -1)))
        ports = (-1, -1) if protocol == _ALL else ports
        for kind, (member, key) in _SOURCES.items():
            for item in permission.get(member) or ():
                source = SELF if item.get(key) == group else str(item.get(key))
                found.add(Grant(protocol, *ports, kind, source, item.get("Description") or ""))
    return found


def to_blocks(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Bundle grants into blocks as a program writes them: one for each protocol, ports and description."""
    bundles: dict[tuple[str, int, int, str], dict[str, Any]] = {}
    for grant in sorted(grants):
        key = (grant.protocol, grant.from_port, grant.to_port, grant.description)
        first, last = (0, 0) if grant.protocol == _ALL else (grant.from_port, grant.to_port)
        block = bundles.setdefault(key, {"protocol": grant.protocol, "fromPort": first, "toPort": last})
        if grant.description:
            block["description"] = grant.description
        if grant.source == SELF:
            block["self"] = True
        else:
            block.setdefault(grant.kind, []).append(grant.source)
    return list(bundles.values())


def to_permission(grant: Grant, group: str) -> dict[str, Any]:
    """Return the API's form of one grant."""
    member, key = _SOURCES[grant.kind]
    source = {key: group if grant.source == SELF else grant.source}
    if grant.description:
        source["Description"] = grant.description
    permission: dict[str, Any] = {"IpProtocol": grant.protocol, member: [source]}
    if grant.protocol != _ALL:
        permission |= {"FromPort": grant.from_port, "ToPort": grant.to_port}
    return permission


def change(context: Context, direction: str, gone: set[Grant], come: set[Grant]) -> None:
    """Revoke and authorize grants of the context's group.

    Args:
        context: Of a security group.
        direction: `ingress` or `egress`.
        gone: Grants to revoke.
        come: Grants to authorize.
    """
    for verb, grants in (("revoke", gone), ("authorize", come)):
        if grants:
            permissions = [to_permission(grant, context.id) for grant in sorted(grants)]
            context.call(f"{verb}_security_group_{direction}", GroupId=context.id, IpPermissions=permissions)


def actual(context: Context, direction: str) -> set[Grant]:
    """Return the grants that the context's group has in AWS."""
    member = "IpPermissions" if direction == "ingress" else "IpPermissionsEgress"
    found = context.find("describe_security_groups", f"SecurityGroups[0].{member}", GroupIds=[context.id])
    return of_permissions(found or [], context.id)
