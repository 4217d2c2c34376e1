"""Who may call a route, as FastAPI dependencies and as the API description says it."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request

from cloudcommerce_product.identity import Identity, bearer_equals
from cloudcommerce_product.problems import Problem
from cloudcommerce_product.service import Service

SECURED: dict[str, Any] = {"security": [{"accessToken": []}]}
OPTIONAL: dict[str, Any] = {"security": [{}, {"accessToken": []}]}
CONDITIONAL: dict[str, Any] = {
    **SECURED,
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": "The ETag of what was read.",
        }
    ],
}


def admin_of(service: Service) -> Callable[[Request], Awaitable[Identity]]:
    """A dependency: the caller, who must be an admin. It runs before a body is validated."""

    async def admin(request: Request) -> Identity:
        return await service.authenticator.admin(request.headers)

    return admin


def internal_of(service: Service) -> Callable[[Request], Awaitable[None]]:
    """A dependency: the caller must be one of our own services."""
    token = service.settings.internal_api_token.get_secret_value()

    async def internal(request: Request) -> None:
        if not bearer_equals(request.headers, token):
            raise Problem(
                401,
                "unauthorized",
                "Unauthorized",
                "The token of the internal API is needed.",
                headers={"www-authenticate": "Bearer"},
            )

    return internal
