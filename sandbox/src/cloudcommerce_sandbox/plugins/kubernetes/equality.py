"""When two values of an object mean the same to the API server."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?|[eE][+-]?\d+)$")
_SUFFIXES: Final = {
    "n": Decimal(10) ** -9,
    "u": Decimal(10) ** -6,
    "m": Decimal(10) ** -3,
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
"""https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""

_QUANTITY_FIELDS: Final = frozenset(
    (
        "allocatable",
        "capacity",
        "default",
        "defaultRequest",
        "hard",
        "limits",
        "max",
        "maxLimitRequestRatio",
        "min",
        "overhead",
        "podFixed",
        "requests",
    )
)
"""Maps whose values are quantities in the built-in kinds."""

_QUANTITY_LEAVES: Final = frozenset(("sizeLimit", "averageValue", "divisor"))


def parse_quantity(text: Any) -> Decimal | None:
    """Return the number that a quantity such as `500m` or `2Gi` stands for; None when it is none."""
    found = _QUANTITY.match(str(text)) if isinstance(text, str | int | float) else None
    if found is None or isinstance(text, bool):
        return None
    number, suffix = found.groups()
    if suffix in _SUFFIXES:
        return Decimal(number) * _SUFFIXES[suffix]
    return Decimal(number + suffix)


def same(left: Any, right: Any, path: tuple[str | int, ...] = ()) -> bool:
    """Whether two leaves mean the same.

    Args:
        left: One value.
        right: The other.
        path: Where they stand: only there is `1000m` the same as `1`.
    """
    if left == right and isinstance(left, bool) == isinstance(right, bool):
        return True
    if not _holds_quantity(path):
        return False
    first, second = parse_quantity(left), parse_quantity(right)
    return first is not None and first == second


def is_empty(value: Any) -> bool:
    """Whether the server leaves such a value out of what it answers, as Go's encoding does."""
    return value is None or value is False or value in ("", 0) or value in ([], {})


def _holds_quantity(path: tuple[str | int, ...]) -> bool:
    names = [part for part in path if isinstance(part, str)]
    return bool(names) and (
        names[-1] in _QUANTITY_LEAVES or (len(names) > 1 and names[-2] in _QUANTITY_FIELDS)
    )
