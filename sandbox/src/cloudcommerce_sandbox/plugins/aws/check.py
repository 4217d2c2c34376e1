"""Check: complete the inputs and refuse what can be known to fail, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudcommerce_sandbox.plugins import sdk, validation
from cloudcommerce_sandbox.plugins.aws import coverage
from cloudcommerce_sandbox.plugins.aws.clients import REGION_FORM, is_region
from cloudcommerce_sandbox.plugins.aws.declaration import Call, ResourceType
from cloudcommerce_sandbox.plugins.aws.matching import listless
from cloudcommerce_sandbox.plugins.aws.naming import give_name
from cloudcommerce_sandbox.plugins.aws.requests import Builder
from cloudcommerce_sandbox.plugins.provider import Failure, Request, Tree
from cloudcommerce_sandbox.plugins.wire import has_secret, reveal


def check(kind: ResourceType, request: Request) -> tuple[Tree, list[Failure]]:
    """Return the completed inputs and every failure found."""
    inputs = {name: value for name, value in request.inputs.items() if value is not None}
    inputs.pop("tagsAll", None)
    if kind.prepare is not None:
        inputs = kind.prepare(inputs)
    if kind.name is not None:
        give_name(kind.name, request, inputs)
    found = list(validation.failures(inputs, sdk.schema(kind.pulumi_type).inputs))
    found.extend(_refused(kind, inputs))
    found.extend(_bad_region(inputs))
    if not found:
        plain = reveal(inputs)
        found = [Failure(path, reason) for rule in kind.check for path, reason in rule(plain)]
        found.extend(_broken_constraints(kind, inputs, plain))
    return inputs, found


def _bad_region(inputs: Tree) -> Iterator[Failure]:
    region = reveal(inputs.get("region"))
    if isinstance(region, str) and not is_region(region):
        yield Failure("region", f"is no name of a region; {REGION_FORM}")


def _refused(kind: ResourceType, inputs: Tree) -> Iterator[Failure]:
    refused = coverage.refused(kind)
    computed = coverage.computed_members(kind)
    for path in _paths(reveal(inputs), ""):
        if listless(path) in computed:
            yield Failure(path, "is told by AWS: a program can't set it")
        reason = refused.get(listless(path))
        if reason is not None:
            yield Failure(path, f"the sandbox does not implement it: {reason}")


def _paths(value: Any, path: str) -> Iterator[str]:
    """Yield the path of every given property; empty lists, false and empty text ask for nothing."""
    if value in (None, False, "") or value in ([], {}):
        return
    if path:
        yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, f"{path}[{index}]")


def _broken_constraints(kind: ResourceType, inputs: Tree, plain: Tree) -> Iterator[Failure]:
    """Build the requests of create and yield what botocore's models say against their members."""
    seen: set[str] = set()
    for position, step in enumerate(kind.create):
        if not isinstance(step, Call):
            continue
        names = step.on or (tuple(plain) if position == 0 else ())
        built = Builder(kind, step).build(plain, names)
        for path, reason in built.problems:
            if path in seen:
                continue
            seen.add(path)
            secret = has_secret(inputs.get(listless(path).partition(".")[0]))
            yield Failure(path, "breaks a constraint of the API (the value is secret)" if secret else reason)
