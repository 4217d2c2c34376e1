"""What of a release's values decides whether its recording fits."""

from typing import Any

import pytest
from cloudcommerce_sandbox.charts.values import PLACEHOLDER, differences, digest, sampled, settled
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret
from hypothesis import given
from hypothesis import strategies as some

_PLAIN = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
)


@given(_PLAIN)
def test_what_is_settled_fits_itself_and_stays_as_it_is(values: Any) -> None:
    assert settled(values) == values
    assert list(differences(settled(values), values)) == []


def test_what_another_resource_tells_and_what_is_secret_does_not_change_the_hash() -> None:
    known = {"cluster": "shop-1", "password": Secret("geheim"), "replicas": 2}
    unknown = {"cluster": UNKNOWN, "password": Secret("b"), "replicas": 2}
    assert digest({**known, "cluster": UNKNOWN}) == digest(unknown)
    assert "geheim" not in str(settled(known)["password"])


def test_a_recorded_placeholder_fits_what_became_known() -> None:
    recorded = settled({"cluster": UNKNOWN, "tags": [UNKNOWN]})
    assert list(differences(recorded, {"cluster": "shop-1", "tags": ["a"]})) == []


def test_what_is_not_known_yet_fits_what_was_recorded() -> None:
    assert list(differences({"cluster": "shop-1"}, {"cluster": UNKNOWN})) == []


@pytest.mark.parametrize(
    ("recorded", "now", "told"),
    [
        ({"a": 1}, {"a": 2}, "values.a is 2 now and was 1"),
        ({"a": True}, {"a": 1}, "values.a is 1 now and was true"),
        ({"a": 1}, {}, "values.a is gone"),
        ({}, {"a": {"b": 1}}, "values.a is new"),
        ({"a": [1]}, {"a": [1, 2]}, "values.a is a list of 2 now and was a list of 1"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "values.a[0].b is 2 now and was 1"),
        ({"a": "x"}, {"a": Secret("geheim")}, "values.a is secret now and was recorded in the open"),
        ({"a": None}, {"a": 1}, "values.a is 1 now and was null"),
    ],
)
def test_a_change_is_told_by_its_path(recorded: Any, now: Any, told: str) -> None:
    assert list(differences(recorded, now)) == [told]


def test_a_chart_gets_a_text_for_each_placeholder() -> None:
    assert sampled({"a": [PLACEHOLDER], "b": 1}) == {"a": ["placeholder"], "b": 1}
