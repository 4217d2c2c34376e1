"""How Pulumi's property names and the member names of AWS APIs find each other."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

_SEPARATORS = re.compile(r"[^a-z0-9]")


@functools.lru_cache(maxsize=8192)
def folded(name: str) -> str:
    """Return the name without case, separators and a plural ending: `subnetIds` and `SubnetId` fold alike."""
    plain = _SEPARATORS.sub("", name.lower())
    if plain.endswith("ies"):
        return plain[:-3] + "y"
    for ending in ("sses", "xes", "ches", "shes"):
        if plain.endswith(ending):
            return plain[:-2]
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain


def match(name: str, members: Iterable[str]) -> str | None:
    """Return the member that the property is called by, preferring an exact one over one that folds alike."""
    lower, alike = name.lower(), None
    for member in members:
        if member.lower() == lower:
            return member
        if alike is None and folded(member) == folded(name):
            alike = member
    return alike


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Set a dotted path in a request, making the structures on the way; two structures are merged."""
    *parents, last = path.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
    if isinstance(value, Mapping) and isinstance(target.get(last), dict):
        for key, item in value.items():
            put(target[last], key, item)
    else:
        target[last] = value


def structure(shape: Any) -> Any:
    """Return the structure shape inside lists, or None when the shape has no structure."""
    while shape is not None and shape.type_name == "list":
        shape = shape.member
    return shape if shape is not None and shape.type_name == "structure" else None


def shape_at(shape: Any, path: str) -> Any:
    """Return the botocore shape at a dotted path, looking into lists; None when there is no such member."""
    for part in path.split(".") if path else ():
        inside = structure(shape)
        if inside is None or part not in inside.members:
            return None
        shape = inside.members[part]
    return shape


def listless(path: str) -> str:
    """Return a property path as declarations write it, without list indexes."""
    if "[" not in path:
        return path
    return "".join(piece.partition("]")[2] if index else piece for index, piece in enumerate(path.split("[")))
