import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloudcommerce_product.identity import KeySet
from cloudcommerce_product.web.apps import BODY_LIMIT
from tests.integration.conftest import OpenShop, Shop
from tests.tokens import Issuer

_SQL = [
    "' or '1'='1",
    "'; drop table products; --",
    "\\'; select pg_sleep(9) --",
    "$$||version()||$$",
    "%27%20or%201=1",
]


def _part(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


async def _create(shop: Shop, headers: dict[str, str], body: Any = None) -> httpx.Response:
    product = {"sku": uuid.uuid4().hex, "name": "x", "price_minor": 1, "currency": "USD"}
    return await shop.public.post("/api/v1/products", json=body or product, headers=headers)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_writing_needs_the_role_admin(shop: Shop) -> None:
    product, category = await shop.product(1), await shop.category()
    path = f"/api/v1/products/{product['id']}"
    match = {"if-match": '"1"'}
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/api/v1/products", {}),
        ("PATCH", path, {"name": "x"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/stock", {"on_hand": 9, "reason": "x"}),
        ("POST", f"{path}/stock", {"delta": 9, "reason": "x"}),
        ("POST", "/api/v1/categories", {}),
        ("PATCH", f"/api/v1/categories/{category['id']}", {"name": "x"}),
        ("DELETE", f"/api/v1/categories/{category['id']}", None),
    ]
    for method, url, body in requests:
        assert (await shop.public.request(method, url, json=body, headers=match)).status_code == 401
        for roles in (["customer"], ["support"], [], ["Admin"], ["admin "]):
            headers = shop.issuer.headers(*roles) | match
            assert (await shop.public.request(method, url, json=body, headers=headers)).status_code == 403
    assert await shop.stock(product["id"]) == (1, 0)


async def test_a_forged_or_stale_token_is_refused_on_open_routes_too(shop: Shop) -> None:
    issuer, now = shop.issuer, int(time.time())
    public_pem = issuer.keys["k1"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = issuer.claims("admin")
    # Signed by hand: PyJWT itself refuses to take a public key for a secret.
    confused = f"{_part({'alg': 'HS256', 'kid': 'k1', 'typ': 'at+jwt'})}.{_part(claims)}"
    signature = hmac.digest(public_pem, confused.encode(), hashlib.sha256)
    stranger = ec.generate_private_key(ec.SECP256R1())
    own_jwk = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}
    good = issuer.token("admin")
    tokens = {
        "none": f"{_part({'alg': 'none', 'kid': 'k1', 'typ': 'at+jwt'})}.{_part(claims)}.",
        "key confusion": f"{confused}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}",
        "stranger": jwt.encode(claims, stranger, "ES256", {"kid": "k1", "typ": "at+jwt"}),
        "embedded key": jwt.encode(claims, stranger, "ES256", {"kid": "k1", "typ": "at+jwt", "jwk": own_jwk}),
        "unknown kid": jwt.encode(claims, stranger, "ES256", {"kid": "k9", "typ": "at+jwt"}),
        "payload swapped": ".".join([good.split(".")[0], _part(claims | {"sub": "x"}), good.split(".")[2]]),
        "other type": issuer.token("admin", typ="JWT"),
        "expired": issuer.token("admin", exp=now - 31),
        "not yet": issuer.token("admin", nbf=now + 60),
        "issued later": issuer.token("admin", iat=now + 120),
        "issuer": issuer.token("admin", iss="https://evil.example"),
        "audience": issuer.token("admin", aud="other"),
        "no expiry": issuer.token("admin", exp=None),
        "no subject": issuer.token("admin", sub=None),
        "garbage": "a.b.c",
        "long": "a" * 5000,
    }
    for name, token in tokens.items():
        assert (await _create(shop, _bearer(token))).status_code == 401, name
        assert (await shop.public.get("/api/v1/products", headers=_bearer(token))).status_code == 401, name
    assert (await _create(shop, _bearer(good))).status_code == 201
    assert (await _create(shop, _bearer(issuer.token("admin", exp=now - 20)))).status_code == 201, (
        "within the skew"
    )


@pytest.mark.parametrize("roles", ["admin", {"admin": True}, [["admin"]], [1], None])
async def test_a_strange_roles_claim_gives_no_role(shop: Shop, roles: Any) -> None:
    assert (await _create(shop, _bearer(shop.issuer.token(roles=roles)))).status_code == 403


async def test_new_keys_are_found_and_unknown_ones_cannot_make_us_hammer_the_user_service() -> None:
    issuer, clock = Issuer(), [1000.0]
    keys = KeySet("http://users.invalid/jwks", issuer.client(), lambda: clock[0])
    assert await keys.find("k1") is not None
    for _ in range(50):
        assert await keys.find("unknown") is None
    assert issuer.fetches == 1
    issuer.keys["k2"] = ec.generate_private_key(ec.SECP256R1())
    clock[0] += 11
    assert await keys.find("k2") is not None
    assert issuer.fetches == 2
    issuer.down = True
    clock[0] += 1000
    assert await keys.find("k1") is not None, "kept through an outage"


async def test_without_any_key_tokens_are_not_judged(open_shop: OpenShop) -> None:
    shop: Shop = open_shop()
    shop.issuer.down = True
    answer = await _create(shop, shop.admin)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_the_internal_api_needs_its_own_token_and_is_not_public(shop: Shop) -> None:
    body = {"order_id": str(uuid.uuid4()), "items": [], "ttl_seconds": 1}
    for headers in (
        {"authorization": ""},
        {"authorization": "Bearer x"},
        {"authorization": "Bearer é".encode("latin-1")},
        shop.admin,
    ):
        answer = await shop.internal.post("/internal/v1/reservations", json=body, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 401
    assert (
        await shop.public.post("/internal/v1/reservations", json=body, headers=shop.admin)
    ).status_code == 404


@pytest.mark.parametrize("text", _SQL)
async def test_sql_is_only_text(shop: Shop, text: str) -> None:
    product = await shop.product(name=f"{text} {uuid.uuid4().hex}", attributes={"note": text})
    assert (await shop.public.get(f"/api/v1/products/{product['id']}")).json()["name"] == product["name"]
    for query in ({"q": text}, {"q": text, "prefix": "true"}, {"attribute": f"note:{text}"}):
        assert (await shop.public.get("/api/v1/products", params=query)).status_code == 200
    for query in ({"sort": text}, {"currency": text}, {"category_id": text}, {"limit": text}, {text: "x"}):
        assert (await shop.public.get("/api/v1/products", params=query)).status_code == 422
    assert (await shop.public.get(f"/api/v1/products/{text}")).status_code in {404, 422}
    assert product["name"] in await shop.names(attribute=f"note:{text}", limit=100)


@pytest.mark.parametrize(
    "member", ["id", "version", "created_at", "deleted_at", "search", "on_hand", "__proto__", "model_config"]
)
async def test_members_that_are_not_the_callers_cannot_be_set(shop: Shop, member: str) -> None:
    product = await shop.product()
    body = {"sku": uuid.uuid4().hex, "name": "x", "price_minor": 1, "currency": "USD", member: 1}
    assert (await _create(shop, shop.admin, body)).status_code == 422
    changed = await shop.public.patch(
        f"/api/v1/products/{product['id']}", json={member: 1}, headers=shop.admin | {"if-match": '"1"'}
    )
    assert changed.status_code == 422


async def test_large_and_deep_bodies_are_refused(shop: Shop) -> None:
    json_type = shop.admin | {"content-type": "application/json"}

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 8192

    async def post(content: Any, **headers: str) -> int:
        answer = await shop.public.post("/api/v1/products", content=content, headers=json_type | headers)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    assert await post(b" " * (BODY_LIMIT + 1)) == 413
    assert await post(chunks()) == 413, "without a length"
    assert await post(b"[" * 60_000) in {400, 422}
    assert await post(b'{"attributes":' * 4_000) in {400, 422}
    assert await post(b'{"a":' * 4_000 + b"1" + b"}" * 4_000) in {400, 422}
    assert await post(b'{"name": "\xff"}') in {400, 422}
    assert await post(b'{"name": "\\ud800", "sku": "a", "price_minor": 1, "currency": "USD"}') == 422
    assert await post(b'{"price_minor": 1e400}') == 422
    assert await post(b'{"price_minor": ' + b"9" * 5000 + b"}") in {400, 422}


async def test_errors_are_problems_that_tell_nothing_of_the_inside(shop: Shop) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await shop.public.get("/nowhere", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.json() == {
        "type": "https://cloudcommerce.example/problems/not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
        "instance": "/nowhere",
        "trace_id": trace,
    }
    wrong = await shop.public.put("/api/v1/products", headers=shop.admin)
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, "application/problem+json")


async def test_a_fault_of_ours_is_a_500_without_a_stack(
    open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop: Shop = open_shop()

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(shop.service.products, "find", broken)
    answer = await shop.public.get(f"/api/v1/products/{uuid.uuid4()}")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret inside" not in answer.text
    assert "Traceback" not in answer.text


async def test_without_postgres_the_answer_is_503(open_shop: OpenShop) -> None:
    shop: Shop = open_shop(
        database_url="postgresql://nobody@127.0.0.1:1/none", redis_url="redis://127.0.0.1:1"
    )
    assert (await shop.public.get("/api/v1/products")).status_code == 503
    assert (await shop.public.get("/readyz")).status_code == 503
    assert (await shop.public.get("/healthz")).status_code == 200
