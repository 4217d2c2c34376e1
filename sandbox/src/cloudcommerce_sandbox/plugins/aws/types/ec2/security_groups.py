"""Security groups, the default one of a VPC, and single rules as resources of their own."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.checks import exactly_one
from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import Convert
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType, Run
from cloudcommerce_sandbox.plugins.aws.tagging import ec2_tags
from cloudcommerce_sandbox.plugins.aws.types.ec2 import rules
from cloudcommerce_sandbox.plugins.provider import ProviderError

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_ANYWHERE = {rules.Grant("-1", -1, -1, "cidrBlocks", "0.0.0.0/0")}


def _put_rules(context: Context) -> None:
    for direction in ("ingress", "egress"):
        if direction in context.changed:
            wanted = rules.of_blocks(context.inputs.get(direction))
            before = rules.of_blocks(context.old_inputs.get(direction))
            rules.change(context, direction, before - wanted, wanted - before)


def _start_closed(context: Context) -> None:
    """Take off the rule that lets a new group reach everything, as Terraform does; put the program's."""
    wanted = rules.of_blocks(context.inputs.get("egress"))
    rules.change(context, "egress", _ANYWHERE - wanted, wanted - _ANYWHERE)
    rules.change(context, "ingress", set(), rules.of_blocks(context.inputs.get("ingress")))


def _revoke_all(context: Context) -> None:
    for direction in ("ingress", "egress"):
        rules.change(context, direction, rules.actual(context, direction), set())


def _blocks(member: str) -> Convert:
    def read(group: dict[str, Any]) -> list[dict[str, Any]]:
        return rules.to_blocks(rules.of_permissions(group.get(member) or (), group["GroupId"]))

    return Convert(read=read, equal=lambda a, b: rules.of_blocks(a) == rules.of_blocks(b))


_FIELDS = {
    "name": Field("GroupName"),
    "ingress": Field(read="@", convert=_blocks("IpPermissions")),
    "egress": Field(read="@", convert=_blocks("IpPermissionsEgress")),
    "revokeRulesOnDelete": Field(default=False),
}
_READ = Read("describe_security_groups", set={"GroupIds": "{id}"}, item="SecurityGroups[0]")
_ARN = "arn:{partition}:ec2:{region}:{account}:security-group/{id}"

SECURITY_GROUP = ResourceType(
    pulumi_type="aws:ec2/securityGroup:SecurityGroup",
    service="ec2",
    docs=f"{_REGISTRY}/security_group",
    id=Id(response="GroupId"),
    create=(Call("create_security_group"), Run(_start_closed)),
    read=_READ,
    update=(Run(_put_rules, on=("ingress", "egress")),),
    delete=(
        Run(_revoke_all, when=lambda context: bool(context.inputs.get("revokeRulesOnDelete"))),
        Call("delete_security_group", set={"GroupId": "{id}"}),
    ),
    name=Name(prefix="namePrefix", max_length=255, allowed="a-zA-Z0-9 ._:/()#,@\\[\\]+=&;{}!$*-"),
    tags=ec2_tags("security-group"),
    fields={**_FIELDS, "description": Field(default="Managed by Pulumi")},
    force_new=("name", "namePrefix", "description", "vpcId"),
    kept=("ingress", "egress"),
    outputs={"arn": _ARN},
    local=("revokeRulesOnDelete",),
    prepare=lambda inputs: {"description": "Managed by Pulumi", **inputs},
)


def _adopt(context: Context) -> dict[str, Any]:
    """Find the default group and lock it: all its rules go, the program's come."""
    vpc = context.inputs.get("vpcId") or context.find(
        "describe_vpcs", "Vpcs[0].VpcId", Filters=[{"Name": "is-default", "Values": ["true"]}]
    )
    group = context.find(
        "describe_security_groups",
        "SecurityGroups[0]",
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}],
    )
    if group is None:
        message = f"VPC {vpc} has no default security group"
        raise ProviderError(message)
    context.id = str(group["GroupId"])
    for direction, member in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        has = rules.of_permissions(group.get(member) or (), context.id)
        wanted = rules.of_blocks(context.inputs.get(direction))
        rules.change(context, direction, has - wanted, wanted - has)
    return dict(group)


DEFAULT_SECURITY_GROUP = ResourceType(
    pulumi_type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    service="ec2",
    docs=f"{_REGISTRY}/default_security_group",
    id=Id(response="GroupId"),
    create=(Run(_adopt, on=("vpcId", "ingress", "egress"), item="@"),),
    read=_READ,
    update=(Run(_put_rules, on=("ingress", "egress")),),
    # It can't be deleted; Terraform's provider leaves it as it is.
    delete=(),
    tags=ec2_tags("security-group-rule"),
    fields=_FIELDS,
    force_new=("vpcId",),
    kept=("ingress", "egress"),
    outputs={"arn": _ARN, "namePrefix": ""},
    local=("revokeRulesOnDelete",),
)

_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
_PERMISSION = "IpPermissions"


def _permission(context: Context) -> list[dict[str, Any]]:
    inputs = context.inputs
    members = {
        "cidrIpv4": ("IpRanges", "CidrIp"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    name = next(source for source in _SOURCES if inputs.get(source))
    member, key = members[name]
    source = {key: inputs[name]}
    if inputs.get("description"):
        source["Description"] = inputs["description"]
    permission: dict[str, Any] = {"IpProtocol": inputs["ipProtocol"], member: [source]}
    for port, target in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if inputs.get(port) is not None:
            permission[target] = inputs[port]
    return [permission]


def _rule_request(context: Context) -> list[dict[str, Any]]:
    """Return the whole rule, which is what ModifySecurityGroupRules wants."""
    inputs = context.inputs
    names = {
        "ipProtocol": "IpProtocol",
        "fromPort": "FromPort",
        "toPort": "ToPort",
        "cidrIpv4": "CidrIpv4",
        "cidrIpv6": "CidrIpv6",
        "prefixListId": "PrefixListId",
        "referencedSecurityGroupId": "ReferencedGroupId",
        "description": "Description",
    }
    rule = {member: inputs[name] for name, member in names.items() if inputs.get(name) is not None}
    return [{"SecurityGroupRuleId": context.id, "SecurityGroupRule": rule}]


def _changes_kind_of_source(before: Properties, now: Properties) -> bool:
    """A rule can get another address, but no group in place of an address."""
    return {name for name in _SOURCES if before.get(name)} != {name for name in _SOURCES if now.get(name)}


def _port(member: str) -> Field:
    # AWS reports -1 for a rule that names no ports.
    return Field(member, read=f"[{member}][?@ != `null` && @ != `-1`] | [0]", default=None)


_RULE_PROPERTIES = ("ipProtocol", "fromPort", "toPort", "description", *_SOURCES)


def _authorize(direction: str) -> Call:
    return Call(
        f"authorize_security_group_{direction}",
        on=("securityGroupId", *_RULE_PROPERTIES),
        omit=tuple(_RULE_PROPERTIES),
        names={"securityGroupId": "GroupId"},
        set={"IpPermissions": _permission},
        item="SecurityGroupRules[0]",
    )


def _rule(direction: str) -> ResourceType:
    title = f"SecurityGroup{direction.title()}Rule"
    return ResourceType(
        pulumi_type=f"aws:vpc/securityGroup{direction.title()}Rule:{title}",
        service="ec2",
        docs=f"{_REGISTRY}/vpc_security_group_{direction}_rule",
        id=Id(response="SecurityGroupRules[0].SecurityGroupRuleId"),
        create=(_authorize(direction),),
        read=Read(
            "describe_security_group_rules",
            set={"SecurityGroupRuleIds": "{id}"},
            item="SecurityGroupRules[0]",
        ),
        update=(
            Call(
                "modify_security_group_rules",
                set={"GroupId": "{securityGroupId}", "SecurityGroupRules": _rule_request},
                on=_RULE_PROPERTIES,
            ),
        ),
        delete=(
            Call(
                f"revoke_security_group_{direction}",
                set={"GroupId": "{securityGroupId}", "SecurityGroupRuleIds": "{id}"},
            ),
        ),
        tags=ec2_tags("security-group-rule"),
        fields={
            "securityGroupId": Field(read="GroupId"),
            **{name: Field(default=None) for name in _SOURCES},
            "referencedSecurityGroupId": Field(read="ReferencedGroupInfo.GroupId", default=None),
            "fromPort": _port("FromPort"),
            "toPort": _port("ToPort"),
            "ipProtocol": Field(convert=rules.PROTOCOL),
            "description": Field(default=""),
        },
        force_new=("securityGroupId",),
        force_new_if=dict.fromkeys(_SOURCES, _changes_kind_of_source),
        outputs={"arn": "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}"},
        check=(exactly_one(*_SOURCES),),
    )


INGRESS_RULE, EGRESS_RULE = _rule("ingress"), _rule("egress")

TYPES = (SECURITY_GROUP, DEFAULT_SECURITY_GROUP)
