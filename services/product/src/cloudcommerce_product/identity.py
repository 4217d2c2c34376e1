"""Who calls: access tokens checked against the user service's published keys."""

import asyncio
import hmac
import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from jwt import PyJWK, PyJWKSet

from cloudcommerce_product.problems import Problem, unavailable
from cloudcommerce_product.telemetry import current_trace

_log = logging.getLogger(__name__)
_ALGORITHM = "ES256"
_SKEW_SECONDS = 30
_REFETCH_FLOOR_SECONDS = 10.0
_REFRESH_SECONDS = 300.0
_ATTEMPTS = 3
_MAX_TOKEN_LENGTH = 4096
_ROLES = frozenset({"customer", "support", "admin"})
_REQUIRED = ["iss", "aud", "sub", "exp", "iat", "jti"]


@dataclass(frozen=True)
class Identity:
    """A caller whose token was good.

    Attributes:
        subject: The user's id.
        roles: What the user may do.
    """

    subject: str
    roles: frozenset[str]

    @property
    def is_staff(self) -> bool:
        """Whether the caller may see what customers do not."""
        return not self.roles.isdisjoint({"support", "admin"})

    @property
    def is_admin(self) -> bool:
        """Whether the caller may write."""
        return "admin" in self.roles


class KeySet:
    """The user service's public keys: cached, refreshed, kept through its outages.

    Args:
        url: Where they are published.
        client: Overrides the HTTP client in tests.
        clock: Overrides the monotonic clock in tests, in seconds.
    """

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._url = url
        self._client = client or httpx.AsyncClient(timeout=2, follow_redirects=False)
        self._keys: dict[str, PyJWK] = {}
        self._fetched = -math.inf
        self._tried = -math.inf
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> PyJWK | None:
        """The key of that id; fetches where it is unknown or the set is old, but not below the floor.

        Raises:
            Problem: 503 as long as no keys could ever be fetched.
        """
        now = self._clock()
        known = self._keys.get(key_id)
        if known is not None and now - self._fetched < _REFRESH_SECONDS:
            return known
        if now - self._tried >= _REFETCH_FLOOR_SECONDS:
            await self._refresh()
        if not self._keys:
            raise unavailable("Tokens cannot be checked at the moment.")
        return self._keys.get(key_id)

    async def _refresh(self) -> None:
        async with self._lock:
            if self._clock() - self._tried < _REFETCH_FLOOR_SECONDS:
                return
            try:
                self._keys = await self._fetch()
                self._fetched = self._clock()
            except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
                _log.warning("the key set cannot be fetched", extra={"cause": type(error).__name__})
            finally:
                self._tried = self._clock()

    async def _fetch(self) -> dict[str, PyJWK]:
        context = current_trace.get()
        headers = {"traceparent": context.traceparent} if context else {}
        for attempt in range(_ATTEMPTS):
            try:
                answer = await self._client.get(self._url, headers=headers)
                answer.raise_for_status()
                break
            except httpx.HTTPError:
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # noqa: S311 - jitter
        keys = PyJWKSet.from_dict(answer.json()).keys
        return {key.key_id: key for key in keys if key.key_id and key.algorithm_name == _ALGORITHM}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class Authenticator:
    """Checks access tokens (RFC 9068 profile).

    Args:
        keys: Where to find the public keys.
        issuer: The only `iss` accepted.
        audience: What `aud` must contain.
    """

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def optional(self, headers: Mapping[str, str]) -> Identity | None:
        """The caller, or None without a token.

        Raises:
            Problem: 401 for a token that is not good: it is never taken for none.
        """
        authorization = headers.get("authorization")
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_LENGTH:
            raise _unauthorized()
        return await self._verify(token.strip())

    async def admin(self, headers: Mapping[str, str]) -> Identity:
        """The caller, who must be an admin.

        Raises:
            Problem: 401 without a good token, 403 with another role.
        """
        identity = await self.optional(headers)
        if identity is None:
            raise _unauthorized()
        if not identity.is_admin:
            raise Problem(403, "forbidden", "Forbidden", "This needs the role admin.")
        return identity

    async def _verify(self, token: str) -> Identity:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != _ALGORITHM or header.get("typ") != "at+jwt":
                raise _unauthorized()
            key = await self._keys.find(str(header.get("kid")))
            if key is None:
                raise _unauthorized()
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_SKEW_SECONDS,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError):
            raise _unauthorized() from None
        return Identity(str(claims["sub"]), _roles(claims.get("roles")))


def bearer_equals(headers: Mapping[str, str], expected: str) -> bool:
    """Whether the request carries the shared token of the internal API; takes the same time either way."""
    given = headers.get("authorization", "")
    return hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {expected}".encode())


def _roles(claim: Any) -> frozenset[str]:
    if not isinstance(claim, list):
        return frozenset()
    return _ROLES.intersection(role for role in claim if isinstance(role, str))


def _unauthorized() -> Problem:
    return Problem(
        401,
        "unauthorized",
        "Unauthorized",
        "A valid access token is needed.",
        headers={"www-authenticate": 'Bearer error="invalid_token"'},
    )
