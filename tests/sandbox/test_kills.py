"""Engine, plugin and repair killed at random moments: nothing is lost, nothing is made twice."""

import random
import subprocess
from collections.abc import Callable

import pytest

from tests.sandbox.processes import PLUGIN, descendants, engines, freeze, is_running, kill
from tests.sandbox.workbench import SMALL, Workbench, wait_until

OpenShop = Callable[[], Workbench]

UP_CALLS = 60
"""Calls of AWS that bring the small shop up; a kill comes after a random one of them."""

DOWN_CALLS = 45

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("victim", ["engine", "plugin"])
def test_killed_up_is_recovered(open_shop: OpenShop, victim: str, full_run: bool) -> None:
    for seed in range(13 if full_run else 2):
        shop = open_shop()
        chance = random.Random(f"{victim} {seed}")
        moment = chance.randrange(4, UP_CALLS - 4)
        _kill_at(shop, shop.begin(*shop.engine_command("up")), victim, moment)

        _recover(shop, f"{victim}, seed {seed}, after {moment} calls")
        _converges(shop)


def test_killed_recovery_is_taken_up_again(open_shop: OpenShop, full_run: bool) -> None:
    for seed in range(6 if full_run else 1):
        shop = open_shop()
        chance = random.Random(f"recovery {seed}")
        _kill_at(shop, shop.begin(*shop.engine_command("up")), "engine", chance.randrange(15, 40))
        shop.api("DELETE", "calls")
        recovery = shop.begin(*shop.operations_command("recover", "--yes"))
        _kill_at(shop, recovery, "engine", chance.randrange(1, 40))

        _recover(shop, f"recovery, seed {seed}")
        _converges(shop)


def test_killed_teardown_is_taken_up_again(open_shop: OpenShop, full_run: bool) -> None:
    for seed in range(6 if full_run else 1):
        shop = open_shop()
        shop.settings(**SMALL, protect=True)
        shop.must_up()
        chance = random.Random(f"teardown {seed}")
        shop.api("DELETE", "calls")
        teardown = shop.begin(*shop.operations_command("teardown", "--yes"))
        _kill_at(shop, teardown, "engine", chance.randrange(20, 20 + DOWN_CALLS))

        _recover(shop, f"teardown, seed {seed}", in_state=False)
        down = shop.operations("teardown", "--yes")

        assert down.returncode == 0, down.stdout + down.stderr
        assert shop.state().custom() == []
        assert [item for item in shop.inventory() if item["state"] is None] == []


def _kill_at(shop: Workbench, process: "subprocess.Popen[str]", victim: str, moment: int) -> None:
    """Kill it, or its plugin, once AWS has had that many calls; a run that ends before was quicker."""
    with process:
        wait_until(lambda: process.poll() is not None or shop.calls() >= moment, "that many calls", 90)
        if victim == "engine":
            freeze(process.pid)
        family = descendants(process.pid)
        plugins = [pid for pid, command in family.items() if PLUGIN in command]
        if victim == "plugin":
            for pid in plugins:
                kill(pid)
            process.wait(timeout=90)
        else:
            for pid in engines(family):
                kill(pid)
    # What an orphaned plugin has begun it may finish; it ends within seconds of its engine.
    wait_until(lambda: not any(is_running(pid) for pid in family), "the end of the engine's children", 30)


def _recover(shop: Workbench, moment: str, *, in_state: bool = True) -> None:
    done = shop.operations("recover", "--yes", "--delete-orphans")
    assert done.returncode == 0, f"{moment}\n{done.stdout}\n{done.stderr}"
    assert shop.state().pending == (), moment
    if in_state:
        assert shop.orphans() == [], moment


def _converges(shop: Workbench) -> None:
    shop.must_up()
    assert not shop.must_up("--refresh").progress.changed()
    assert shop.orphans() == []
