"""Tags of resources: what to send, what to change, and whose tag is whose after a refresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudcommerce_sandbox.plugins.aws.declaration import TagStyle
from cloudcommerce_sandbox.plugins.aws.templates import select

Tags = dict[str, Any]
_RESERVED = "aws:"
"""AWS's own tags; nobody else may set them: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"""


@dataclass(frozen=True)
class TagPolicy:
    """The provider's `defaultTags` and `ignoreTags`.

    Attributes:
        default: Tags that every resource gets; its own win.
        ignored_keys: Tag keys that somebody else manages.
        ignored_prefixes: Beginnings of such keys.
    """

    default: Mapping[str, str] = field(default_factory=dict)
    ignored_keys: frozenset[str] = frozenset()
    ignored_prefixes: tuple[str, ...] = ()

    def all_tags(self, own: Mapping[str, Any] | None) -> Tags:
        """Return the tags a resource shall carry."""
        return {**self.default, **(own or {})}

    def managed(self, actual: Mapping[str, Any]) -> Tags:
        """Return the actual tags without those that are AWS's or ignored."""
        prefixes = (_RESERVED, *self.ignored_prefixes)
        return {
            key: value
            for key, value in actual.items()
            if key not in self.ignored_keys and not key.startswith(prefixes)
        }

    def own(self, actual: Mapping[str, Any], declared: Mapping[str, Any] | None) -> Tags:
        """Return which of the actual tags belong in the `tags` input.

        A default tag with its default value is not the resource's own unless the program declares it as well.
        """
        declared = declared or {}
        return {
            key: value
            for key, value in self.managed(actual).items()
            if key in declared or self.default.get(key) != value
        }


def shaped(style: TagStyle, tags: Mapping[str, Any]) -> Any:
    """Return tags in the shape of the service's API."""
    if style.shape == "map":
        return dict(tags)
    key, value = style.shape
    return [{key: name, value: text} for name, text in tags.items()]


def plain(style: TagStyle, raw: Any) -> Tags:
    """Return tags out of the shape of the service's API."""
    if not raw:
        return {}
    if isinstance(raw, Mapping):
        return dict(raw)
    key, value = ("Key", "Value") if style.shape == "map" else style.shape
    return {item[key]: item.get(value, "") for item in raw}


def on_create(style: TagStyle, tags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the create request that carry the tags; empty when it carries none."""
    if not tags:
        return {}
    if style.specification:
        return {"TagSpecifications": [{"ResourceType": style.specification, "Tags": shaped(style, tags)}]}
    return {style.member: shaped(style, tags)} if style.member else {}


def from_item(style: TagStyle, item: Mapping[str, Any]) -> Tags | None:
    """Return the tags in a read item; None when the item does not carry them."""
    if not style.read:
        return None
    return plain(style, select(style.read, item))


def removed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Sequence[str]:
    """Return the keys that must go."""
    return sorted(key for key in old if key not in new)


def added(old: Mapping[str, Any], new: Mapping[str, Any]) -> Tags:
    """Return the tags that must be set."""
    return {key: value for key, value in new.items() if old.get(key) != value}
