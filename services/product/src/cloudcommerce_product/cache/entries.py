"""What one cached answer looks like in Redis."""

import hashlib
import secrets
import struct
import time
from dataclasses import dataclass

_GENERATION = struct.Struct(">Q8s")
_HEADER = struct.Struct(">16sQ16s")


@dataclass(frozen=True, slots=True)
class Generation:
    """The age of a scope: everything cached under another one is invalid.

    Random, not counted: a key that Redis lost and a counter that started anew would revive old entries.

    Attributes:
        raw: As stored.
    """

    raw: bytes

    @property
    def milliseconds(self) -> int:
        """When it began, in Unix time."""
        began: int = _GENERATION.unpack(self.raw)[0]
        return began

    @classmethod
    def new(cls) -> "Generation":
        """One that never was."""
        return cls(_GENERATION.pack(now_ms(), secrets.token_bytes(8)))

    @classmethod
    def parse(cls, raw: object) -> "Generation | None":
        """The stored one; None where there is none, or garbage."""
        if not isinstance(raw, bytes) or len(raw) != _GENERATION.size:
            return None
        return cls(raw)


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer's body as it goes out.

    Attributes:
        body: Finished bytes.
        etag: A strong validator of the body, quoted.
        fresh_until: Unix milliseconds; past that it is still served while somebody renews it.
    """

    body: bytes
    etag: str
    fresh_until: int

    @classmethod
    def of(cls, body: bytes, fresh_until: int = 0) -> "Entry":
        """An entry for a body."""
        return cls(body, f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"', fresh_until)

    def pack(self, generation: Generation) -> bytes:
        """As stored: generation, time and validator before the body."""
        return _HEADER.pack(generation.raw, self.fresh_until, self.etag.strip('"').encode()) + self.body

    @classmethod
    def parse(cls, raw: object, generation: Generation) -> "Entry | None":
        """The stored entry; None where there is none of this generation."""
        if not isinstance(raw, bytes) or len(raw) < _HEADER.size or not raw.startswith(generation.raw):
            return None
        _, fresh_until, etag = _HEADER.unpack_from(raw)
        return cls(raw[_HEADER.size :], f'"{etag.decode()}"', fresh_until)


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
