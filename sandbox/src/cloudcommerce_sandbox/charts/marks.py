"""Where a recording has the name and the namespace of its release.

A chart's own name is often the release's too, so words don't tell. The chart is rendered a second time for a
release of another name; what differs between the two is a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Object = dict[str, Any]

_RELEASE: Final = "@release@"
_NAMESPACE: Final = "@namespace@"
# Appended, not put in the place of the name: charts ask whether the release's name contains their own.
_TWIN_RELEASE: Final = "-qz7"
_TWIN_NAMESPACE: Final = "-qz9"


@dataclass(frozen=True)
class Names:
    """The name and the namespace of a release."""

    release: str
    namespace: str

    @property
    def twin(self) -> Names:
        """Names for the second rendering."""
        return Names(self.release + _TWIN_RELEASE, self.namespace + _TWIN_NAMESPACE)

    def marked(self, text: str) -> str:
        """Return a text with marks for these names, which must be a twin's: no other word contains them."""
        return text.replace(self.release, _RELEASE).replace(self.namespace, _NAMESPACE)

    def filled(self, value: Any) -> Any:
        """Return a value with these names in the places of the marks."""
        if isinstance(value, str):
            return value.replace(_RELEASE, self.release).replace(_NAMESPACE, self.namespace)
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value


def marked(objects: Iterable[Object], twins: Iterable[Object], names: Names) -> list[Object]:
    """Return objects with marks for the names of their release.

    Args:
        objects: The objects as rendered for the release.
        twins: The same, rendered for `names.twin`.
        names: The release's names.

    Returns:
        The objects. What a chart derives from a name in any other way stays as it was rendered.
    """
    others = {_identity(names.filled(_all_marked(item, names.twin))): item for item in twins}
    return [_compared(item, others.get(_identity(item)), names) for item in objects]


def _identity(item: Mapping[str, Any]) -> tuple[str, ...]:
    metadata = item["metadata"]
    return item["apiVersion"], item["kind"], str(metadata.get("namespace", "")), metadata["name"]


def _all_marked(value: Any, names: Names) -> Any:
    if isinstance(value, str):
        return names.marked(value)
    if isinstance(value, dict):
        return {key: _all_marked(item, names) for key, item in value.items()}
    return [_all_marked(item, names) for item in value] if isinstance(value, list) else value


def _compared(value: Any, twin: Any, names: Names) -> Any:
    if isinstance(value, str) and isinstance(twin, str):
        text = names.twin.marked(twin)
        return text if names.filled(text) == value else value
    if isinstance(value, dict) and isinstance(twin, dict):
        return {key: _compared(item, twin.get(key), names) for key, item in value.items()}
    if isinstance(value, list) and isinstance(twin, list) and len(value) == len(twin):
        return [_compared(item, other, names) for item, other in zip(value, twin, strict=True)]
    return value
