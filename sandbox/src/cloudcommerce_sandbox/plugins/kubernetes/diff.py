"""Differences between the inputs in state and the wanted ones."""

from __future__ import annotations

import re
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes.equality import is_empty, same
from cloudcommerce_sandbox.plugins.provider import Change, Kind
from cloudcommerce_sandbox.plugins.wire import Secret, Unknown, reveal

Path = tuple[str | int, ...]

_MISSING: Final = object()
_PLAIN: Final = re.compile(r"[^.\[\]\"]+$")
_PART: Final = re.compile(
    r"""\.?(?P<plain>[^.\[\]"]+)|\[(?P<index>\d+)\]|\["(?P<quoted>(?:[^"\\]|\\.)*)"\]"""
)


def compare(old: Any, new: Any) -> dict[str, Change]:
    """Return all differences by property path.

    Args:
        old: Inputs in state.
        new: Wanted inputs; unknown values differ from everything.
    """
    changes: dict[str, Change] = {}
    _compare(old, new, (), changes)
    return changes


def text_of(path: Path) -> str:
    """Return a property path as the engine writes it, for example `data["app.conf"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.match(part):
            text += f".{part}" if text else part
        else:
            quoted = part.replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def path_of(text: str) -> Path | None:
    """Return what `text_of` made a text of; None for a path that stands for several, such as `a[*]`."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None or part["plain"] == "*":
            return None
        if part["index"] is not None:
            parts.append(int(part["index"]))
        else:
            parts.append(part["plain"] or part["quoted"].replace('\\"', '"'))
        position = part.end()
    return tuple(parts)


def _compare(old: Any, new: Any, path: Path, changes: dict[str, Change]) -> None:
    old, new = _bare(old), _bare(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            _compare(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key), changes)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            _compare(_at(old, index), _at(new, index), (*path, index), changes)
    elif not _equal(old, new, path):
        kind = Kind.ADD if old is _MISSING else Kind.DELETE if new is _MISSING else Kind.UPDATE
        changes[text_of(path)] = Change(kind)


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _MISSING


def _equal(old: Any, new: Any, path: Path) -> bool:
    if isinstance(new, Unknown) or isinstance(old, Unknown):
        return False
    if old is _MISSING or new is _MISSING:
        # Naming an empty value and not naming it ask for the same, but as an item of a list.
        return is_empty(_none(reveal(old))) and is_empty(_none(reveal(new))) and isinstance(path[-1], str)
    return same(reveal(old), reveal(new), path)


def _none(value: Any) -> Any:
    return None if value is _MISSING else value
