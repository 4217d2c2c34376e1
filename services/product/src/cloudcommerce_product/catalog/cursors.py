"""Opaque cursors: where a page ended, signed and bound to its search."""

import base64
import binascii
import hashlib
import hmac
import uuid
from dataclasses import dataclass

import orjson

from cloudcommerce_product.problems import Problem

_SIGNATURE_BYTES = 16
_MAX_LENGTH = 1_000


@dataclass(frozen=True)
class Position:
    """The last row of a page.

    Attributes:
        value: What it was sorted by; None where the id alone sorts.
        id: Its id, which makes the order total.
    """

    value: float | int | str | None
    id: uuid.UUID


class Cursors:
    """Signs positions and checks them again.

    Args:
        secret: Known to all replicas of the service; a new one makes all cursors invalid.
    """

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def encode(self, fingerprint: str, position: Position) -> str:
        """The cursor for a position in the search of that fingerprint."""
        payload = orjson.dumps([position.value, position.id])
        token = self._sign(fingerprint, payload) + payload
        return base64.urlsafe_b64encode(token).rstrip(b"=").decode()

    def decode(self, fingerprint: str, cursor: str) -> Position:
        """The position in a cursor.

        Raises:
            Problem: 400 unless this service made it, for this very search.
        """
        try:
            if len(cursor) > _MAX_LENGTH:
                raise _invalid()
            token = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _invalid() from None
        signature, payload = token[:_SIGNATURE_BYTES], token[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(fingerprint, payload)):
            raise _invalid()
        value, row_id = orjson.loads(payload)
        return Position(value, uuid.UUID(row_id))

    def _sign(self, fingerprint: str, payload: bytes) -> bytes:
        message = fingerprint.encode() + b"\0" + payload
        return hmac.digest(self._key, message, hashlib.sha256)[:_SIGNATURE_BYTES]


def _invalid() -> Problem:
    return Problem(
        400,
        "invalid-cursor",
        "Invalid cursor",
        "The cursor is not one of this search; start without one, with the same filters for each page.",
    )
