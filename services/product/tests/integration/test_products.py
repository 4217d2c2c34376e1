import asyncio
import uuid

import pytest

from tests.integration.conftest import Shop

pytestmark = pytest.mark.mission_M04


async def test_a_product_lives_from_creation_to_deletion(shop: Shop) -> None:
    made = await shop.product(name="Oak shelf", attributes={"color": "red"})
    path = f"/api/v1/products/{made['id']}"
    read = await shop.public.get(path)
    assert read.json() == made
    assert read.headers["etag"] == '"1"'
    changed = await shop.public.patch(path, json={"price_minor": 1}, headers=shop.admin | {"if-match": '"1"'})
    assert (changed.json()["price_minor"], changed.json()["version"], changed.json()["name"]) == (
        1,
        2,
        "Oak shelf",
    )
    assert (await shop.public.get(path)).json() == changed.json()
    gone = await shop.public.delete(path, headers=shop.admin | {"if-match": '"2"'})
    assert gone.status_code == 204
    assert (await shop.public.get(path)).status_code == 404
    assert (await shop.public.get(path, headers=shop.admin)).status_code == 404


async def test_the_client_that_has_it_gets_no_body(shop: Shop) -> None:
    made = await shop.product()
    again = await shop.public.get(f"/api/v1/products/{made['id']}", headers={"if-none-match": 'W/"1"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_of_two_who_change_the_same_version_one_is_told(shop: Shop) -> None:
    made = await shop.product()
    headers = shop.admin | {"if-match": '"1"'}
    answers = await asyncio.gather(
        *(
            shop.public.patch(f"/api/v1/products/{made['id']}", json={"name": name}, headers=headers)
            for name in "abcd"
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_a_change_without_a_version_is_refused(shop: Shop) -> None:
    made = await shop.product()
    path = f"/api/v1/products/{made['id']}"
    assert (await shop.public.patch(path, json={"name": "x"}, headers=shop.admin)).status_code == 428
    odd = shop.admin | {"if-match": "*"}
    assert (await shop.public.patch(path, json={"name": "x"}, headers=odd)).status_code == 412


async def test_a_sku_is_used_once_until_its_product_is_gone(shop: Shop) -> None:
    made = await shop.product()
    body = {"sku": made["sku"], "name": "other", "price_minor": 1, "currency": "USD"}
    taken = await shop.public.post("/api/v1/products", json=body, headers=shop.admin)
    assert taken.status_code == 409
    assert taken.json()["type"].endswith("/sku-taken")
    await shop.public.delete(f"/api/v1/products/{made['id']}", headers=shop.admin | {"if-match": '"1"'})
    assert (await shop.public.post("/api/v1/products", json=body, headers=shop.admin)).status_code == 201


async def test_an_unknown_category_is_named(shop: Shop) -> None:
    body = {
        "sku": uuid.uuid4().hex,
        "name": "x",
        "price_minor": 1,
        "currency": "USD",
        "category_id": str(uuid.uuid4()),
    }
    answer = await shop.public.post("/api/v1/products", json=body, headers=shop.admin)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/category_id"


async def test_only_staff_sees_inactive_products(shop: Shop) -> None:
    made = await shop.product(active=False)
    path = f"/api/v1/products/{made['id']}"
    assert (await shop.public.get(path)).status_code == 404
    assert (await shop.public.get(path, headers=shop.issuer.headers("customer"))).status_code == 404
    assert (await shop.public.get(path, headers=shop.issuer.headers("support"))).status_code == 200
    assert (await shop.public.get("/api/v1/products?include_inactive=true")).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"price_minor": -1},
        {"price_minor": 1.5},
        {"price_minor": "1"},
        {"price_minor": 2**53},
        {"currency": "usd"},
        {"name": ""},
        {"name": "a\u0000b"},
        {"sku": "has space"},
        {"attributes": {"color": {"deep": "no"}}},
        {"attributes": {"Color": "red"}},
        {"attributes": {f"a{i}": "x" for i in range(51)}},
        {"name": None},
        {"description": "x" * 10_001},
        {"active": None},
        {"category_id": "1"},
        {},
    ],
)
async def test_wrong_values_are_named_and_nothing_changes(shop: Shop, change: dict[str, object]) -> None:
    made = await shop.product()
    path = f"/api/v1/products/{made['id']}"
    answer = await shop.public.patch(path, json=change, headers=shop.admin | {"if-match": '"1"'})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]
    assert (await shop.public.get(path)).json() == made
