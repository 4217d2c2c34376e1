"""Rules between properties, for `ResourceType.check`. The texts follow what Terraform's provider says."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.context import Properties
from cloudcommerce_sandbox.plugins.aws.declaration import CheckFunction


def _given(inputs: Properties, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if inputs.get(name) is not None]


def conflicts(*names: str) -> CheckFunction:
    """At most one of these properties may be given."""

    def rule(inputs: Properties) -> list[tuple[str, str]]:
        given = _given(inputs, names)
        return (
            [(given[-1], f"conflicts with {given[0]}: give one of {', '.join(names)}")]
            if len(given) > 1
            else []
        )

    return rule


def exactly_one(*names: str) -> CheckFunction:
    """Exactly one of these properties must be given; one that is not yet known counts as given."""

    def rule(inputs: Properties) -> list[tuple[str, str]]:
        given = _given(inputs, names)
        if len(given) == 1:
            return []
        found = "none is given" if not given else f"{' and '.join(given)} are given"
        return [(given[-1] if given else names[0], f"exactly one of {', '.join(names)} is needed, {found}")]

    return rule


def together(*names: str) -> CheckFunction:
    """These properties come together or not at all."""

    def rule(inputs: Properties) -> list[tuple[str, str]]:
        given = _given(inputs, names)
        lacking = [name for name in names if name not in given]
        return [(lacking[0], f"is needed because {given[0]} is given")] if given and lacking else []

    return rule
