"""Recordings: what a chart renders with a release's values, as shapes, kept as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cloudcommerce_sandbox.charts.values import differences, digest
from cloudcommerce_sandbox.files import write_atomically

Object = dict[str, Any]

RECORDED: Final = Path(__file__).parent / "recorded"
"""The recordings that come with the sandbox."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A kind that a chart brings, without its schema.

    Attributes:
        group: API group.
        kind: Kind.
        plural: Name in URLs.
        scope: `Namespaced` or `Cluster`.
        versions: Served versions, the stored one first.
        bundled: Whether it comes from a `crds/` folder, which Helm neither changes nor deletes.
    """

    group: str
    kind: str
    plural: str
    scope: str
    versions: Sequence[str]
    bundled: bool

    @property
    def name(self) -> str:
        """The definition's own name."""
        return f"{self.plural}.{self.group}"


@dataclass(frozen=True, kw_only=True)
class Hook:
    """What Helm would run around an operation; a recording does not run it."""

    kind: str
    name: str
    events: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What one chart renders for one release.

    Attributes:
        chart: The chart's name.
        version: The chart's version.
        app_version: The version of what it installs.
        release: The release's name when it was recorded.
        namespace: The release's namespace when it was recorded.
        values: The settled values (see `values.settled`).
        objects: The shapes of all objects, with marks for the release's names (see `marks`).
        definitions: The kinds it brings.
        hooks: What Helm would have run.
    """

    chart: str
    version: str
    app_version: str = ""
    release: str
    namespace: str
    values: Object
    objects: Sequence[Object]
    definitions: Sequence[Definition] = ()
    hooks: Sequence[Hook] = ()

    @property
    def key(self) -> str:
        """The hash of the values."""
        return digest(self.values)

    def document(self) -> Object:
        """Return the inventory as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Object) -> Inventory:
        """Return the inventory that `document` made.

        Raises:
            KeyError, TypeError: It is no inventory.
        """
        parts = {
            "definitions": [Definition(**item) for item in document.get("definitions", ())],
            "hooks": [Hook(**item) for item in document.get("hooks", ())],
        }
        return cls(**{**document, **parts})


@dataclass(frozen=True)
class Match:
    """The recording that fits a release best.

    Attributes:
        inventory: The recording.
        differences: Where the values differ, in words; empty when it fits.
    """

    inventory: Inventory
    differences: Sequence[str] = field(default_factory=tuple)


class Recordings:
    """A folder of recordings: `<chart>-<version>/<release>-<hash of the values>.json`.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path = RECORDED) -> None:
        self.folder = folder

    def all(self) -> Iterator[tuple[Path, Inventory]]:
        """Yield every recording with its file.

        Raises:
            ValueError: A file is none.
        """
        for path in sorted(self.folder.glob("*/*.json")):
            yield path, _read(path)

    def find(self, chart: str, version: str, release: str, values: Object) -> Match | None:
        """Return the recording of a chart at a version that fits the values best.

        Args:
            chart: The chart's name.
            version: The chart's version.
            release: The release's name; of two that fit equally, its own is taken.
            values: The release's values, as the engine has them or settled.

        Returns:
            The match, or None when that chart was not recorded at that version.
        """
        found = [
            Match(inventory, tuple(differences(inventory.values, values)))
            for path in sorted((self.folder / f"{chart}-{version}").glob("*.json"))
            for inventory in [_read(path)]
        ]
        return min(
            found,
            key=lambda match: (len(match.differences), match.inventory.release != release),
            default=None,
        )

    def versions(self, chart: str) -> list[str]:
        """Return the versions at which a chart was recorded."""
        return sorted({inventory.version for _, inventory in self.all() if inventory.chart == chart})

    def save(self, inventory: Inventory) -> Path:
        """Write a recording, in place of the release's older ones at that version.

        Args:
            inventory: The recording.

        Returns:
            The file.
        """
        folder = self.folder / f"{inventory.chart}-{inventory.version}"
        path = folder / f"{inventory.release}-{inventory.key}.json"
        for older in folder.glob(f"{inventory.release}-*.json"):
            if older != path and _read(older).release == inventory.release:
                older.unlink()
        write_atomically(path, json.dumps(inventory.document(), indent=1, sort_keys=True) + "\n")
        return path


def _read(path: Path) -> Inventory:
    try:
        return Inventory.of(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is no recording of a chart ({error}); delete it and record the release again"
        raise ValueError(message) from error
