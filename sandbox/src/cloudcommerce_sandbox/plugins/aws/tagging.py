"""The ways in which AWS services take tags, as presets for declarations."""

from __future__ import annotations

from typing import Literal

from cloudcommerce_sandbox.plugins.aws.declaration import Fetch, TagStyle


def ec2_tags(resource_type: str) -> TagStyle:
    """Tags of an EC2 resource.

    Args:
        resource_type: The API's name of it in TagSpecifications, for example `vpc`; "" when the create
            call takes no TagSpecifications.
    """
    return TagStyle(
        member="",
        specification=resource_type,
        tag="create_tags",
        untag="delete_tags",
        target={"Resources": ["{id}"]},
        untag_member=None,
        service="ec2",
    )


def rds_tags(arn: str = "{arn}") -> TagStyle:
    """Tags of the RDS family (rds, docdb): part of the create call and, as `TagList`, of some read items."""
    return TagStyle(
        read="",
        list=Fetch("list_tags_for_resource", set={"ResourceName": arn}, item="TagList"),
        tag="add_tags_to_resource",
        untag="remove_tags_from_resource",
        target={"ResourceName": arn},
    )


ELASTICACHE_TAGS = TagStyle(
    read="",
    list=Fetch("list_tags_for_resource", set={"ResourceName": "{arn}"}, item="TagList"),
    tag="add_tags_to_resource",
    untag="remove_tags_from_resource",
    target={"ResourceName": "{arn}"},
)
"""ElastiCache."""

KMS_TAGS = TagStyle(
    shape=("TagKey", "TagValue"),
    read="",
    list=Fetch("list_resource_tags", set={"KeyId": "{id}"}, item="Tags"),
    target={"KeyId": "{id}"},
)
"""KMS keys."""

SECRETSMANAGER_TAGS = TagStyle(target={"SecretId": "{id}"})
"""Secrets Manager."""


def iam_tags(kind: str, member: str, value: str = "{id}") -> TagStyle:
    """Tags of IAM things, for example `iam_tags("role", "RoleName")`: `tag_role` and `untag_role`."""
    return TagStyle(tag=f"tag_{kind}", untag=f"untag_{kind}", target={member: value})


def arn_tags(
    member: str = "tags",
    *,
    shape: tuple[str, str] | Literal["map"] = "map",
    arn: str = "{arn}",
    arn_member: str = "resourceArn",
    keys_member: str = "tagKeys",
    tag_member: str = "tags",
    read: str = "tags",
    list_operation: str = "",
    list_item: str = "tags",
) -> TagStyle:
    """Tags of the newer services: `tag_resource`/`untag_resource` by ARN.

    Args:
        member: Member of the create request; "" when it takes none.
        shape: `map`, or the member names of the list's items: `("Key", "Value")`, `("key", "value")`.
        arn: Template of the ARN.
        arn_member: Request member that takes the ARN.
        keys_member: Request member of `untag_resource` for the keys.
        tag_member: Request member of `tag_resource` for the tags.
        read: JMESPath of the tags in the read item; ignored with `list_operation`.
        list_operation: Operation that lists the tags when the read item has none, for example
            `list_tags_for_resource`.
        list_item: JMESPath of the tags in its response.
    """
    listing = Fetch(list_operation, set={arn_member: arn}, item=list_item) if list_operation else None
    return TagStyle(
        member=member,
        shape=shape,
        read="" if listing else read,
        list=listing,
        target={arn_member: arn},
        tag_member=tag_member,
        untag_member=keys_member,
    )
