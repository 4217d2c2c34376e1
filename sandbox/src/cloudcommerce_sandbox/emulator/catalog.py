"""Engine versions, parameter families and static parameters of AWS, from dated data files.

The files are kept by hand, so they may lag behind AWS: what they do not know is refused only where it cannot
have come since, see `is_refused`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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


def _families(engine: str) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = _document("versions.json")["engines"].get(engine, {}).get("families", [])
    return known


def source_of_versions(engine: str) -> str:
    """Returns the page and the date of an engine's versions, for messages.

    Args:
        engine: one that the catalog has.
    """
    document = _document("versions.json")
    return f"{document['engines'][engine]['source']} as of {document['date']}"


def engine_versions(engine: str) -> list[EngineVersion]:
    """Returns the versions of an engine that can be created, oldest first; none for an unknown engine."""
    return list(_engine_versions(engine))


def _engine_versions(engine: str) -> Iterator[EngineVersion]:
    for family in _families(engine):
        for version in family["versions"]:
            is_default = bool(family.get("default")) and version == family["versions"][-1]
            yield EngineVersion(engine, version, family["family"], is_default)


def resolve(engine: str, version: str | None) -> EngineVersion | None:
    """Returns what the service makes of a requested version, or None when the catalog does not have it.

    No version means the engine's default; a prefix by whole parts (`17` of `17.10`) the newest below it.
    """
    candidates = engine_versions(engine)
    if not version:
        return next((candidate for candidate in candidates if candidate.is_default), None)
    fitting = [c for c in candidates if _is_below(c.version, version)]
    return fitting[-1] if fitting else None


def is_refused(engine: str, version: str | None) -> bool:
    """Whether AWS certainly refuses to create a version.

    Let through are engines that the catalog does not have, releases newer than the catalog's within a line
    in support, and all of a line in extended support, for which the catalog lists no versions.
    """
    families = _families(engine)
    if not version or not families or resolve(engine, version):
        return False
    for family in families:
        if _is_below(version, _line(family["family"])):
            return bool(family["versions"]) and _parts(version) < _parts(family["versions"][0])
    return True


def _is_below(version: str, prefix: str) -> bool:
    return f"{version}.".startswith(f"{prefix}.")


def _line(family: str) -> str:
    """Returns the versions that a family is for: `17` of postgres17, `6` of redis6.x, `1.35` of itself."""
    return "".join(re.findall(r"\d+(?:\.\d+)*", family)[:1])


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def families(engine: str) -> list[str]:
    """Returns the parameter group families of an engine."""
    return [family["family"] for family in _families(engine)]


def static_parameters(family: str) -> frozenset[str]:
    """Returns the parameters of a family that certainly wait for a reboot; the list need not be complete."""
    known = _document("static_parameters.json")["families"].get(family, {})
    return frozenset(known.get("names", ()))
