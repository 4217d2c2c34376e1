"""What `pulumi up` would create, with the inputs as the provider would receive them.

`pulumi preview --json` gives the shape of each new record but masks its secrets; the plan file of
`--save-plan` gives the checked inputs with secrets encrypted by the stack's own key, which may therefore be
written into the state as they are. Read together they make a complete record.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operations.errors import OperationError
from operations.state import Resource

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Pulumi's placeholder for a value that is known only after another resource exists."""

_NOT_IN_STATE = ("stackTrace",)


@dataclass(frozen=True)
class Plan:
    """A preview of `pulumi up`.

    Attributes:
        creates: Records that would be created, in the program's order.
    """

    creates: tuple[Resource, ...]


def parse_plan(preview: str, plan: str) -> Plan:
    """Join a preview and its plan file.

    Args:
        preview: Output of `pulumi preview --json`.
        plan: Content of the file that `--save-plan` wrote.

    Raises:
        OperationError: Either is not what Pulumi writes.
    """
    try:
        steps = json.loads(preview)["steps"]
        goals: Mapping[str, Any] = json.loads(plan)["resourcePlans"]
        return Plan(tuple(_record(step, goals) for step in steps if step["op"] == "create"))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise OperationError(
            f"`pulumi preview --json` answered in a form this program does not know: {error!r}"
        ) from error


def has_unknowns(resource: Resource) -> bool:
    """Tell whether an input waits for a resource that does not exist yet."""
    return UNKNOWN in json.dumps(resource.inputs)


def _record(step: Mapping[str, Any], goals: Mapping[str, Any]) -> Resource:
    record = {key: value for key, value in step["newState"].items() if key not in _NOT_IN_STATE}
    goal = (goals.get(step["urn"]) or {}).get("goal") or {}
    inputs = (goal.get("inputDiff") or {}).get("adds")
    if inputs is not None:
        record["inputs"] = inputs
    return Resource(record)
