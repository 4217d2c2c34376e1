"""A release's inputs: checked, completed, and as Helm takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cloudcommerce_sandbox.charts.rendering import read_all
from cloudcommerce_sandbox.plugins import sdk, validation, wire
from cloudcommerce_sandbox.plugins.kubernetes import naming
from cloudcommerce_sandbox.plugins.kubernetes.helm.options import DEFAULT_TIMEOUT
from cloudcommerce_sandbox.plugins.provider import Failure, ProviderError, Request, Tree

REPLACING: Final = ("name", "namespace")
"""Inputs that a release can't change: https://helm.sh/docs/intro/using_helm/ names releases by both."""

_REFUSED: Final = {
    "postrender": "runs a command on this machine; put what it changes into the chart or its values",
}
_DROPPED: Final = ("compat", "manifest", "resourceNames")


def complete(request: Request, default_namespace: str) -> Tree:
    """Return the inputs with a name, a namespace and the defaults of the official plugin.

    Args:
        request: The check.
        default_namespace: Where a release goes that names no namespace.

    Raises:
        ProviderError: Auto-naming is switched off and there is no name.
    """
    given = {key: value for key, value in request.inputs.items() if value is not None and key not in _DROPPED}
    if not given.get("name"):
        given["name"] = request.old_inputs.get("name") or naming.fresh(request)
    given["namespace"] = given.get("namespace") or default_namespace
    if given.get("skipAwait") is not True:
        given.setdefault("timeout", DEFAULT_TIMEOUT)
    if given.get("verify") is True:
        given.setdefault("keyring", str(Path("~/.gnupg/pubring.gpg").expanduser()))
    return given


def failures(inputs: Tree) -> Iterator[Failure]:
    """Yield what is wrong with the inputs by the installed SDK's types, and what the sandbox refuses."""
    from pulumi_kubernetes.helm.v3 import ReleaseArgs  # noqa: PLC0415 - half a second, for releases only

    yield from validation.failures(inputs, sdk.arguments(ReleaseArgs))
    for name, reason in _REFUSED.items():
        if inputs.get(name):
            yield Failure(name, f"is not run by the sandbox: it {reason}")


def merged_values(inputs: Tree) -> Tree:
    """Return the values as the program has them: those of its files below those that it gives itself.

    Raises:
        ProviderError: A file can't be read or is no YAML map.
    """
    merged: Tree = {}
    files = inputs.get("valueYamlFiles")
    for asset in files if isinstance(files, list) else ():
        merged = _merged(merged, _read(asset))
    values = inputs.get("values")
    confidential = isinstance(values, wire.Secret)
    own = values.value if isinstance(values, wire.Secret) else values
    merged = _merged(merged, own if isinstance(own, dict) else {})
    return {key: wire.Secret(value) for key, value in merged.items()} if confidential else merged


def _read(asset: Any) -> Tree:
    if not isinstance(asset, wire.Asset):
        message = f"valueYamlFiles takes a pulumi.FileAsset or StringAsset, got {type(asset).__name__}"
        raise ProviderError(message)
    try:
        documents = read_all(asset.read().decode())
    except (OSError, ValueError) as error:
        message = f"a file of valueYamlFiles can't be read: {error}"
        raise ProviderError(message) from error
    found = (documents[0] if documents else None) or {}
    if not isinstance(found, dict):
        message = f"a file of valueYamlFiles holds a {type(found).__name__}; values are a map"
        raise ProviderError(message)
    return found


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Tree:
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged
