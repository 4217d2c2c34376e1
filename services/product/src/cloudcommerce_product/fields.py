"""Types of values that both requests and answers use."""

import uuid
from datetime import datetime
from typing import Annotated, Any

import orjson
import uuid_utils
from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# The largest integer that every JSON reader keeps exact (RFC 8259, section 6).
MAX_MINOR = 2**53 - 1
MAX_UNITS = 1_000_000_000


def _printable(value: str) -> str:
    # PostgreSQL stores no NUL, and nobody types the other control characters into a shop.
    if any(character < " " and character not in "\n\t\r" for character in value):
        raise ValueError("must not contain control characters")
    return value


def _stripped(max_length: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=max_length)


Printable = AfterValidator(_printable)
Line = Annotated[str, _stripped(200), Printable]
Paragraphs = Annotated[str, StringConstraints(max_length=10_000), Printable]
Sku = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0, le=MAX_MINOR, strict=True)]
Units = Annotated[int, Field(ge=0, le=MAX_UNITS, strict=True)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
AttributeValue = Annotated[str, StringConstraints(min_length=1, max_length=200), Printable]
Attributes = Annotated[dict[AttributeName, AttributeValue], Field(max_length=50)]


class Body(BaseModel):
    """A request body: a member that it does not know is an error, not a guess."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Describes an answer in the OpenAPI document; the bytes come from the database row."""

    model_config = ConfigDict(extra="forbid")


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ids made later sort later."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def to_json(document: Any) -> bytes:
    """Encode an answer: ids as strings, times as RFC 3339 in UTC."""
    return orjson.dumps(document, default=str, option=orjson.OPT_UTC_Z)


def json_response(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer that must not be kept by anyone, from a document."""
    return Response(
        to_json(document),
        status,
        media_type="application/json",
        headers={"cache-control": "private, no-store", **(headers or {})},
    )


class Timestamps(Answer):
    """When a thing came to be and last changed."""

    created_at: datetime
    updated_at: datetime
