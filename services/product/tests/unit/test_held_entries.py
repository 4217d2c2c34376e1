from hypothesis import given
from hypothesis import strategies as st

from cloudcommerce_product.cache.entries import Entry, Generation, now_ms
from cloudcommerce_product.cache.held import HeldEntries

_GENERATION = Generation.new()


def _entry(size: int, lifetime_ms: int = 60_000) -> Entry:
    return Entry.of(b"x" * size, now_ms() + lifetime_ms)


def test_a_stale_entry_is_not_held() -> None:
    held = HeldEntries(1_000)
    held.keep("a", _GENERATION, _entry(1, lifetime_ms=-1))
    assert held.fresh("a") is None


def test_what_was_used_last_stays() -> None:
    held = HeldEntries(160)
    for name in "abcdefghijklmnop":
        held.keep(name, _GENERATION, _entry(10))
    assert held.fresh("a")
    held.keep("z", _GENERATION, _entry(10))
    assert held.fresh("a")
    assert held.fresh("b") is None


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 200), st.booleans())))
def test_the_limit_holds(steps: list[tuple[str, int, bool]]) -> None:
    held, limit = HeldEntries(1_600), 1_600
    for name, size, drop in steps:
        if drop:
            held.drop(name)
        else:
            held.keep(name, _GENERATION, _entry(size))
            assert (held.fresh(name) is not None) is (size * 16 <= limit)
        assert sum(len(kept[1].body) for kept in map(held.fresh, "abcdefgh") if kept) <= limit
