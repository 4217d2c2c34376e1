"""Conditional requests (RFC 9110, section 13) and cached answers."""

import re

from fastapi import Request, Response

from cloudcommerce_product.cache.entries import Entry
from cloudcommerce_product.problems import Problem

_VERSION = re.compile(r'"(\d{1,9})"')
# A browser or an edge may keep an answer for as long as nobody notices; then it asks whether it changed.
_PUBLIC = "public, max-age=5, stale-while-revalidate=30"


def version_etag(version: int) -> str:
    """The validator of a thing with a version."""
    return f'"{version}"'


def required_version(request: Request) -> int:
    """The version that If-Match names.

    Raises:
        Problem: 428 without the header, 412 where it names none of ours.
    """
    header = request.headers.get("if-match")
    if header is None:
        raise Problem(
            428,
            "precondition-required",
            "Precondition required",
            "Send If-Match with the ETag of what you read, so that nobody's change is lost.",
        )
    match = _VERSION.fullmatch(header.strip())
    if match is None:
        raise Problem(412, "stale-version", "Precondition failed", "If-Match names no version of ours.")
    return int(match[1])


def cached_response(request: Request, entry: Entry, *, etag: str | None = None) -> Response:
    """An answer from finished bytes, or 304 where the client has them already.

    Args:
        request: Its If-None-Match counts.
        entry: The bytes.
        etag: Overrides the validator of the bytes.
    """
    validator = etag or entry.etag
    headers = {"etag": validator, "cache-control": _PUBLIC, "vary": "authorization"}
    if _matches(request.headers.get("if-none-match"), validator):
        return Response(None, 304, headers=headers)
    return Response(entry.body, media_type="application/json", headers=headers)


def _matches(header: str | None, validator: str) -> bool:
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return validator in tags or "*" in tags
