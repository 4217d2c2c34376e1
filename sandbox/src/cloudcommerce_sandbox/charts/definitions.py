"""CustomResourceDefinitions with their real schemas, for recorded charts that bring them.

Projects publish their definitions in their source, and Go's module proxy serves that source by version. Each
module is pinned here with the checksum that Go verifies; what nobody publishes so gets a definition that
takes anything.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cloudcommerce_sandbox.charts.inventory import Definition
from cloudcommerce_sandbox.charts.rendering import read_all
from cloudcommerce_sandbox.errors import SandboxError

Object = dict[str, Any]

_INDEX: Final = Path(__file__).with_name("definitions.json")
_ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the definitions of API groups are published.

    Attributes:
        groups: The groups.
        module: Go module path.
        version: Its version.
        sum: Its checksum, as in `go.sum`.
        files: Patterns of the files with definitions.
        served: Group versions that charts ask for before they use them, such as monitors.
    """

    groups: Sequence[str]
    module: str
    version: str
    sum: str
    files: Sequence[str]
    served: Sequence[str] = ()

    def download(self) -> Path:
        """Return the module's folder in Go's cache; downloaded when it is not there yet.

        Raises:
            SandboxError: It can't be had, or its content is not what is pinned.
        """
        name = f"{self.module}@{self.version}"
        try:
            done = subprocess.run(
                ["go", "mod", "download", "-json", name],
                env={**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"},
                cwd=Path(__file__).parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            told = json.loads(done.stdout or "{}")
        except (OSError, ValueError) as error:
            told = {"Error": str(error)}
        if "Dir" not in told:
            raise SandboxError(
                f"The definitions of {', '.join(self.groups)} can't be had from {name}: "
                f"{told.get('Error') or done.stderr.strip()}.",
                "They need Go and its module proxy the first time; `make tools` fetches them.",
            )
        if told.get("Sum") != self.sum:
            raise SandboxError(
                f"{name} has the checksum {told.get('Sum')}; {self.sum} is pinned.",
                f"Somebody changed what is published, or the pin in {_INDEX.name} is wrong: compare both.",
            )
        return Path(told["Dir"])

    def read(self, names: frozenset[str]) -> Iterator[Object]:
        """Yield the published definitions of some names."""
        root = self.download()
        for path in (path for pattern in self.files for path in sorted(root.glob(pattern))):
            text = path.read_text()
            # Some of these files take seconds to parse, and most hold nothing that is wanted.
            if any(f"name: {name}" in text for name in names):
                yield from (
                    item
                    for item in read_all(text)
                    if isinstance(item, dict) and (item.get("metadata") or {}).get("name") in names
                )


@functools.cache
def sources() -> tuple[Source, ...]:
    """Return what is pinned."""
    return tuple(Source(**item) for item in json.loads(_INDEX.read_text()))


def fetch() -> None:
    """Bring everything that is pinned into Go's cache, where it stays.

    Raises:
        SandboxError: Something can't be had.
    """
    for source in sources():
        source.download()


def served() -> list[str]:
    """Return what charts shall find in the cluster when they are rendered, as `group/version`."""
    return sorted({api for source in sources() for api in source.served})


def definitions(wanted: Sequence[Definition]) -> dict[str, Object]:
    """Return a definition for each kind, with its published schema where there is one.

    Args:
        wanted: The kinds.

    Returns:
        The definitions by name, each ready to be created.

    Raises:
        SandboxError: A pinned module can't be had.
    """
    found: dict[str, Object] = {}
    for source in sources():
        names = frozenset(item.name for item in wanted if item.group in source.groups)
        if names:
            found |= {str(item["metadata"]["name"]): _registered(item) for item in source.read(names)}
    return {item.name: found.get(item.name) or permissive(item) for item in wanted}


def has_schema(definition: Mapping[str, Any]) -> bool:
    """Whether a definition checks its objects."""
    return all(
        version["schema"]["openAPIV3Schema"] != _ANYTHING for version in definition["spec"]["versions"]
    )


def permissive(wanted: Definition) -> Object:
    """Return a definition that takes objects of any content."""
    versions = [
        {
            "name": version,
            "served": True,
            "storage": index == 0,
            "schema": {"openAPIV3Schema": dict(_ANYTHING)},
            "subresources": {"status": {}},
        }
        for index, version in enumerate(wanted.versions)
    ]
    names = {"kind": wanted.kind, "plural": wanted.plural, "singular": wanted.kind.lower()}
    spec = {"group": wanted.group, "names": names, "scope": wanted.scope, "versions": versions}
    return _object(wanted.name, spec)


def reference(definition: Object, *, bundled: bool) -> Definition:
    """Return what a recording keeps of a definition.

    Args:
        definition: The definition as the chart has it.
        bundled: Whether it comes from a `crds/` folder.
    """
    spec = definition["spec"]
    versions = sorted(spec["versions"], key=lambda version: not version.get("storage"))
    return Definition(
        group=spec["group"],
        kind=spec["names"]["kind"],
        plural=spec["names"]["plural"],
        scope=spec["scope"],
        versions=[version["name"] for version in versions if version.get("served", True)],
        bundled=bundled,
    )


def _registered(published: Object) -> Object:
    """Return a published definition without prose, and without a webhook that nobody answers."""
    spec = {**_terse(published["spec"]), "conversion": {"strategy": "None"}}
    return _object(str(published["metadata"]["name"]), spec, published["metadata"].get("annotations") or {})


def _object(name: str, spec: Object, annotations: Mapping[str, str] | None = None) -> Object:
    # Groups under k8s.io need the annotation that names their review.
    kept = {key: text for key, text in (annotations or {}).items() if key.startswith("api-approved.")}
    metadata: Object = {"name": name, **({"annotations": kept} if kept else {})}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }


def _terse(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _terse(item)
            for key, item in value.items()
            if not (key == "description" and isinstance(item, str))
        }
    return [_terse(item) for item in value] if isinstance(value, list) else value
