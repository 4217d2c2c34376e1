"""AWS on a bad day: `up` succeeds by trying again, or fails saying what, and then comes right."""

from typing import Any

import pytest

from tests.sandbox.workbench import Workbench, steps_of

PASSING: dict[str, dict[str, Any]] = {
    "throttled now and then": {"kind": "throttle", "probability": 0.2, "times": 25},
    "internal errors": {"kind": "internal", "operation": "Create*", "times": 6},
    "connections dropped": {"kind": "drop-connection", "operation": "Create*", "times": 4},
    "no answer in time": {"kind": "timeout", "operation": "CreateSubnet", "times": 2, "delay_seconds": 0.3},
}


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_is_tried_again(small_shop: Workbench, case: str) -> None:
    small_shop.fault(**PASSING[case])

    small_shop.must_up()

    assert small_shop.api("GET", "faults")[0]["struck"] >= 2
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


@pytest.mark.parametrize(
    "operation", ["CreateVpc", "CreateSubnet", "CreateSecret", "CreateRole", "CreateKey", "CreateLogGroup"]
)
def test_what_was_made_though_nobody_heard_is_not_left_behind(small_shop: Workbench, operation: str) -> None:
    small_shop.fault("lost-response", operation=operation, times=1)

    first = small_shop.up()
    if first.exit_code != 0:
        assert operation in str(first.failures())
    recovered = small_shop.operations("recover", "--yes", "--delete-orphans")
    assert recovered.returncode == 0, recovered.stdout + recovered.stderr

    small_shop.must_up()
    _converges(small_shop)


def _converges(bench: Workbench) -> None:
    assert steps_of(bench.must_up()) == []
    assert bench.orphans() == []
    refreshed = bench.engine("refresh", "--skip-preview", "--expect-no-changes")
    assert refreshed.exit_code == 0, refreshed.failures()
