"""The tags that every resource of a stack carries, applied by the provider's default tags."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
MAX_KEY_LENGTH = 128
MAX_VALUE_LENGTH = 256
MAX_TAGS = 50
_ALLOWED = re.compile(r"[\w .:/=+\-@]*")
# Every resource also carries its own Name, and AWS Backup and the cluster add a few of theirs.
_RESERVED_FOR_RESOURCES = 10


class DataClass(StrEnum):
    """How sensitive the most sensitive data behind a resource may be."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """Who answers for a stack, who pays for it, and what it may hold."""

    project: str
    environment: str
    owner: str
    cost_center: str
    data_class: DataClass


def default_tags(ownership: Ownership, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make the tags that the provider puts on everything it creates.

    Args:
        ownership: The mandatory tags, by type: none can be forgotten.
        extra: Further tags of the organization; they may not redefine a mandatory one.

    Returns:
        Tag values by tag key.

    Raises:
        ValueError: AWS would refuse a tag, or `extra` redefines a mandatory one.
    """
    mandatory = {
        "Project": ownership.project,
        "Environment": ownership.environment,
        "Owner": ownership.owner,
        "CostCenter": ownership.cost_center,
        "DataClass": ownership.data_class.value,
        "ManagedBy": "pulumi",
    }
    extra = dict(extra or {})
    # IAM treats keys that differ only in case as one, so `owner` would fight `Owner` there.
    taken = {key.lower() for key in mandatory} | {"name"}
    for key in extra:
        if key.lower() in taken:
            raise ValueError(f"extra tag {key!r} redefines a mandatory tag: set that one, or rename this")
    tags = mandatory | extra
    for key, value in tags.items():
        _check(key, value)
    limit = MAX_TAGS - _RESERVED_FOR_RESOURCES
    if len(tags) > limit:
        raise ValueError(
            f"{len(tags)} default tags: at most {limit} leave room for a resource's own; remove some"
        )
    return tags


def _check(key: str, value: str) -> None:
    if not key or len(key) > MAX_KEY_LENGTH:
        raise ValueError(f"tag key {key!r} has {len(key)} characters: AWS takes 1 to {MAX_KEY_LENGTH}")
    if not value or len(value) > MAX_VALUE_LENGTH:
        raise ValueError(f"tag {key} has {len(value)} characters: give it 1 to {MAX_VALUE_LENGTH}")
    if key.lower().startswith("aws:"):
        raise ValueError(f"tag key {key!r} starts with 'aws:', which AWS keeps to itself: rename it")
    for text in (key, value):
        if not _ALLOWED.fullmatch(text):
            raise ValueError(
                f"tag {key}={value!r}: AWS takes letters, digits, spaces and _ . : / = + - @ only"
            )
