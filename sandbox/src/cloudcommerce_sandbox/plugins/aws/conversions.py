"""How a Pulumi property value and the value of an AWS API differ, and when two values mean the same."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def _same(value: Any) -> Any:
    return value


def _equal(left: Any, right: Any) -> bool:
    return bool(left == right)


@dataclass(frozen=True)
class Convert:
    """Translation of one property's value between Pulumi and the API.

    Attributes:
        send: Pulumi value to request value.
        read: Response value to Pulumi value.
        equal: Whether two Pulumi values mean the same to AWS, so that no difference is shown. Called with the
            value in state (what AWS reported) first and the wanted value second.
    """

    send: Callable[[Any], Any] = _same
    read: Callable[[Any], Any] = _same
    equal: Callable[[Any, Any], bool] = _equal


def canonical_policy(document: Any) -> Any:
    """Bring an IAM policy or any JSON document to one canonical form.

    IAM treats a one-element list and its element alike, and the order of lists of strings as meaningless:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

    Args:
        document: JSON text or an already parsed value. Text that is no JSON is returned unchanged.
    """
    if isinstance(document, str) and document[:1] in "{[":
        try:
            document = json.loads(document)
        except ValueError:
            return document
    if isinstance(document, Mapping):
        return {key: canonical_policy(value) for key, value in document.items()}
    if isinstance(document, list):
        items = [canonical_policy(item) for item in document]
        if len(items) == 1:
            return items[0]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))
    return document


def _parsed(document: Any) -> Any:
    try:
        return json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return document


def _json_text(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _unordered(value: Any) -> list[str]:
    items = value if isinstance(value, list | tuple) else [value]
    return sorted(json.dumps(item, sort_keys=True) for item in items if item is not None)


def _version_prefix(actual: Any, wanted: Any) -> bool:
    return str(actual) == str(wanted) or str(actual).startswith(str(wanted).removesuffix(".x") + ".")


POLICY = Convert(
    send=_json_text, read=_json_text, equal=lambda a, b: bool(canonical_policy(a) == canonical_policy(b))
)
"""A JSON policy document given as text: compared by meaning."""

JSON = Convert(send=_json_text, read=_json_text, equal=lambda a, b: bool(_parsed(a) == _parsed(b)))
"""Any JSON text: compared parsed, the order of lists matters."""

BASE64_BYTES = Convert(send=base64.b64decode, read=lambda raw: base64.b64encode(raw).decode())
"""Base64 text in Pulumi, a botocore blob (which botocore encodes itself) in the API."""

BASE64_TEXT = Convert(
    send=lambda text: base64.b64encode(text.encode()).decode(),
    read=lambda text: base64.b64decode(text).decode(),
)
"""Plain text in Pulumi, base64 text in a string member of the API (EC2 user data)."""

TEXT_BYTES = Convert(send=lambda text: text.encode(), read=lambda raw: raw.decode())
"""Plain text in Pulumi, a blob in the API."""

NUMBER_TEXT = Convert(
    send=str, read=lambda text: int(text) if str(text).lstrip("-").isdigit() else float(text)
)
"""A number in Pulumi, a string in the API."""

TEXT_NUMBER = Convert(send=int, read=str)
"""A string in Pulumi, an integer in the API."""

BOOL_TEXT = Convert(
    send=lambda flag: "true" if flag else "false", read=lambda text: str(text).lower() == "true"
)
"""A boolean in Pulumi, `true`/`false` text in the API."""

TEXT_BOOL = Convert(
    send=lambda text: str(text).lower() == "true", read=lambda flag: "true" if flag else "false"
)
"""`true`/`false` text in Pulumi, a boolean in the API."""

UNORDERED = Convert(equal=lambda a, b: _unordered(a) == _unordered(b))
"""A set of blocks: the order of AWS means nothing (lists of scalars compare so anyway)."""

ORDERED = Convert()
"""A list of scalars whose order matters, against the default."""

IGNORE_CASE = Convert(equal=lambda a, b: str(a).lower() == str(b).lower())
"""Text that AWS folds to lower case."""

LOWER = Convert(send=lambda text: str(text).lower(), equal=IGNORE_CASE.equal)
"""Text sent in lower case."""

VERSION_PREFIX = Convert(equal=_version_prefix)
"""`17` in the program is satisfied by 17.10 in AWS; `8.x` by 8.1."""

COMMA_SEPARATED = Convert(
    send=",".join, read=lambda text: text.split(",") if text else [], equal=UNORDERED.equal
)
"""A list in Pulumi, comma-separated text in the API."""

EPOCH_SAFE = Convert(equal=lambda _actual, _wanted: True)
"""A value that never shows as different (AWS reports another form, for example a timestamp)."""


def one_of(values: Mapping[Any, Any]) -> Convert:
    """Translate by a table: Pulumi value to API value, for example `{True: "enabled", False: "disabled"}`."""
    back = {value: key for key, value in values.items()}
    return Convert(send=lambda value: values.get(value, value), read=lambda value: back.get(value, value))


def pairs(name: str = "Name", value: str = "Value") -> Convert:
    """Translate a map in Pulumi to a list of `{name: …, value: …}` in the API."""
    return Convert(
        send=lambda table: [{name: key, value: item} for key, item in table.items()],
        read=lambda items: {item[name]: item.get(value) for item in items},
    )


def wrapped(member: str) -> Convert:
    """Translate between a bare value and the structure `{member: value}` that the API has in its place."""
    return Convert(send=lambda value: {member: value}, read=lambda value: value.get(member))


def counted(items: str = "Items") -> Convert:
    """Translate between a list and CloudFront's `{Quantity: n, Items: […]}`."""
    return Convert(
        send=lambda value: {"Quantity": len(value), items: list(value)},
        read=lambda value: list(value.get(items) or []),
        equal=UNORDERED.equal,
    )
