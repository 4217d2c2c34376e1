"""Names of objects that the program does not name."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import objects
from cloudcommerce_sandbox.plugins.provider import ProviderError, Request, Tree

_DIGITS: Final = 8
"""https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming; the official plugin's suffix has
eight digits."""


def assign(request: Request, inputs: Tree) -> None:
    """Give the object a name unless it has one: the one it had, the engine's, or one of the engine's seed.

    Raises:
        ProviderError: Auto-naming is switched off, or the program wants the server to make the name.
    """
    metadata = inputs.setdefault("metadata", {})
    if not isinstance(metadata, dict) or metadata.get("name"):
        return
    if metadata.get("generateName"):
        message = (
            "metadata.generateName is not taken by the sandbox: after an interruption nobody could tell "
            "which object is this one; give metadata.name, or leave both out for a name of Pulumi's making"
        )
        raise ProviderError(message)
    old: Any = wire.reveal(request.old_inputs)
    if old and objects.is_true(old, objects.AUTONAMED):
        metadata["name"] = objects.name(old)
    else:
        metadata["name"] = fresh(request)
    notes = metadata.setdefault("annotations", {})
    if isinstance(notes, dict):
        notes[objects.AUTONAMED] = "true"


def fresh(request: Request) -> str:
    """Return the name that the engine proposes, or one of its seed: the same in preview and update.

    Raises:
        ProviderError: Auto-naming is switched off.
    """
    if request.naming.mode == "DISABLE":
        message = "auto-naming is disabled: give it a name"
        raise ProviderError(message)
    if request.naming.proposed:
        return request.naming.proposed
    if not request.seed:
        return f"{request.name}-{secrets.token_hex(_DIGITS // 2)}"
    digest = hashlib.sha256(request.seed + request.urn.encode()).hexdigest()
    return f"{request.name}-{digest[:_DIGITS]}"
