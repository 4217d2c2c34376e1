"""Diff: which properties differ, by path, and which of them replace the resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloudcommerce_sandbox.plugins.aws.conversions import UNORDERED, Convert
from cloudcommerce_sandbox.plugins.aws.declaration import EVERYTHING, UNSET, Field, ResourceType
from cloudcommerce_sandbox.plugins.aws.matching import listless
from cloudcommerce_sandbox.plugins.provider import DEFAULTS, Change, Difference, Kind, Request
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Asset, has_unknown, reveal

_NO_FIELD = Field()
_NOTHING: tuple[Any, ...] = (None, [], {})


def compare(kind: ResourceType, request: Request) -> Difference:
    """Compare the inputs in state with the wanted ones; `tagsAll` and region are the provider's to add."""
    old, new = reveal(request.old_inputs), reveal(request.inputs)
    state = reveal(request.state)
    # What the program names for the first time is no change when AWS has had it so all along.
    old = {**{name: state[name] for name in new if name in state and name not in old}, **old}
    ignored = {
        path.partition(".")[0].partition("[")[0] for path in request.ignore_changes if path.isidentifier()
    }
    changes: dict[str, Change] = {}
    for name in {**old, **new}:
        if name == DEFAULTS or name in ignored or name == "region":
            continue
        condition = kind.force_new_if.get(name)
        forced = condition is not None and condition({**state, **old}, new)
        for path, change in _property(kind, name, old, new):
            changes[path] = Change(change, forced or replaces(kind, path))
    explicit = kind.name is not None and kind.name.property not in new.get(DEFAULTS, ())
    same_name = kind.name is not None and old.get(kind.name.property) == new.get(kind.name.property)
    return Difference(changes, kind.delete_before_replace or (explicit and same_name))


def changed_properties(kind: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> frozenset[str]:
    """Return the top-level properties that differ between two plain property bags."""
    names = [name for name in {**old, **new} if name != DEFAULTS]
    return frozenset(name for name in names if any(True for _ in _property(kind, name, old, new)))


def replaces(kind: ResourceType, path: str) -> bool:
    """Whether a change at the path (indexes allowed) replaces the resource."""
    plain = listless(path)
    if kind.force_new == EVERYTHING:
        top = plain.partition(".")[0]
        return top not in kind.local and top not in ("tags", "tagsAll")
    return any(plain == forced or plain.startswith(f"{forced}.") for forced in kind.force_new)


def same(kind: ResourceType, name: str, old: Any, new: Any) -> bool:
    """Whether two plain values of a top-level property mean the same to AWS."""
    return not any(True for _ in _values(kind, name, old, new))


def _property(
    kind: ResourceType, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, Kind]]:
    """Yield the differences of one top-level property, by the HOWTO's rule for removed ones."""
    before, after = old.get(name), new.get(name)
    if after is None and (name in old.get(DEFAULTS, ()) or name in kind.kept):
        return
    if after in _NOTHING and before not in _NOTHING and not _can_be_removed(kind, name, before):
        return
    default = kind.fields.get(name, _NO_FIELD).default
    if default is not UNSET:
        before = default if before is None else before
        if after is None:
            if not same(kind, name, before, default):
                yield name, Kind.DELETE
            return
        if name not in old and same(kind, name, before, after):
            return
    yield from _values(kind, name, before, after)


def _can_be_removed(kind: ResourceType, name: str, before: Any) -> bool:
    field = kind.fields.get(name, _NO_FIELD)
    return field.default is not UNSET or isinstance(before, list | dict) or name in kind.local


def _values(kind: ResourceType, path: str, old: Any, new: Any) -> Iterator[tuple[str, Kind]]:
    if has_unknown(new) and not isinstance(new, list | dict):
        yield path, Kind.ADD if old in _NOTHING else Kind.UPDATE
        return
    if old in _NOTHING or new in _NOTHING:
        if not (old in _NOTHING and new in _NOTHING):
            yield path, Kind.ADD if old in _NOTHING else Kind.DELETE
        return
    convert = kind.fields.get(listless(path), _NO_FIELD).convert
    if convert is not None and convert.equal is not Convert().equal and not has_unknown(new):
        if convert.equal(old, new):
            return
        if convert.equal is not UNORDERED.equal:
            yield path, Kind.UPDATE
            return
    yield from _nested(kind, path, old, new)


def _nested(kind: ResourceType, path: str, old: Any, new: Any) -> Iterator[tuple[str, Kind]]:
    if isinstance(old, dict) and isinstance(new, dict):
        optional = old.get(DEFAULTS, ())
        for name in {**old, **new}:
            inner = f'{path}["{name}"]' if "." in name or "[" in name else f"{path}.{name}"
            ours = kind.fields.get(listless(inner), _NO_FIELD)
            if name != DEFAULTS and not ours.computed and not (name in optional and new.get(name) is None):
                yield from _values(kind, inner, old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(kind, path, old, new)
    elif isinstance(old, Asset) and isinstance(new, Asset):
        if old.hash != new.hash or not new.hash:
            yield path, Kind.UPDATE
    elif old != new:
        yield path, Kind.UPDATE


def _lists(kind: ResourceType, path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Kind]]:
    convert = kind.fields.get(listless(path), _NO_FIELD).convert
    scalars = not any(isinstance(item, dict | list) for item in [*old, *new])
    if (convert is None and scalars) or (convert is not None and convert.equal is UNORDERED.equal):
        yield from _sets(path, old, new)
        return
    for index in range(max(len(old), len(new))):
        inner = f"{path}[{index}]"
        if index >= len(old):
            yield inner, Kind.ADD
        elif index >= len(new):
            yield inner, Kind.DELETE
        else:
            yield from _values(kind, inner, old[index], new[index])


def _sets(path: str, old: list[Any], new: list[Any]) -> Iterator[tuple[str, Kind]]:
    """Compare by content: what came is added at its new place, what went is deleted at its old one."""
    left, right = [_text(item) for item in old], [_text(item) for item in new]
    for index, item in enumerate(right):
        if item not in left:
            yield f"{path}[{index}]", Kind.ADD if index >= len(old) or left[index] in right else Kind.UPDATE
    for index, item in enumerate(left):
        replaced = index < len(right) and right[index] not in left
        if item not in right and not replaced:
            yield f"{path}[{index}]", Kind.DELETE


def _text(item: Any) -> str:
    """Return a canonical text; members that say nothing do not count."""
    if isinstance(item, dict):
        item = {key: value for key, value in item.items() if value not in _NOTHING and key != DEFAULTS}
    return "UNKNOWN" if item is UNKNOWN else json.dumps(item, sort_keys=True, default=str)
