import asyncio
import uuid

import pytest

from tests.integration.conftest import Shop

pytestmark = pytest.mark.mission_M04


async def _move(shop: Shop, category: dict[str, object], parent: object) -> int:
    answer = await shop.public.patch(
        f"/api/v1/categories/{category['id']}",
        json={"parent_id": parent},
        headers=shop.admin | {"if-match": f'"{category["version"]}"'},
    )
    return answer.status_code


async def test_the_tree_lists_parents_before_children_and_siblings_by_name(shop: Shop) -> None:
    root = await shop.category(name="Root")
    second = await shop.category(root["id"], name="B")
    first = await shop.category(root["id"], name="A")
    leaf = await shop.category(second["id"], name="Leaf")
    items = (await shop.public.get("/api/v1/categories")).json()["items"]
    own = [item["id"] for item in items if root["id"] in item["path"]]
    assert own == [root["id"], first["id"], second["id"], leaf["id"]]


async def test_a_move_takes_everything_below_along(shop: Shop) -> None:
    left, right = await shop.category(), await shop.category()
    middle = await shop.category(left["id"])
    leaf = await shop.category(middle["id"])
    assert await _move(shop, middle, right["id"]) == 200
    moved = (await shop.public.get(f"/api/v1/categories/{leaf['id']}", headers=shop.admin)).json()
    assert moved["path"] == [right["id"], middle["id"], leaf["id"]]


async def test_a_cycle_is_refused(shop: Shop) -> None:
    root = await shop.category()
    leaf = await shop.category((await shop.category(root["id"]))["id"])
    assert await _move(shop, root, leaf["id"]) == 409
    assert await _move(shop, root, root["id"]) == 409


async def test_two_moves_at_once_close_no_cycle(shop: Shop) -> None:
    for _ in range(10):
        one, other = await shop.category(), await shop.category()
        results = await asyncio.gather(_move(shop, one, other["id"]), _move(shop, other, one["id"]))
        assert sorted(results) == [200, 409] or sorted(results) == [200, 412]


async def test_the_depth_is_limited(shop: Shop) -> None:
    parent = None
    for _ in range(8):
        parent = (await shop.category(parent))["id"]
    body = {"slug": uuid.uuid4().hex, "name": "too deep", "parent_id": parent}
    assert (await shop.public.post("/api/v1/categories", json=body, headers=shop.admin)).status_code == 422


async def test_only_an_empty_category_can_be_deleted(shop: Shop) -> None:
    category = await shop.category()
    product = await shop.product(category_id=category["id"])
    path, headers = f"/api/v1/categories/{category['id']}", shop.admin | {"if-match": '"1"'}
    assert (await shop.public.delete(path, headers=headers)).status_code == 409
    await shop.public.delete(f"/api/v1/products/{product['id']}", headers=headers)
    assert (await shop.public.delete(path, headers=headers)).status_code == 204
