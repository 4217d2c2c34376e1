"""The `random` provider: a value is made once and lives in state; any change of arguments makes a new one."""

from __future__ import annotations

import base64
import importlib.metadata
import json
from typing import Any, Final

from cloudcommerce_sandbox.plugins import sdk, validation, wire
from cloudcommerce_sandbox.plugins.provider import (
    Change,
    Difference,
    Failure,
    Kind,
    Provider,
    ProviderError,
    Request,
    Tree,
)
from cloudcommerce_sandbox.plugins.random import generators

_PASSWORD: Final = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
_SECRET_OUTPUTS: Final = {_PASSWORD: ("result", "bcryptHash")}
_HIDDEN_ID: Final = "none"


class RandomProvider(Provider):
    """Passwords, strings, ids, integers and UUIDs."""

    name = "random"

    def __init__(self) -> None:
        distribution = importlib.metadata.distribution("pulumi_random")
        told = distribution.read_text("pulumi_random/pulumi-plugin.json")
        path = distribution.locate_file("pulumi_random/pulumi-plugin.json")
        self.version = str(json.loads(told or path.read_text())["version"])

    def configure(self, config: Tree) -> None:
        """There is nothing to configure."""

    def cancel(self) -> None:
        """Nothing here waits."""

    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Validate arguments against the installed SDK and against each other."""
        _generator(request)
        inputs = {name: value for name, value in request.inputs.items() if value is not None}
        failures = list(validation.failures(inputs, sdk.schema(request.type).inputs))
        if not failures:
            failures = [Failure(path, reason) for path, reason in generators.limits(wire.reveal(inputs))]
        return inputs, failures

    def diff(self, request: Request) -> Difference:
        """Every change replaces: an old value is never altered."""
        old, new = wire.reveal(request.old_inputs), wire.reveal(request.inputs)
        imported = request.state.get("__imported") is True
        changes = {}
        for name in sorted({*old, *new}):
            before = old.get(name, request.state.get(name) if imported else None)
            if before != new.get(name) and not (imported and name not in new):
                kind = Kind.ADD if name not in old else Kind.DELETE if name not in new else Kind.UPDATE
                changes[name] = Change(kind, replace=True)
        return Difference(changes)

    def create(self, request: Request) -> tuple[str, Tree]:
        """Make the value; in preview it is unknown."""
        generate = _generator(request)
        if request.preview:
            names = sdk.schema(request.type).outputs
            unknown: Tree = {name: wire.UNKNOWN for name in names if name not in request.inputs}
            return "", _marked(request, {**unknown, **request.inputs})
        made = generate(wire.reveal(request.inputs))
        return _id(request, made), _marked(request, {**made, **request.inputs})

    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Refresh from state, which is all there is, or import a value given as the id."""
        if request.state:
            return request.id, request.inputs, request.state
        imported = _imported(request)
        outputs = {**imported, "__imported": True}
        inputs = {name: value for name, value in imported.items() if name in sdk.schema(request.type).inputs}
        return _id(request, imported), inputs, _marked(request, outputs)

    def update(self, request: Request) -> Tree:
        """Nothing changes in place but what an import left open."""
        kept = {name: value for name, value in request.state.items() if name != "__imported"}
        return {**kept, **request.inputs}

    def delete(self, request: Request) -> None:
        """The value goes with its state."""


def _generator(request: Request) -> Any:
    found = generators.GENERATORS.get(request.type)
    if found is None:
        known = ", ".join(sorted(token.rpartition(":")[2] for token in generators.GENERATORS))
        message = f"the sandbox's random plugin does not implement {request.type}; it has {known}"
        raise ProviderError(message)
    return found


def _marked(request: Request, outputs: Tree) -> Tree:
    secret = {*_SECRET_OUTPUTS.get(request.type, ())}
    secret |= {name for name, value in request.inputs.items() if wire.has_secret(value)}
    return {
        name: wire.Secret(value) if name in secret and not isinstance(value, wire.Secret) else value
        for name, value in outputs.items()
    }


def _id(request: Request, outputs: Tree) -> str:
    """Return the id, which the engine shows: a password's tells nothing."""
    if request.type == _PASSWORD:
        return _HIDDEN_ID
    return str(outputs.get("b64Url") or outputs["result"])


def _imported(request: Request) -> Tree:
    """Understand an import id: the value itself, for RandomInteger `value,min,max`."""
    kind = request.type.rpartition(":")[2]
    try:
        return _IMPORTS[kind](request.id)
    except (KeyError, ValueError) as error:
        message = f"{request.id!r} can't be imported as {kind}: {error}"
        raise ProviderError(message) from error


def _import_id(text: str) -> Tree:
    prefix, _, encoded = text.rpartition(",")
    raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    found: Tree = {**generators.identifier_of(raw, prefix), "byteLength": len(raw)}
    return {**found, "prefix": prefix} if prefix else found


def _import_integer(text: str) -> Tree:
    value, low, high = text.split(",")[:3]
    return {"result": int(value), "min": int(low), "max": int(high)}


_IMPORTS: Final = {
    "RandomPassword": lambda text: {
        "result": text,
        "length": len(text),
        "bcryptHash": generators.hashed(text),
    },
    "RandomString": lambda text: {"result": text, "length": len(text)},
    "RandomUuid": lambda text: {"result": text},
    "RandomId": _import_id,
    "RandomInteger": _import_integer,
}
