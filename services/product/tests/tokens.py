"""A user service as small as its published keys, and tokens of any kind."""

import time
import uuid
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://auth.cloudcommerce.example"


class Issuer:
    """Signs tokens and publishes its keys; counts how often they are fetched."""

    def __init__(self) -> None:
        self.keys = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.fetches = 0
        self.down = False

    def jwks(self) -> dict[str, Any]:
        return {
            "keys": [
                ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
                | {"kid": kid, "alg": "ES256", "use": "sig"}
                for kid, key in self.keys.items()
            ]
        }

    def client(self) -> httpx.AsyncClient:
        def answer(_: httpx.Request) -> httpx.Response:
            self.fetches += 1
            return httpx.Response(503) if self.down else httpx.Response(200, json=self.jwks())

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    def claims(self, *roles: str, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": "cloudcommerce",
            "sub": str(uuid.uuid4()),
            "sid": "s",
            "jti": str(uuid.uuid4()),
            "roles": list(roles),
            "iat": now,
            "exp": now + 600,
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, *roles: str, kid: str = "k1", typ: str = "at+jwt", **changes: Any) -> str:
        headers = {"kid": kid, "typ": typ}
        return jwt.encode(self.claims(*roles, **changes), self.keys[kid], algorithm="ES256", headers=headers)

    def headers(self, *roles: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(*roles)}"}
