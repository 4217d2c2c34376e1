"""What a subject of claims is, and how its outputs are turned into the words of claims."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.audit.models import Value

Getter = Callable[[Any], pulumi.Output[Value | None]]


@dataclass(frozen=True)
class Subject:
    """A type of resource that makes claims.

    Attributes:
        resource: Its class.
        identifier: Output under which AWS is asked for it.
        facts: Getter of the value by fact.
    """

    resource: type[pulumi.CustomResource]
    identifier: Callable[[Any], pulumi.Output[str]]
    facts: Mapping[str, Getter]


def major(version: str | None, parts: int = 1) -> str:
    """Return the first parts of a version, in which support is counted (`17.10` is 17, `8.1.0` is 8.1)."""
    return ".".join((version or "").split(".")[:parts])


def text(output: pulumi.Output[Any]) -> pulumi.Output[Value | None]:
    """Return an output as text, empty when it has none."""
    return output.apply(lambda value: str(value) if value else "")


def flag(output: pulumi.Output[Any]) -> pulumi.Output[Value | None]:
    """Return an output as yes or no; what it lacks is a no."""
    return output.apply(bool)


def number(output: pulumi.Output[Any]) -> pulumi.Output[Value | None]:
    """Return an output as a whole number, 0 when it has none."""
    return output.apply(lambda value: int(value or 0))


def version(output: pulumi.Output[Any], parts: int) -> pulumi.Output[Value | None]:
    """Return the first parts of an output that is a version; see `major`."""
    return output.apply(lambda given: major(given, parts))


def allows_everyone(policy: str | None) -> bool:
    """Tell whether a resource policy allows something to every principal without a condition."""
    statements = json.loads(policy or "{}").get("Statement", ())
    return any(
        each["Effect"] == "Allow" and not each.get("Condition") and _is_everyone(each.get("Principal"))
        for each in ([statements] if isinstance(statements, Mapping) else statements)
    )


def _is_everyone(principal: Any) -> bool:
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return "*" in ([named] if isinstance(named, str) else named or ())
