"""The Helm releases that a program declares, and whether the recordings fit them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloudcommerce_sandbox.charts.inventory import Recordings
from cloudcommerce_sandbox.charts.values import PLACEHOLDER

RELEASE: Final = "kubernetes:helm.sh/v3:Release"

_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_MASKED: Final = "[secret]"
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_DEFAULT_NAMESPACE: Final = "default"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A release as the program declares it.

    Attributes:
        logical_name: Its name in the program.
        name: Its name in the cluster.
        namespace: Its namespace.
        chart: The chart's name, without its repository.
        version: The chart's version; empty when the program pins none.
        values: Its settled values.
    """

    logical_name: str
    name: str
    namespace: str
    chart: str
    version: str
    values: dict[str, Any]


def declared(logical_name: str, inputs: Mapping[str, Any]) -> Declared:
    """Return a release from its inputs as an engine prints or sends them.

    Args:
        logical_name: Its name in the program.
        inputs: Its inputs; unknown and secret values may be in any of the engine's notations.
    """
    known = {key: _plain(value) for key, value in inputs.items()}

    def text(key: str, default: str = "") -> str:
        value = known.get(key)
        return value if isinstance(value, str) and value else default

    return Declared(
        logical_name=logical_name,
        # A name that the provider makes up begins with the logical one.
        name=text("name", logical_name),
        namespace=text("namespace", _DEFAULT_NAMESPACE),
        chart=chart_name(text("chart")),
        version=text("version"),
        values=known.get("values") or {},
    )


def chart_name(reference: str) -> str:
    """Return the name of a chart from what a program calls it: a name, `repository/name` or a URL."""
    return reference.rstrip("/").rpartition("/")[2]


def from_preview(document: Mapping[str, Any]) -> list[Declared]:
    """Return the releases of a `pulumi preview --json`.

    Args:
        document: What it printed.
    """
    found = []
    for step in document.get("steps") or ():
        state = step.get("newState") or {}
        if state.get("type") == RELEASE:
            found.append(declared(str(state["urn"]).rpartition("::")[2], state.get("inputs") or {}))
    return found


def problems(releases: Iterable[Declared], recordings: Recordings) -> Iterator[str]:
    """Yield, in words and with the command that mends it, each release that no recording fits.

    Args:
        releases: The releases of a program.
        recordings: The recordings.
    """
    for release in releases:
        match = recordings.find(release.chart, release.version, release.name, release.values)
        if match is None:
            yield missing(release.name, release.chart, release.version, recordings)
        elif match.differences:
            yield stale(release.name, release.chart, release.version, match.differences)


def missing(release: str, chart: str, version: str, recordings: Recordings) -> str:
    """Return the complaint about a release whose chart was never recorded at that version."""
    if not version:
        return f"release {release}: chart {chart} has no version; pin one, recordings are made by version"
    others = recordings.versions(chart)
    there = f"; recorded are {', '.join(others)}" if others else ""
    return (
        f"release {release}: chart {chart} {version} was never recorded{there}. Record it: {_command(chart)}"
    )


def stale(release: str, chart: str, version: str, changes: Iterable[str]) -> str:
    """Return the complaint about a release whose values have changed since it was recorded."""
    return (
        f"release {release}: the recording of chart {chart} {version} is stale: {'; '.join(changes)}. "
        f"Record it again: {_command(chart)}"
    )


def _command(chart: str) -> str:
    return f"`cloudcommerce-sandbox charts record --mirror DIR {chart}`"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            dict(PLACEHOLDER) if _SIGNATURE in value else {key: _plain(item) for key, item in value.items()}
        )
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return dict(PLACEHOLDER) if value in (_UNKNOWN, _MASKED) and isinstance(value, str) else value
