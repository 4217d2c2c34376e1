"""The older form of a security group rule as a resource: one that can stand for several rules of AWS."""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.declaration import Field, Id, Read, ResourceType, Run
from cloudcommerce_sandbox.plugins.aws.types.ec2 import rules
from cloudcommerce_sandbox.plugins.provider import ProviderError

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"


def _classic_grants(inputs: Properties) -> set[rules.Grant]:
    block = {**inputs}
    if inputs.get("sourceSecurityGroupId"):
        block["securityGroups"] = [inputs["sourceSecurityGroupId"]]
    return rules.of_blocks([block])


def _classic(verb: str, context: Context) -> dict[str, Any]:
    group = context.inputs["securityGroupId"]
    permissions = [rules.to_permission(grant, group) for grant in sorted(_classic_grants(context.inputs))]
    return context.call(
        f"{verb}_security_group_{context.inputs['type']}", GroupId=group, IpPermissions=permissions
    )


_CLASSIC_LISTS = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds")


def _classic_id(context: Context) -> str:
    """Return `sgrule-` and a number made of what the rule opens: it can stand for several rules of AWS."""
    properties = {**context.state, **context.inputs}
    grants = sorted((g.protocol, g.from_port, g.to_port, g.source) for g in _classic_grants(properties))
    text = json.dumps([properties["securityGroupId"], properties["type"], grants])
    return f"sgrule-{zlib.crc32(text.encode())}"


def _parse_classic(identifier: str) -> Properties:
    """Read an import id: group, type, protocol, first port, last port and sources, joined by `_`."""
    group, direction, protocol, first, last, *sources = f"{identifier}_____".split("_")
    named = [source for source in sources if source]
    if not (group.startswith("sg-") and direction in ("ingress", "egress") and named):
        return {}
    found: dict[str, Any] = {}
    for source in named:
        if source == "self":
            found["self"] = True
        elif source.startswith("sg-"):
            found["sourceSecurityGroupId"] = source
        elif source.startswith("pl-"):
            found.setdefault("prefixListIds", []).append(source)
        else:
            found.setdefault("ipv6CidrBlocks" if ":" in source else "cidrBlocks", []).append(source)
    return {
        "securityGroupId": group,
        "type": direction,
        "protocol": rules.protocol_name(protocol),
        "fromPort": int(first),
        "toPort": int(last),
        **found,
    }


def _read_classic(context: Context) -> dict[str, Any] | None:
    """Find the rule by what it opens: one resource can stand for several rules of AWS."""
    inputs = {**context.state, **context.inputs}
    if not inputs.get("securityGroupId"):
        message = (
            f"{context.id!r} names no rule; give the group, the type, the protocol, both ports and the "
            "sources: sg-0123_ingress_tcp_8000_8000_10.0.3.0/24"
        )
        raise ProviderError(message)
    group = str(inputs["securityGroupId"])
    member = "IpPermissions" if inputs.get("type") == "ingress" else "IpPermissionsEgress"
    found = context.find("describe_security_groups", f"SecurityGroups[0].{member}", GroupIds=[group])
    wanted = {dataclasses.replace(grant, description="") for grant in _classic_grants(inputs)}
    has = rules.of_permissions(found or (), group)
    met = [grant for grant in has if dataclasses.replace(grant, description="") in wanted]
    if not wanted or len(met) < len(wanted):
        return None
    context.id = _classic_id(context)
    return {"Description": met[0].description}


def _describe(context: Context) -> None:
    group = context.inputs["securityGroupId"]
    permissions = [rules.to_permission(grant, group) for grant in sorted(_classic_grants(context.inputs))]
    direction = context.inputs["type"]
    context.call(
        f"update_security_group_rule_descriptions_{direction}", GroupId=group, IpPermissions=permissions
    )


_CLASSIC_SOURCES = (*_CLASSIC_LISTS, "self", "sourceSecurityGroupId")
_CLASSIC_IDENTITY = ("type", "protocol", "fromPort", "toPort", "securityGroupId", *_CLASSIC_SOURCES)

SECURITY_GROUP_RULE = ResourceType(
    pulumi_type="aws:ec2/securityGroupRule:SecurityGroupRule",
    service="ec2",
    docs=f"{_REGISTRY}/security_group_rule",
    id=Id(function=_classic_id, parse=_parse_classic),
    create=(Run(lambda context: _classic("authorize", context), on=(*_CLASSIC_IDENTITY, "description")),),
    read=Read(function=_read_classic),
    update=(Run(_describe, on=("description",)),),
    delete=(Run(lambda context: _classic("revoke", context)),),
    fields={
        "description": Field(default=""),
        "self": Field(default=False),
        "protocol": Field(convert=rules.PROTOCOL),
    },
    force_new=_CLASSIC_IDENTITY,
    no_output=("securityGroupRuleId",),
    delete_before_replace=True,
)

TYPES = (SECURITY_GROUP_RULE,)
