"""The API description, as served and as kept in the repository."""

from typing import Any

import orjson
from fastapi import FastAPI

from cloudcommerce_product.settings import Settings

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "instance", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_ANY_PROBLEM = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def describe(app: FastAPI) -> bytes:
    """An application's OpenAPI 3.1 document, with problems where FastAPI would promise its own errors."""
    document = app.openapi()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = _PROBLEM
    document["components"]["securitySchemes"] = {
        "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    for path in document["paths"].values():
        for operation in path.values():
            _finish(operation)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _finish(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = _ANY_PROBLEM


def description(*, internal: bool = False) -> str:
    """The document of the public application, or of the internal one, without a store at hand."""
    from cloudcommerce_product.service import Service  # noqa: PLC0415 - apps import this module
    from cloudcommerce_product.web.apps import internal_app, public_app  # noqa: PLC0415

    placeholder = "0" * 32
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://localhost/product",
            "redis_url": "redis://localhost",
            "internal_api_token": placeholder,
            "cursor_secret": placeholder,
            "jwks_url": "http://localhost/.well-known/jwks.json",
        }
    )
    service = Service.build(settings)
    return describe((internal_app if internal else public_app)(service)).decode()
