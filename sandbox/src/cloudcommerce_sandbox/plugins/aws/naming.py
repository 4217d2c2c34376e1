"""Auto-naming: physical names for resources whose program gives none."""

from __future__ import annotations

import hashlib
import re
import secrets

from cloudcommerce_sandbox.plugins.aws.declaration import Name
from cloudcommerce_sandbox.plugins.provider import DEFAULTS, Naming, Request, Tree
from cloudcommerce_sandbox.plugins.wire import Secret

_HEX_DIGITS = 7


def give_name(rule: Name, request: Request, inputs: Tree) -> None:
    """Put a name into the inputs unless the program gave one, and remember that it is ours.

    A name once given is kept for the resource's life: its olds carry it.
    """
    if inputs.get(rule.property) is not None:
        return
    old = request.old_inputs
    old_prefix = old.get(rule.prefix) if rule.prefix else None
    same_prefix = not rule.prefix or old_prefix == inputs.get(rule.prefix)
    if rule.property in old.get(DEFAULTS, ()) and old.get(rule.property) and same_prefix:
        name = old[rule.property]
    else:
        name = _new_name(rule, request, inputs)
    if name:
        inputs[rule.property] = name
        inputs[DEFAULTS] = sorted({*inputs.get(DEFAULTS, ()), rule.property})


def _new_name(rule: Name, request: Request, inputs: Tree) -> str:
    random_end = _hex(request)
    prefix = inputs.get(rule.prefix) if rule.prefix else None
    prefix = prefix.value if isinstance(prefix, Secret) else prefix
    if isinstance(prefix, str):
        return prefix[: rule.max_length - _HEX_DIGITS] + random_end
    if request.naming.mode == "DISABLE":
        return ""
    if request.naming.mode == "ENFORCE":
        return request.naming.proposed
    base, end = request.name, f"-{random_end}"
    if request.naming.proposed:
        base, end = _split_proposal(request.naming, random_end)
    room = rule.max_length - len(rule.start) - len(end) - len(rule.suffix)
    body = _clean(base, rule)[:room].rstrip("-")
    return f"{rule.start}{body}{_clean(end, rule) if end else ''}{rule.suffix}"


def _split_proposal(naming: Naming, random_end: str) -> tuple[str, str]:
    """Keep the random end of the engine's proposal when it has one, so that cutting never takes it."""
    base, dash, end = naming.proposed.rpartition("-")
    is_random = bool(dash) and re.fullmatch(rf"[0-9a-f]{{{_HEX_DIGITS}}}", end) is not None
    return (base, f"-{end}") if is_random else (naming.proposed, "" if naming.proposed else f"-{random_end}")


def _clean(text: str, rule: Name) -> str:
    text = text.lower() if rule.lower else text
    return re.sub(rf"[^{rule.allowed}]", "-", text)


def _hex(request: Request) -> str:
    """Return random digits, the same in preview and update because the engine gives both the same seed."""
    if not request.seed:
        return secrets.token_hex(4)[:_HEX_DIGITS]
    return hashlib.sha256(request.seed + request.urn.encode()).hexdigest()[:_HEX_DIGITS]
