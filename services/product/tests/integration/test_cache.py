import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from cloudcommerce_product.cache.store import Cache, CachePolicy
from tests.integration.conftest import OpenShop, Shop

pytestmark = [pytest.mark.mission_M06, pytest.mark.mission_M60]

_POLICY = CachePolicy(fresh=60, stale=60, replica_lag=0.2, held_bytes=2**20)


class Source:
    """What a cache reads past itself: counts, and may be held up."""

    def __init__(self, value: bytes = b"old") -> None:
        self.value = value
        self.loads = 0
        self.primary: list[bool] = []
        self.began = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def load(self, from_primary: bool) -> bytes:
        value = self.value
        self.loads += 1
        self.primary.append(from_primary)
        self.began.set()
        await self.go.wait()
        return value


@pytest_asyncio.fixture
async def caches(redis_url: str) -> AsyncIterator[tuple[Cache, Cache]]:
    """Two processes' caches over one Redis."""
    both = (Cache(Redis.from_url(redis_url), _POLICY), Cache(Redis.from_url(redis_url), _POLICY))
    yield both
    for cache in both:
        await cache.close()


@pytest.fixture
def scope() -> str:
    return uuid.uuid4().hex


async def _get(cache: Cache, scope: str, source: Source) -> bytes:
    entry = await cache.get("test", scope, scope, source.load)
    assert entry is not None
    return entry.body


async def test_a_stampede_over_two_processes_loads_once(caches: tuple[Cache, Cache], scope: str) -> None:
    source = Source()
    source.go.clear()
    waiting = [asyncio.create_task(_get(caches[i % 2], scope, source)) for i in range(200)]
    await source.began.wait()
    await asyncio.sleep(0.05)
    source.go.set()
    assert set(await asyncio.gather(*waiting)) == {b"old"}
    assert source.loads == 1


async def test_a_load_overtaken_by_a_write_is_never_served_again(
    caches: tuple[Cache, Cache], scope: str
) -> None:
    source = Source()
    source.go.clear()
    overtaken = asyncio.create_task(_get(caches[0], scope, source))
    await source.began.wait()
    source.value = b"new"
    await caches[1].invalidate(scope)
    # Whoever comes after the write must not share the load that began before it.
    after = asyncio.create_task(_get(caches[0], scope, source))
    await asyncio.sleep(0.05)
    source.go.set()
    assert await overtaken == b"old"
    assert await after == b"new"
    for cache in caches:
        assert await _get(cache, scope, source) == b"new"


async def test_after_a_change_loads_read_the_primary_until_the_replica_has_it(
    caches: tuple[Cache, Cache], scope: str
) -> None:
    source = Source()
    await caches[0].invalidate(scope)
    await _get(caches[1], scope, source)
    await caches[0].invalidate(scope)
    await asyncio.sleep(0.3)
    await _get(caches[1], scope, source)
    assert source.primary == [True, False]


async def test_stale_is_served_while_one_renews(redis_url: str, scope: str) -> None:
    cache = Cache(
        Redis.from_url(redis_url), CachePolicy(fresh=0.05, stale=60, replica_lag=0, held_bytes=2**20)
    )
    source = Source()
    await _get(cache, scope, source)
    await asyncio.sleep(0.1)
    source.value = b"new"
    source.began.clear()
    source.go.clear()
    assert {await _get(cache, scope, source) for _ in range(20)} == {b"old"}
    await source.began.wait()
    source.go.set()
    await asyncio.sleep(0.03)
    assert await _get(cache, scope, source) == b"new"
    await cache.close()
    assert source.loads == 2


async def test_a_failed_load_reaches_its_callers_and_is_not_kept(
    caches: tuple[Cache, Cache], scope: str
) -> None:
    async def fail(_: bool) -> bytes:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await caches[0].get("test", scope, scope, fail)
    assert await _get(caches[0], scope, Source()) == b"old"


async def test_a_generation_that_redis_lost_revives_nothing(
    caches: tuple[Cache, Cache], scope: str, redis_url: str
) -> None:
    await _get(caches[0], scope, Source(b"old"))
    redis = Redis.from_url(redis_url)
    await redis.delete(f"product:generation:{scope}")
    await redis.aclose()
    assert await _get(caches[0], scope, Source(b"new")) == b"new"


async def test_garbage_in_redis_is_a_miss(caches: tuple[Cache, Cache], scope: str, redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    await redis.set(f"product:entry:test:{scope}", b"x")
    await redis.set(f"product:generation:{scope}", b"y")
    assert await _get(caches[0], scope, Source()) == b"old"
    await redis.aclose()


async def test_without_redis_everything_works_and_fast(open_shop: OpenShop) -> None:
    shop: Shop = open_shop(redis_url="redis://127.0.0.1:1/0")
    product = await shop.product(3)
    path = f"/api/v1/products/{product['id']}"
    begun = asyncio.get_running_loop().time()
    for name in ("first", "second"):
        version = (await shop.public.get(path)).headers["etag"]
        changed = await shop.public.patch(
            path, json={"name": name}, headers=shop.admin | {"if-match": version}
        )
        assert changed.status_code == 200
        assert (await shop.public.get(path)).json()["name"] == name
    assert (await shop.reserve((product["id"], 1))).status_code == 201
    assert asyncio.get_running_loop().time() - begun < 3
    ready = await shop.public.get("/readyz")
    assert (ready.status_code, ready.json()["redis"]) == (200, False)


async def test_every_write_shows_in_every_process_at_once(open_shop: OpenShop) -> None:
    one, other = open_shop(), open_shop()
    word = "v" + uuid.uuid4().hex
    product = await one.product(name=word)
    path = f"/api/v1/products/{product['id']}"
    for price in range(1, 6):
        assert (await other.public.get(path)).json()["version"] == price
        assert (await other.public.get("/api/v1/products", params={"q": word})).json()["items"][0][
            "version"
        ] == price
        headers = one.admin | {"if-match": f'"{price}"'}
        await one.public.patch(path, json={"price_minor": price}, headers=headers)
    await one.public.delete(path, headers=one.admin | {"if-match": '"6"'})
    assert await other.names(q=word) == []


async def test_selling_out_leaves_the_list_of_what_is_in_stock(shop: Shop) -> None:
    word = "u" + uuid.uuid4().hex
    product = await shop.product(2, name=word)
    for quantity, listed in ((1, [word]), (1, [])):
        await shop.reserve((product["id"], quantity))
        assert await shop.names(q=word, in_stock="true") == listed


async def test_a_hit_is_the_bytes_that_were_stored(shop: Shop) -> None:
    word = "t" + uuid.uuid4().hex
    await shop.product(name=word)
    answers = [await shop.public.get("/api/v1/products", params={"q": word}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    headers = {"if-none-match": answers[0].headers["etag"]}
    assert (await shop.public.get("/api/v1/products", params={"q": word}, headers=headers)).status_code == 304


async def test_a_body_is_carried_once_and_still_every_look_asks_redis(
    caches: tuple[Cache, Cache], scope: str, redis_url: str
) -> None:
    """What a process holds counts only while Redis says so: another process' change ends it at once."""
    source, redis = Source(b"x" * 10_000), Redis.from_url(redis_url)
    await _get(caches[0], scope, source)
    await _get(caches[0], scope, source)
    await redis.delete(*[key async for key in redis.scan_iter(f"product:entry:*{scope}")])
    assert await _get(caches[0], scope, source) == b"x" * 10_000
    assert source.loads == 1
    source.value = b"new"
    await caches[1].invalidate(scope)
    assert await _get(caches[0], scope, source) == b"new"
    await redis.aclose()
