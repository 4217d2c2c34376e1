"""Launch templates."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.aws.conversions import Convert
from cloudcommerce_sandbox.plugins.aws.declaration import (
    Call,
    Fetch,
    Field,
    Id,
    Name,
    Read,
    ResourceType,
    Run,
)
from cloudcommerce_sandbox.plugins.aws.tagging import ec2_tags

_ID = {"LaunchTemplateId": "{id}"}
_SCALARS = (
    "disableApiStop",
    "disableApiTermination",
    "ebsOptimized",
    "imageId",
    "instanceInitiatedShutdownBehavior",
    "instanceType",
    "kernelId",
    "keyName",
    "ramDiskId",
    "userData",
)
_NAMES = {"name": "LaunchTemplateName", "description": "VersionDescription"}


def _choose_default(context: Context) -> None:
    """Make the wanted version the default: the newest with `updateDefaultVersion`, else the one named."""
    wanted = context.inputs.get("defaultVersion")
    if context.inputs.get("updateDefaultVersion"):
        wanted = context.find(
            "describe_launch_templates",
            "LaunchTemplates[0].LatestVersionNumber",
            LaunchTemplateIds=[context.id],
        )
    if wanted:
        context.call("modify_launch_template", LaunchTemplateId=context.id, DefaultVersion=str(wanted))


def _tagged(blocks: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {
            "ResourceType": block.get("resourceType"),
            "Tags": [{"Key": k, "Value": v} for k, v in _items(block)],
        }
        for block in blocks
    ]


def _items(block: dict[str, object]) -> list[tuple[str, object]]:
    tags = block.get("tags")
    return list(tags.items()) if isinstance(tags, dict) else []


def _untagged(blocks: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {
            "resourceType": block.get("ResourceType"),
            "tags": {tag["Key"]: tag["Value"] for tag in block.get("Tags", ())},  # type: ignore[attr-defined]
        }
        for block in blocks
        # moto files the template's own tags here as well.
        if block.get("ResourceType") != "launch-template"
    ]


LAUNCH_TEMPLATE = ResourceType(
    pulumi_type="aws:ec2/launchTemplate:LaunchTemplate",
    service="ec2",
    docs="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/launch_template",
    id=Id(response="LaunchTemplate.LaunchTemplateId"),
    create=(Call("create_launch_template", item="LaunchTemplate", root="LaunchTemplateData", names=_NAMES),),
    read=Read(
        "describe_launch_templates",
        set={"LaunchTemplateIds": "{id}"},
        item="LaunchTemplates[0]",
        also=(
            Fetch(
                "describe_launch_template_versions",
                set={**_ID, "Versions": ["$Latest"]},
                item="LaunchTemplateVersions[0].LaunchTemplateData",
            ),
        ),
    ),
    update=(
        Call(
            "create_launch_template_version",
            set=_ID,
            root="LaunchTemplateData",
            names=_NAMES,
            omit=("name",),
            full=True,
        ),
        Run(_choose_default, when=lambda context: bool(context.inputs.get("updateDefaultVersion"))),
        Run(
            _choose_default,
            on=("defaultVersion",),
            when=lambda context: not context.inputs.get("updateDefaultVersion"),
        ),
    ),
    delete=(Call("delete_launch_template", set=_ID),),
    name=Name(prefix="namePrefix", max_length=128, allowed="a-zA-Z0-9().\\-/_"),
    tags=ec2_tags("launch-template"),
    fields={
        **{name: Field(default=None) for name in _SCALARS},
        "name": Field("LaunchTemplateName"),
        "description": Field("VersionDescription", default=""),
        "latestVersion": Field(read="LatestVersionNumber"),
        "defaultVersion": Field(read="DefaultVersionNumber"),
        "vpcSecurityGroupIds": Field("SecurityGroupIds"),
        "securityGroupNames": Field("SecurityGroups"),
        "networkInterfaces.ipv4AddressCount": Field("SecondaryPrivateIpAddressCount"),
        "networkInterfaces.securityGroups": Field("Groups"),
        "tagSpecifications": Field(convert=Convert(send=_tagged, read=_untagged)),
    },
    force_new=("name", "namePrefix"),
    kept=("metadataOptions",),
    outputs={"arn": "arn:{partition}:ec2:{region}:{account}:launch-template/{id}"},
    local=("updateDefaultVersion",),
    unsupported={"networkInterfaces.ipv4Addresses": "several fixed addresses of an interface"},
)

TYPES = (LAUNCH_TEMPLATE,)
