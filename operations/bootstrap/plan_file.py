"""Reading a plan from text, with errors that say where and what."""

import json
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import ValidationError

from operations.bootstrap.errors import PlanError
from operations.bootstrap.plan import Plan


def parse_plan(text: str) -> Plan:
    """Read a plan from JSON or YAML.

    Raises:
        PlanError: naming each place that is wrong, what stands there and what is expected.
    """
    try:
        content: Any = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise PlanError(f"the plan is neither JSON nor YAML: {error}") from error
    if not isinstance(content, dict):
        raise PlanError("the plan is empty or no mapping: give at least `version: 1`")
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise PlanError("the plan is wrong:\n" + "\n".join(_explain(error))) from error


def _explain(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"]) or "plan"
        # A password pasted where it does not belong must not travel on into a log.
        shown = problem["type"] != "extra_forbidden" and not place.endswith("secret")
        scalar = isinstance(problem["input"], str | int | float | bool)
        yield f"  {place}: {problem['msg']}" + (f" (got {problem['input']!r})" if shown and scalar else "")
