import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import Shop

pytestmark = pytest.mark.mission_M06


@pytest.fixture
def word() -> str:
    """A word that no other test's products contain."""
    return "w" + "".join(chr(ord("a") + int(digit, 16)) for digit in uuid.uuid4().hex[:16])


async def _ids(shop: Shop, between: Callable[[], Any] | None = None, **query: Any) -> list[str]:
    """All ids over all pages, with something done between them."""
    ids: list[str] = []
    cursor = None
    while True:
        params = query | ({"cursor": cursor} if cursor else {})
        page = (await shop.public.get("/api/v1/products", params=params)).json()
        ids += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return ids
        if between is not None:
            await between()


async def test_a_name_ranks_above_a_description(shop: Shop, word: str) -> None:
    await shop.product(name="Lamp", description=f"goes well with a {word}")
    await shop.product(name=f"{word} table")
    await shop.product(name="Chair")
    assert await shop.names(q=word) == [f"{word} table", "Lamp"]


async def test_words_match_in_their_forms_and_quotes_and_minus_work(shop: Shop, word: str) -> None:
    await shop.product(name=f"{word} running shoes")
    await shop.product(name=f"{word} shoe for runners", description="blue")
    assert len(await shop.names(q=f"{word} shoe")) == 2
    assert await shop.names(q=f'{word} "running shoes"') == [f"{word} running shoes"]
    assert await shop.names(q=f"{word} shoes -blue") == [f"{word} running shoes"]


async def test_a_begun_word_matches_only_when_asked(shop: Shop, word: str) -> None:
    await shop.product(name=f"{word} telescope")
    assert await shop.names(q=f"{word} teles") == []
    assert await shop.names(q=f"{word} teles", prefix="true") == [f"{word} telescope"]


async def test_filters_narrow_together(shop: Shop, word: str) -> None:
    root = await shop.category()
    leaf = await shop.category(root["id"])
    await shop.product(
        5, name="a", description=word, category_id=leaf["id"], attributes={"color": "red"}, price_minor=10
    )
    await shop.product(
        name="b", description=word, category_id=root["id"], attributes={"color": "blue"}, price_minor=20
    )
    await shop.product(name="c", description=word, attributes={"color": "red"}, price_minor=30)
    names = {"sort": "name", "q": word}
    assert await shop.names(**names, category_id=root["id"]) == ["a", "b"]
    assert await shop.names(**names, category_id=leaf["id"]) == ["a"]
    assert await shop.names(**names, in_stock="true") == ["a"]
    assert await shop.names(**names, min_price_minor=20) == ["b", "c"]
    assert await shop.names(**names, max_price_minor=10, currency="EUR") == []
    assert await shop.names(**names, attribute="color:red") == ["a", "c"]
    assert await shop.names(**names, attribute=["color:red", "color:blue"]) == ["a", "b", "c"]
    assert await shop.names(**names, attribute=["color:red", "size:xl"]) == []


@pytest.mark.parametrize("sort", ["relevance", "newest", "price", "-price", "name"])
async def test_pages_together_are_the_whole_in_order(shop: Shop, word: str, sort: str) -> None:
    for number in range(13):
        # Equal prices, names and ranks: only the id orders these.
        await shop.product(name=f"{word} {number % 3}", price_minor=number % 3)
    whole = await _ids(shop, q=word, sort=sort, limit=100)
    assert len(set(whole)) == 13
    assert await _ids(shop, q=word, sort=sort, limit=4) == whole


@pytest.mark.parametrize("sort", ["newest", "price", "name", "relevance"])
async def test_inserts_between_pages_repeat_and_skip_nothing(shop: Shop, word: str, sort: str) -> None:
    before = {(await shop.product(name=f"{word} {i}", price_minor=i * 10))["id"] for i in range(9)}

    async def insert() -> None:
        await shop.product(name=f"{word} 0", price_minor=0)
        await shop.product(name=f"{word} 9", price_minor=999)

    paged = await _ids(shop, insert, q=word, sort=sort, limit=2)
    assert len(paged) == len(set(paged))
    assert before <= set(paged)


async def test_a_cursor_is_good_for_its_own_search_only(shop: Shop, word: str) -> None:
    for _ in range(3):
        await shop.product(name=word)
    cursor = (await shop.public.get("/api/v1/products", params={"q": word, "limit": 1})).json()["next_cursor"]
    good = {"q": word, "cursor": cursor}
    assert (await shop.public.get("/api/v1/products", params=good | {"limit": 2})).status_code == 200
    for bad in (
        good | {"sort": "price"},
        good | {"q": "other"},
        good | {"cursor": cursor[:-2] + "AA"},
        good | {"cursor": "é"},
        good | {"cursor": ""},
        good | {"cursor": "AAAA"},
    ):
        answer = await shop.public.get("/api/v1/products", params=bad)
        assert answer.status_code == 400, bad
        assert answer.json()["type"].endswith("/invalid-cursor")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "sort=sku",
        "q=",
        "q=%00",
        "q=%FF",
        "prefix=true",
        "sort=relevance",
        "min_price_minor=2&max_price_minor=1",
        "min_price_minor=9223372036854775808",
        "category_id=1",
        "unknown=1",
        "q=a&q=b",
        "attribute=nocolon",
        "attribute=a:%00",
        "currency=dollar",
        "&".join(f"a{i}=1" for i in range(60)),
        "q=" + "x" * 201,
    ],
)
async def test_a_wrong_query_is_refused(shop: Shop, query: str) -> None:
    answer = await shop.public.get(f"/api/v1/products?{query}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "q", ["the", "!!!", "' or 1=1 --", "a & | !", "\\", '"', "((", ":*", "ü€ 😀", "-", "a:*b <-> c"]
)
@pytest.mark.parametrize("prefix", ["true", "false"])
async def test_no_words_break_the_search(shop: Shop, q: str, prefix: str) -> None:
    assert (await shop.public.get("/api/v1/products", params={"q": q, "prefix": prefix})).status_code == 200
