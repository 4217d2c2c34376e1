"""What the annotation `pulumi.com/waitFor` asks for.

See https://www.pulumi.com/registry/packages/kubernetes/ (resource readiness).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from cloudcommerce_sandbox.plugins.kubernetes.awaiting.status import READY, Check, Look, Status, waiting
from cloudcommerce_sandbox.plugins.provider import ProviderError

_CONDITION: Final = "condition="
_PATH: Final = "jsonpath="
_PATH_FORM: Final = re.compile(r"\{\s*\$?(?P<path>[^{}]*?)\s*\}(?:=(?P<value>.*))?$")
_STEP: Final = re.compile(
    r"""\.(?P<name>[\w-]+)
    |\[\s*(?P<index>-?\d+)\s*\]
    |\[\s*(?P<quoted>'[^']*'|"[^"]*")\s*\]
    |(?P<all>\.\*|\[\s*\*\s*\])
    |\[\s*\?\s*\(?\s*@\.(?P<key>[\w.-]+)\s*==\s*(?P<want>'[^']*'|"[^"]*"|\S+?)\s*\)?\s*\]""",
    re.VERBOSE,
)


def parse(text: str) -> Check:
    """Return the check that an annotation describes: one expression, or a JSON list of them, all to hold.

    Raises:
        ProviderError: It is none.
    """
    try:
        given = json.loads(text)
    except ValueError:
        given = text
    expressions = [str(item) for item in given] if isinstance(given, list) else [text]
    if not expressions:
        message = "the annotation pulumi.com/waitFor names no condition"
        raise ProviderError(message)
    checks = [_one(expression) for expression in expressions]

    def check(look: Look) -> Status:
        return next((found for each in checks if not (found := each(look)).ready), READY)

    return check


def _one(expression: str) -> Check:
    if expression.startswith(_CONDITION):
        return _condition(expression.removeprefix(_CONDITION))
    if expression.startswith(_PATH):
        return _json_path(expression.removeprefix(_PATH))
    message = f'pulumi.com/waitFor must begin with "jsonpath=" or "condition=", not {expression!r}'
    raise ProviderError(message)


def _condition(text: str) -> Check:
    kind, _, wanted = text.partition("=")
    wanted = wanted or "True"

    def check(look: Look) -> Status:
        found = look.condition(kind)
        if str(found.get("status", "")).lower() == wanted.lower():
            return READY
        return waiting(f"condition {kind} is {found.get('status') or 'not set'}, wanted {wanted}")

    return check


def _json_path(text: str) -> Check:
    form = _PATH_FORM.match(text)
    if form is None:
        message = f"pulumi.com/waitFor: {text!r} is no JSONPath of the form {{.path}} or {{.path}}=value"
        raise ProviderError(message)
    path, wanted = form["path"], form["value"]
    steps = _steps(path if path.startswith((".", "[")) else f".{path}", text)
    if wanted == "":
        message = f"pulumi.com/waitFor: {text!r} ends in = without a value"
        raise ProviderError(message)

    def check(look: Look) -> Status:
        seen = look.status.get("observedGeneration")
        if isinstance(seen, int) and seen < look.live["metadata"].get("generation", 0):
            return waiting("waiting for its controller")
        found = _select([look.live], steps)
        if found and (wanted is None or _text(found[0]) == wanted):
            return READY
        have = _text(found[0]) if found else "nothing"
        return waiting(f"{{{path}}} is {have}, wanted {wanted or 'anything'}")

    return check


def _steps(path: str, text: str) -> list[re.Match[str]]:
    steps, position = [], 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            message = f"pulumi.com/waitFor: {text!r} is not understood from {path[position:]!r} on"
            raise ProviderError(message)
        steps.append(step)
        position = step.end()
    return steps


def _select(values: list[Any], steps: Sequence[re.Match[str]]) -> list[Any]:
    for step in steps:
        values = [found for value in values for found in _follow(value, step)]
    return values


def _follow(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["name"] or (step["quoted"] or "")[1:-1]
    if name:
        return [value[name]] if isinstance(value, dict) and name in value else []
    if step["all"]:
        return (
            list(value.values())
            if isinstance(value, dict)
            else list(value)
            if isinstance(value, list)
            else []
        )
    if not isinstance(value, list):
        return []
    if step["index"] is not None:
        return value[int(step["index"]) :][:1]
    return [item for item in value if _text(_get(item, step["key"].split("."))) == step["want"].strip("'\"")]


def _get(value: Any, names: Sequence[str]) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
