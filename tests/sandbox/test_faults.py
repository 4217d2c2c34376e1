"""AWS on a bad day: `up` succeeds by trying again, or fails saying what, and then comes right."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.workbench import Workbench

PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "throttle", "probability": 0.2, "times": 15},
    {"kind": "internal", "operation": "Create*", "times": 3},
    {"kind": "drop-connection", "operation": "Describe*", "times": 3},
    {"kind": "timeout", "operation": "CreateSubnet", "times": 2, "delay_seconds": 0.3},
)


def test_what_passes_is_tried_again(small_shop: Workbench) -> None:
    for fault in PASSING:
        small_shop.fault(**fault)

    small_shop.must_up()

    assert all(fault["struck"] for fault in small_shop.api("GET", "faults"))
    _converges(small_shop)


@pytest.mark.parametrize(
    ("operation", "name", "kind"),
    [
        ("CreateRole", "reader", "access-denied"),
        ("CreateSubnet", "core-private-a", "internal"),
        ("PutRetentionPolicy", "requests", "access-denied"),
    ],
)
def test_what_lasts_is_named_and_repaired_by_the_next_up(
    small_shop: Workbench, operation: str, name: str, kind: str
) -> None:
    """The last case fails when the log group exists already: it must not be lost, or made a second time."""
    small_shop.fault(kind, operation=operation)

    failed = small_shop.up()
    small_shop.api("DELETE", "faults")

    [told] = [each for each in failed.failures() if each.urn.endswith(f"::{name}")]
    assert failed.exit_code != 0
    assert operation in told.message
    assert ("not authorized" if kind == "access-denied" else "internal error") in told.message
    assert small_shop.orphans() == []
    small_shop.must_up()
    _converges(small_shop)


MAKERS = ("CreateVpc", "CreateSubnet", "CreateSecret", "CreateRole", "CreateKey", "CreateLogGroup")


def test_what_was_made_though_nobody_heard_is_not_left_behind(
    open_shop: Callable[[], Workbench], full_run: bool
) -> None:
    for operations in [MAKERS, *((each,) for each in MAKERS if full_run)]:
        shop = open_shop()
        for operation in operations:
            shop.fault("lost-response", operation=operation, times=1)

        first = shop.up()
        assert first.exit_code == 0 or any(each in str(first.failures()) for each in operations)
        shop.api("DELETE", "faults")
        recovered = shop.operations("recover", "--yes", "--delete-orphans")
        assert recovered.returncode == 0, recovered.stdout + recovered.stderr

        shop.must_up()
        _converges(shop)


def _converges(bench: Workbench) -> None:
    assert not bench.must_up("--refresh").progress.changed()
    assert bench.orphans() == []
