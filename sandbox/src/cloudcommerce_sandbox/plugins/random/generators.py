"""The values of the `random` resources, made with the operating system's randomness.

Properties and defaults: https://www.pulumi.com/registry/packages/random/api-docs/
"""

from __future__ import annotations

import base64
import secrets
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import bcrypt

SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
"""The special characters of Terraform's provider: they survive most shells and connection strings."""

_COST: Final = 10
_BCRYPT_BYTES: Final = 72
Inputs = Mapping[str, Any]
Outputs = dict[str, Any]


def text(inputs: Inputs) -> Outputs:
    """Make a string of `length` with at least `minLower`, `minUpper`, … of each kind of character."""
    classes = (
        ("lower", "minLower", string.ascii_lowercase),
        ("upper", "minUpper", string.ascii_uppercase),
        ("numeric", "minNumeric", string.digits),
        ("special", "minSpecial", inputs.get("overrideSpecial") or SPECIAL),
    )
    wanted = [(alphabet, int(inputs.get(least) or 0)) for _, least, alphabet in classes]
    allowed = "".join(alphabet for flag, _, alphabet in classes if _flag(inputs, flag))
    picked = [secrets.choice(alphabet) for alphabet, least in wanted for _ in range(least)]
    picked += [secrets.choice(allowed) for _ in range(int(inputs["length"]) - len(picked))]
    secrets.SystemRandom().shuffle(picked)
    outputs: Outputs = {flag: _flag(inputs, flag) for flag, _, _ in classes}
    outputs |= {least: count for (_, least, _), (_, count) in zip(classes, wanted, strict=True)}
    return {**outputs, "number": outputs["numeric"], "result": "".join(picked)}


def _flag(inputs: Inputs, name: str) -> bool:
    given = inputs.get(name)
    if given is None and name == "numeric":
        given = inputs.get("number")
    return True if given is None else bool(given)


def password(inputs: Inputs) -> Outputs:
    """Make a string as `text` does, with its bcrypt hash."""
    outputs = text(inputs)
    return {**outputs, "bcryptHash": hashed(outputs["result"])}


def hashed(value: str) -> str:
    """Return the bcrypt hash at the provider's cost of 10; bcrypt itself looks at no more than 72 bytes."""
    return bcrypt.hashpw(value.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(_COST)).decode()


def identifier(inputs: Inputs) -> Outputs:
    """Make `byteLength` random bytes in every notation that RandomId gives."""
    return identifier_of(secrets.token_bytes(int(inputs["byteLength"])), inputs.get("prefix") or "")


def identifier_of(raw: bytes, prefix: str) -> Outputs:
    """Return the notations of given bytes."""
    return {
        "b64Url": prefix + base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "b64Std": prefix + base64.b64encode(raw).decode(),
        "hex": prefix + raw.hex(),
        "dec": f"{prefix}{int.from_bytes(raw, 'big')}",
    }


def integer(inputs: Inputs) -> Outputs:
    """Make an integer between `min` and `max`, both included; a `seed` makes it repeatable."""
    low, high = int(inputs["min"]), int(inputs["max"])
    if inputs.get("seed"):
        # The program asks for a repeatable value, so this one is not secret.
        import random  # noqa: PLC0415 - the one place that wants weak randomness

        return {"result": random.Random(str(inputs["seed"])).randint(low, high)}  # noqa: S311
    return {"result": low + secrets.randbelow(high - low + 1)}


def universal(_inputs: Inputs) -> Outputs:
    """Make a version 4 UUID."""
    return {"result": str(uuid.uuid4())}


def limits(inputs: Inputs) -> Sequence[tuple[str, str]]:
    """Return what can't be fulfilled: (property, reason)."""
    failures = []
    length = inputs.get("length")
    least = sum(int(inputs.get(name) or 0) for name in ("minLower", "minUpper", "minNumeric", "minSpecial"))
    if isinstance(length, int) and length < max(1, least):
        failures.append(
            ("length", f"{length} is less than the {max(1, least)} characters that the minimums ask for")
        )
    if isinstance(length, int) and not any(
        _flag(inputs, n) for n in ("lower", "upper", "numeric", "special")
    ):
        failures.append(("length", "every kind of character is switched off: allow at least one"))
    low, high = inputs.get("min"), inputs.get("max")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        failures.append(("min", f"{low} is more than max, {high}"))
    if isinstance(inputs.get("byteLength"), int) and inputs["byteLength"] < 1:
        failures.append(("byteLength", f"{inputs['byteLength']} is less than the minimum of 1"))
    return failures


GENERATORS: Final[Mapping[str, Callable[[Inputs], Outputs]]] = {
    "random:index/randomPassword:RandomPassword": password,
    "random:index/randomString:RandomString": text,
    "random:index/randomId:RandomId": identifier,
    "random:index/randomInteger:RandomInteger": integer,
    "random:index/randomUuid:RandomUuid": universal,
}
"""Pulumi type token to the function that makes its outputs."""
