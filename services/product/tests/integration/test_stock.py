import asyncio
import random
import uuid
from typing import Any

import asyncpg
import pytest

from tests.integration.conftest import OpenShop, Shop

pytestmark = pytest.mark.mission_M05


async def _ledger(url: str, product_id: str) -> tuple[int, int]:
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(
            "select coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0) "
            "from stock_movements where product_id = $1",
            uuid.UUID(product_id),
        )
        return int(row[0]), int(row[1])
    finally:
        await connection.close()


async def _overdue(url: str, order_id: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "update reservations set expires_at = now() - interval '1 second' where order_id = $1",
            uuid.UUID(order_id),
        )
    finally:
        await connection.close()


async def test_200_clients_racing_for_50_items_get_exactly_50(shop: Shop, database_url: str) -> None:
    product = await shop.product(50)
    answers = await asyncio.gather(*(shop.reserve((product["id"], 1)) for _ in range(200)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(409)) == (50, 150)
    assert await shop.stock(product["id"]) == (50, 50)
    sold = [answer.json()["order_id"] for answer in answers if answer.status_code == 201]
    await asyncio.gather(*(shop.close_order(order, "confirm") for order in sold))
    assert await shop.stock(product["id"]) == (0, 0)
    assert await _ledger(database_url, product["id"]) == (0, 0)


async def test_a_crowd_over_the_same_products_in_any_order_never_deadlocks_and_adds_up(
    shop: Shop, database_url: str
) -> None:
    products = [(await shop.product(40))["id"] for _ in range(4)]

    async def buyer(number: int) -> int:
        chance = random.Random(number)
        items = [(product, chance.randint(1, 3)) for product in chance.sample(products, chance.randint(1, 4))]
        answer = await shop.reserve(*items)
        if answer.status_code == 201:
            how = chance.choice(["confirm", "release", "keep"])
            if how != "keep":
                assert (await shop.close_order(answer.json()["order_id"], how)).status_code == 200
        return answer.status_code

    assert set(await asyncio.gather(*(buyer(number) for number in range(120)))) <= {201, 409}
    for product in products:
        assert await shop.stock(product) == await _ledger(database_url, product)


async def test_all_or_nothing(shop: Shop) -> None:
    plenty, scarce = await shop.product(10), await shop.product(1)
    answer = await shop.reserve((plenty["id"], 5), (scarce["id"], 2))
    assert answer.status_code == 409
    assert answer.json()["type"] == "https://cloudcommerce.example/problems/insufficient-stock"
    assert answer.json()["items"] == [{"product_id": scarce["id"], "requested": 2, "available": 1}]
    assert await shop.stock(plenty["id"]) == (10, 0)


async def test_what_is_not_for_sale_is_not_in_stock(shop: Shop) -> None:
    inactive = await shop.product(5, active=False)
    for product in (inactive["id"], str(uuid.uuid4())):
        answer = await shop.reserve((product, 1))
        assert answer.json()["items"] == [{"product_id": product, "requested": 1, "available": 0}]


async def test_a_reservation_carries_name_and_price_of_its_time(shop: Shop) -> None:
    product = await shop.product(5, name="Oak", price_minor=700)
    answer = await shop.reserve((product["id"], 2))
    assert answer.json()["items"] == [
        {
            "product_id": product["id"],
            "name": "Oak",
            "quantity": 2,
            "unit_price_minor": 700,
            "currency": "USD",
        }
    ]
    assert answer.json()["status"] == "reserved"


async def test_repeats_do_not_reserve_twice_even_at_once(shop: Shop) -> None:
    product, order = await shop.product(10), str(uuid.uuid4())
    answers = await asyncio.gather(*(shop.reserve((product["id"], 3), order_id=order) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert await shop.stock(product["id"]) == (10, 3)
    other = await shop.reserve((product["id"], 4), order_id=order)
    assert other.json()["type"].endswith("/reservation-mismatch")


async def test_confirm_and_release_may_be_repeated(shop: Shop) -> None:
    product = await shop.product(10)
    order = (await shop.reserve((product["id"], 3))).json()["order_id"]
    confirmed = await asyncio.gather(*(shop.close_order(order, "confirm") for _ in range(5)))
    assert [(answer.status_code, answer.json()["status"]) for answer in confirmed] == [(200, "confirmed")] * 5
    assert await shop.stock(product["id"]) == (7, 0)
    released = await asyncio.gather(*(shop.close_order(order, "release") for _ in range(5)))
    assert [(answer.status_code, answer.json()["status"]) for answer in released] == [(200, "released")] * 5
    assert await shop.stock(product["id"]) == (10, 0)
    assert (await shop.close_order(order, "confirm")).status_code == 409
    assert (await shop.reserve((product["id"], 3), order_id=order)).status_code == 409


async def test_confirm_against_release_has_one_winner(shop: Shop) -> None:
    for _ in range(10):
        product = await shop.product(1)
        order = (await shop.reserve((product["id"], 1))).json()["order_id"]
        await asyncio.gather(shop.close_order(order, "confirm"), shop.close_order(order, "release"))
        # Either the release came first and the confirmation failed, or it returned what was confirmed.
        assert await shop.stock(product["id"]) == (1, 0)


async def test_unknown_orders_are_not_found(shop: Shop) -> None:
    for how in ("confirm", "release"):
        assert (await shop.close_order(str(uuid.uuid4()), how)).status_code == 404


async def test_a_late_confirmation_is_refused_before_the_sweeper_came(shop: Shop, database_url: str) -> None:
    product = await shop.product(1)
    order = (await shop.reserve((product["id"], 1))).json()["order_id"]
    await _overdue(database_url, order)
    assert (await shop.close_order(order, "confirm")).status_code == 409
    assert await shop.stock(product["id"]) == (1, 1)


async def test_many_sweepers_give_back_each_reservation_once(shop: Shop, database_url: str) -> None:
    product, kept = await shop.product(300), await shop.product(1)
    orders = [(await shop.reserve((product["id"], 1))).json()["order_id"] for _ in range(30)]
    await shop.reserve((kept["id"], 1))
    for order in orders:
        await _overdue(database_url, order)
    counts = await asyncio.gather(*(shop.service.reservations.expire() for _ in range(6)))
    assert sum(count for count, _ in counts) >= 30
    assert await shop.stock(product["id"]) == (300, 0)
    assert await shop.stock(kept["id"]) == (1, 1)
    assert await _ledger(database_url, product["id"]) == (300, 0)


async def test_the_sweeper_runs_beside_the_service(open_shop: OpenShop, database_url: str) -> None:
    shop: Shop = open_shop(sweep_interval=0.05)
    product = await shop.product(1)
    order = (await shop.reserve((product["id"], 1))).json()["order_id"]
    await _overdue(database_url, order)
    shop.service.start()
    for _ in range(100):
        if await shop.stock(product["id"]) == (1, 0):
            break
        await asyncio.sleep(0.05)
    assert await shop.stock(product["id"]) == (1, 0)


async def test_a_count_never_goes_below_what_is_reserved(shop: Shop) -> None:
    product = await shop.product(5)
    await shop.reserve((product["id"], 3))
    path = f"/api/v1/products/{product['id']}/stock"
    for body in ({"delta": -3, "reason": "broken"},):
        assert (await shop.public.post(path, json=body, headers=shop.admin)).status_code == 409
    short = await shop.public.put(path, json={"on_hand": 2, "reason": "count"}, headers=shop.admin)
    assert short.json()["type"].endswith("/stock-reserved")
    assert await shop.stock(product["id"]) == (5, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": "twice"},
        {"ttl_seconds": 0},
        {"ttl_seconds": 10**9},
        {"extra": 1},
        {"order_id": "x"},
        {"items": "zero"},
        {"items": "huge"},
    ],
)
async def test_a_wrong_reservation_is_refused(shop: Shop, change: dict[str, Any]) -> None:
    product = await shop.product(5)
    items = {
        "twice": [{"product_id": product["id"], "quantity": 1}] * 2,
        "zero": [{"product_id": product["id"], "quantity": 0}],
        "huge": [{"product_id": product["id"], "quantity": 2**31}],
    }
    body = {
        "order_id": str(uuid.uuid4()),
        "items": [{"product_id": product["id"], "quantity": 1}],
        "ttl_seconds": 9,
    }
    body |= {
        name: items.get(value, value) if isinstance(value, str) else value for name, value in change.items()
    }
    answer = await shop.internal.post("/internal/v1/reservations", json=body)
    assert answer.status_code == 422
    assert await shop.stock(product["id"]) == (5, 0)
