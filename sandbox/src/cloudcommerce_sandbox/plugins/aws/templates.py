"""Templates in declarations: `{property}` is replaced by a value, wherever it stands in nested data."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

import jmespath

from cloudcommerce_sandbox.plugins.wire import UNKNOWN

_REFERENCE = re.compile(r"\{([A-Za-z_][\w.\[\]]*)\}")


@functools.lru_cache(maxsize=4096)
def _compiled(path: str) -> Any:
    return jmespath.compile(path)


def select(path: str, data: Any) -> Any:
    """Return what the JMESPath selects from the data, None when there is nothing."""
    return _compiled(path).search(data)


def references(template: Any) -> set[str]:
    """Return the top-level names that a template refers to."""
    if isinstance(template, str):
        return {re.split(r"[.\[]", found, maxsplit=1)[0] for found in _REFERENCE.findall(template)}
    if isinstance(template, Mapping):
        return set().union(*(references(value) for value in template.values()))
    if isinstance(template, list | tuple):
        return set().union(*(references(item) for item in template))
    return set()


def expand(template: Any, values: Mapping[str, Any]) -> Any:
    """Fill a template.

    Args:
        template: Text with references, or nested data with such text, or any constant.
        values: Properties and `id`, `region`, `account`, `partition`.

    Returns:
        The filled data. A text that is one reference keeps the value's type. A text with a reference to an
        absent value is None, and None members of a mapping or list are left out; with an unknown value it
        is unknown.
    """
    if isinstance(template, str):
        return _expand_text(template, values)
    if isinstance(template, Mapping):
        filled = {key: expand(value, values) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not None}
    if isinstance(template, list | tuple):
        return [value for value in (expand(item, values) for item in template) if value is not None]
    return template


def _expand_text(template: str, values: Mapping[str, Any]) -> Any:
    names = _REFERENCE.findall(template)
    if not names:
        return template
    found = {name: lookup(name, values) for name in names}
    if template == f"{{{names[0]}}}":
        return found[names[0]]
    if any(value is None for value in found.values()):
        return None
    if any(value is UNKNOWN for value in found.values()):
        return UNKNOWN
    return _REFERENCE.sub(lambda reference: _text(found[reference[1]]), template)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def lookup(name: str, values: Mapping[str, Any]) -> Any:
    """Return the value a reference means. What lies inside an unknown value is unknown."""
    top = re.split(r"[.\[]", name, maxsplit=1)[0]
    value = values.get(top)
    if value is None or value is UNKNOWN or top == name:
        return value
    return select(name, {top: value})


def parse(template: str, text: str) -> dict[str, str] | None:
    """Read back the values of a text made from a template; None when it does not fit.

    Values are taken as short as the text between them allows; the last takes the rest.
    """
    names = _REFERENCE.findall(template)
    pieces = _REFERENCE.split(template)
    pattern = "".join(re.escape(piece) if index % 2 == 0 else "(.+?)" for index, piece in enumerate(pieces))
    found = re.fullmatch(pattern, text)
    return dict(zip(names, found.groups(), strict=True)) if found else None
