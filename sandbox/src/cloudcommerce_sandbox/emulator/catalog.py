"""Engine versions and parameter families that AWS supports, from dated data files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class EngineVersion:
    """A version that can be created today.

    Attributes:
        engine: name in the API, such as `postgres`, `docdb`, `valkey`, `RABBITMQ` or `kubernetes`.
        version: full version.
        family: its parameter group family, where the service has such.
        is_default: whether the service takes it when none is asked for.
    """

    engine: str
    version: str
    family: str
    is_default: bool


@cache
def _document(name: str) -> dict[str, Any]:
    text = files("cloudcommerce_sandbox.emulator").joinpath("data", name).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def source_of_versions() -> str:
    """Returns the pages and the date of the version data, for messages."""
    document = _document("versions.json")
    return f"{document['source']} as of {document['date']}"


def engine_versions(engine: str) -> list[EngineVersion]:
    """Returns the versions of an engine that can be created, oldest first; none for an unknown engine."""
    return list(_engine_versions(engine))


def _engine_versions(engine: str) -> Iterator[EngineVersion]:
    for family in _document("versions.json")["engines"].get(engine, ()):
        newest = family["versions"][-1]
        for version in family["versions"]:
            is_default = bool(family.get("default")) and version == newest
            yield EngineVersion(engine, version, family["family"], is_default)


def resolve(engine: str, version: str | None) -> EngineVersion | None:
    """Returns what the service makes of a requested version, or None when it refuses.

    No version means the engine's default; a prefix by whole parts (`17` of `17.10`) the newest below it.
    """
    candidates = engine_versions(engine)
    if not version:
        return next((candidate for candidate in candidates if candidate.is_default), None)
    fitting = [c for c in candidates if f"{c.version}.".startswith(f"{version}.")]
    return fitting[-1] if fitting else None


def families(engine: str) -> list[str]:
    """Returns the parameter group families of an engine."""
    return list(dict.fromkeys(version.family for version in engine_versions(engine)))


def parameters(family: str) -> Mapping[str, str] | None:
    """Returns `static` or `dynamic` by parameter name, or None when the data does not know the family."""
    known: Mapping[str, str] | None = _document("parameters.json")["families"].get(family)
    return known
