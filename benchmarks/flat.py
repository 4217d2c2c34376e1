"""Turns the state of a stack into a flat program: the same resources with the same inputs, no components.

The flat program is data (`resources.json`), which `programs/flat.py` registers. What one resource takes from
another stays a reference, so that the engine sees the same dependencies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key by which Pulumi marks special values: https://www.pulumi.com/docs/iac/using-pulumi/pulumi-sdk/"""

SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret, no secret
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_SHORTEST_REFERENCE = 6
# Identifiers that are the account's or the region's: copies of a resource must not share them.
_NAMES = frozenset(
    {"brokerName", "clusterIdentifier", "identifier", "name", "replicationGroupId", "userGroupId", "userId"}
)

Document = dict[str, Any]


@dataclass(frozen=True)
class _Known:
    """Values of one resource that another can refer to."""

    index: int
    values: Mapping[str, str]


@dataclass
class _Flattening:
    numbers: dict[str, int] = field(default_factory=dict)
    known: dict[str, _Known] = field(default_factory=dict)
    resources: list[Document] = field(default_factory=list)

    def add(self, record: Mapping[str, Any]) -> None:
        index = len(self.resources)
        depends = record.get("propertyDependencies") or {}
        used: set[int] = set()
        inputs = {
            name: self._refer(value, [urn for urn in depends.get(name) or () if urn in self.known], used)
            for name, value in _given(record.get("inputs") or {}).items()
            if name != "tagsAll"
        }
        after = {self.numbers[urn] for urn in record.get("dependencies") or () if urn in self.numbers}
        self.resources.append(
            {
                "type": record["type"],
                "name": f"r{index}",
                "inputs": inputs,
                "depends": sorted(after - used),
                "id": record["id"],
                "outputs": record.get("outputs") or {},
            }
        )
        self.numbers[record["urn"]] = index
        self.known[record["urn"]] = _Known(index, dict(_referable(record)))

    def _refer(self, value: Any, urns: Sequence[str], used: set[int]) -> Any:
        if isinstance(value, dict):
            if value.get(SIGNATURE) == SECRET:
                return {"$secret": value["plaintext"]}
            if value.get(SIGNATURE) in {_ASSET, _ARCHIVE}:
                return {"$asset": value}
            return {name: self._refer(item, urns, used) for name, item in _given(value).items()}
        if isinstance(value, list):
            return [self._refer(item, urns, used) for item in value]
        if isinstance(value, str):
            return self._joined(value, urns, used)
        return value

    def _joined(self, text: str, urns: Sequence[str], used: set[int]) -> Any:
        """Replace values of the resources that a property depends on by references to them, longest first."""
        candidates = sorted(
            (
                (value, self.known[urn].index, name)
                for urn in urns
                for value, name in self.known[urn].values.items()
            ),
            key=lambda candidate: -len(candidate[0]),
        )
        for value, index, name in candidates:
            if value not in text:
                continue
            used.add(index)
            reference = {"$ref": [index, name]}
            if value == text:
                return reference
            before, _, after = text.partition(value)
            rest = (self._joined(part, urns, used) for part in (before, after))
            return {"$join": [next(rest), reference, next(rest)]}
        return text


def flatten(records: Sequence[Mapping[str, Any]], copies: int = 1) -> Document:
    """Make the data of a flat program.

    Args:
        records: Resources of `pulumi stack export --show-secrets`, in its order.
        copies: How many times everything is registered; fixed names get a suffix from the second on.

    Returns:
        `inputs` of the provider, and `resources` with `type`, `name`, `inputs`, `depends`, and the `id` and
        `outputs` that they had.
    """
    flattening = _Flattening()
    for record in records:
        if record.get("custom") and not record["type"].startswith("pulumi:"):
            flattening.add(record)
    provider = next(record for record in records if record["type"] == "pulumi:providers:aws")
    resources = [
        _copied(resource, copy, len(flattening.resources))
        for copy in range(copies)
        for resource in flattening.resources
    ]
    return {"provider": provider["inputs"], "resources": resources}


def _copied(resource: Document, copy: int, size: int) -> Document:
    if copy == 0:
        return resource
    inputs = {
        name: f"{value}-{copy}" if name in _NAMES and isinstance(value, str) else _moved(value, copy * size)
        for name, value in resource["inputs"].items()
    }
    depends = [index + copy * size for index in resource["depends"]]
    return {**resource, "name": f"{resource['name']}-{copy}", "inputs": inputs, "depends": depends}


def _moved(value: Any, by: int) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            index, name = value["$ref"]
            return {"$ref": [index + by, name]}
        return {name: _moved(item, by) for name, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, by) for item in value]
    return value


def _given(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the program gave: without what the plugin filled in, such as generated names."""
    filled_in = {*inputs.get("__defaults", ()), "__defaults"}
    return {name: value for name, value in inputs.items() if name not in filled_in}


def _referable(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in (record.get("outputs") or {}).items():
        if name == "id":
            continue
        text = value
        if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
            continue
        if isinstance(text, str) and len(text) >= _SHORTEST_REFERENCE:
            yield text, name
    yield record["id"], "id"
