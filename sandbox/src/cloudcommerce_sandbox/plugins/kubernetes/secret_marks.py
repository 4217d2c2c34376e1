"""What of an object the engine has to encrypt in its state and to mask on the screen."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.provider import Tree

_SECRET_FIELDS: Final = ("data", "stringData")
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_MASK: Final = "[secret]"
_SHORTEST: Final = 4
"""Characters of the shortest text that is masked: shorter ones are in every message by chance."""


def mark(value: Any, source: Any) -> Any:
    """Mark as secret all of a Secret's contents, and everything that the source has as a secret.

    Args:
        value: Plain values, for example the live object.
        source: Where secrets are marked, for example the inputs it was made of.
    """
    source = source if isinstance(source, Mapping) else {}
    marked: Tree = {}
    for key, item in value.items():
        marked[key] = _mark(item, source.get(key))
    if value.get("kind") == "Secret" and "apiVersion" in value:
        for key in _SECRET_FIELDS:
            if key in marked:
                marked[key] = wire.Secret(wire.reveal(marked[key]))
        _mark_last_applied(marked)
    return marked


def _mark_last_applied(secret: Tree) -> None:
    """Mark the annotation in which kubectl keeps a copy of the whole Secret."""
    metadata = secret.get("metadata")
    notes = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(notes, dict) and _LAST_APPLIED in notes:
        kept = wire.Secret(wire.reveal(notes[_LAST_APPLIED]))
        secret["metadata"] = {**secret["metadata"], "annotations": {**notes, _LAST_APPLIED: kept}}


def _mark(value: Any, source: Any) -> Any:
    if isinstance(source, wire.Secret):
        return value if isinstance(value, wire.Secret) else wire.Secret(wire.reveal(value))
    if isinstance(value, dict) and isinstance(source, Mapping):
        return {key: _mark(item, source.get(key)) for key, item in value.items()}
    if isinstance(value, list) and wire.has_secret(source):
        # Items may have moved: nothing tells any more which of them is the secret one.
        return wire.Secret(wire.reveal(value))
    return value


def masked(text: str, *trees: Any) -> str:
    """Return a message without the secrets of some trees: servers and Helm quote what they refuse.

    Args:
        text: The message.
        *trees: Property trees of the resource it speaks of.
    """
    forms = {form for tree in trees for secret in _secrets(tree) for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _MASK)
    return text


def _secrets(tree: Any, *, inside: bool = False) -> Iterator[str]:
    if isinstance(tree, wire.Secret):
        yield from _secrets(tree.value, inside=True)
    elif isinstance(tree, Mapping):
        for item in tree.values():
            yield from _secrets(item, inside=inside)
    elif isinstance(tree, list):
        for item in tree:
            yield from _secrets(item, inside=inside)
    elif inside and not isinstance(tree, bool) and len(str(tree)) >= _SHORTEST:
        yield str(tree)


def _forms(secret: str) -> Iterator[str]:
    """Yield how a secret may be written: as it is, quoted by Go or JSON, and in base64."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
