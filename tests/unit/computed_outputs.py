"""What a provider would compute for a resource, made up from the SDK's own types."""

import collections.abc
import functools
import importlib
import inspect
import keyword
import typing
from collections.abc import Iterator
from typing import Any

ACCOUNT_ID = "123456789012"
REGION = "us-east-1"


@functools.cache
def computed_outputs(type_: str, name: str) -> dict[str, Any]:
    """Plausible values for what a provider computes: one for each output that the SDK's class always has.

    Args:
        type_: Token of a custom resource, such as `aws:ec2/vpc:Vpc`; providers and Kubernetes objects
            compute nothing.
        name: Logical name; every string contains it, so that a test sees where a value came from.
    """
    # A Kubernetes object computes nothing that a program reads: its spec is what was asked for.
    if type_.startswith(("pulumi:providers:", "kubernetes:")):
        return {}
    package, module_path, class_name = type_.split(":")
    submodule = module_path.split("/")[0]
    python_name = f"{submodule}_" if keyword.iskeyword(submodule) else submodule
    module = importlib.import_module(
        f"pulumi_{package}" if submodule == "index" else f"pulumi_{package}.{python_name}"
    )
    arn = f"arn:aws:{submodule}:{REGION}:{ACCOUNT_ID}:{name}"
    hints = {key: typing.get_args(hint)[0] for key, hint in _properties(getattr(module, class_name))}
    values = {key: _plausible(hint, name, arn, key) for key, hint in hints.items()}
    return {key: value for key, value in values.items() if value is not None}


def _properties(owner: type) -> Iterator[tuple[str, Any]]:
    """The properties that the SDK's code generator declared on a class: name for the engine, and type."""
    for _, prop in inspect.getmembers(owner, lambda member: isinstance(member, property)):
        key = getattr(prop.fget, "_pulumi_name", None)
        if key is not None:
            yield key, typing.get_type_hints(prop.fget)["return"]


def _plausible(hint: Any, name: str, arn: str, key: str) -> Any:
    if hint is str and key == "policy":
        return '{"Version": "2012-10-17", "Statement": []}'
    if hint is str:
        return arn if key.lower().endswith("arn") else f"{name}-{key}"
    if hint is int:
        return 5000
    if typing.get_origin(hint) is collections.abc.Sequence:
        item = _plausible(typing.get_args(hint)[0], name, arn, key)
        return None if item is None else [item]
    if isinstance(hint, type) and issubclass(hint, dict):
        # Inside an object nearly everything is declared optional: there, optional ones have values, too.
        inner = {k: _plausible(_required(h), name, arn, k) for k, h in _properties(hint)}
        return {k: v for k, v in inner.items() if v is not None}
    return None


def _required(hint: Any) -> Any:
    given = [argument for argument in typing.get_args(hint) if argument is not type(None)]
    return given[0] if type(None) in typing.get_args(hint) else hint
