"""What an installed Pulumi SDK says about a resource type: its inputs, outputs and their types.

The SDK's classes carry Pulumi names and types on their properties; `pulumi._types` reads them the way the
SDK itself does. Only the modules of services in use are imported, and each type is looked at once.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import keyword
import threading
import types
import typing
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_LOCK = threading.RLock()


@dataclass(frozen=True)
class Kind:
    """The type of a property.

    Attributes:
        name: `string`, `integer`, `number`, `boolean`, `list`, `map`, `object`, `asset`, `any` or `union`.
        item: The item's type of a list or map.
        fields: The properties of an object, read lazily because SDK types can be recursive.
        choices: The alternatives of a union.
        values: The values of an enum of strings.
    """

    name: str
    item: Kind | None = None
    source: type | None = None
    choices: tuple[Kind, ...] = ()

    @property
    def fields(self) -> Mapping[str, Property]:
        """The properties of an object type by Pulumi name."""
        return _object_fields(self.source) if self.source is not None else {}


@dataclass(frozen=True)
class Property:
    """A property of an object or resource: its type and whether it must be given."""

    kind: Kind
    required: bool = False


@dataclass(frozen=True)
class Schema:
    """A resource type as the SDK has it: inputs and outputs (inputs are outputs too) by Pulumi name."""

    inputs: Mapping[str, Property]
    outputs: Mapping[str, Kind] = field(default_factory=dict)


_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@functools.cache
def schema(token: str) -> Schema:
    """Return the SDK's view of a resource type.

    Args:
        token: Pulumi type token, for example `aws:ec2/vpc:Vpc`.

    Raises:
        LookupError: The SDK has no such type.
    """
    with _LOCK:
        resource, args = _classes(token)
        outputs = {name: _kind(hint) for name, hint in _pulumi_types().resource_types(resource).items()}
        return Schema(inputs=_object_fields(args), outputs=outputs)


def arguments(source: type) -> Mapping[str, Property]:
    """Return the properties of an arguments class whose token does not tell where it is.

    Args:
        source: The class, such as `pulumi_kubernetes.helm.v3.ReleaseArgs`.
    """
    with _LOCK:
        return _object_fields(source)


def _pulumi_types() -> Any:
    return importlib.import_module("pulumi._types")


def _classes(token: str) -> tuple[type, type]:
    provider, module_path, name = token.split(":")
    service = module_path.partition("/")[0]
    package = f"pulumi_{provider}"
    if service != "index":
        package += f".{service}{'_' * keyword.iskeyword(service)}"
    try:
        module = importlib.import_module(package)
        return getattr(module, name), getattr(module, f"{name}Args")
    except (ImportError, AttributeError) as error:
        message = f"the installed {package} has no type {token}"
        raise LookupError(message) from error


@functools.cache
def _object_fields(source: type) -> Mapping[str, Property]:
    library = _pulumi_types()
    if library.is_output_type(source):
        hints = library.output_type_types(source)
        return {name: Property(_kind(hint)) for name, hint in hints.items()}
    names = library.input_type_py_to_pulumi_names(source)
    parameters = inspect.signature(source).parameters
    required = {
        names[key]
        for key, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty and key in names
    }
    hints = library.input_type_types(source)
    return {name: Property(_kind(hint), name in required) for name, hint in hints.items()}


def _kind(hint: Any) -> Kind:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(typing.get_args(hint))
    if origin in (Sequence, list):
        return Kind("list", item=_kind(typing.get_args(hint)[0]))
    if origin in (Mapping, dict):
        return Kind("map", item=_kind(typing.get_args(hint)[1]))
    if hint in _SCALARS:
        return Kind(_SCALARS[hint])
    return _class_kind(hint)


def _class_kind(hint: Any) -> Kind:
    if not isinstance(hint, type):
        return Kind("any")
    if issubclass(hint, Enum):
        return Kind("string")
    if hint.__name__ in ("Asset", "Archive"):
        return Kind("asset")
    library = _pulumi_types()
    if library.is_input_type(hint) or library.is_output_type(hint):
        return Kind("object", source=hint)
    return Kind("any")


def _union(arguments: Sequence[Any]) -> Kind:
    """`Input[T]` is a union of T, awaitables and outputs of T; what remains without these is the type."""
    kinds: list[Kind] = []
    for argument in arguments:
        if argument is type(None) or _is_deferred(argument):
            continue
        kind = _kind(argument)
        if kind not in kinds:
            kinds.append(kind)
    typed_dict_free = [kind for kind in kinds if kind.name != "any"]
    kinds = typed_dict_free or kinds
    return kinds[0] if len(kinds) == 1 else Kind("union", choices=tuple(kinds)) if kinds else Kind("any")


def _is_deferred(hint: Any) -> bool:
    origin = typing.get_origin(hint) or hint
    return origin is Awaitable or getattr(origin, "__name__", "") == "Output"
