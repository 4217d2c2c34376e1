"""Fixtures of the tests on the real engine.

An emulator serves a worker for the whole session and is emptied before each test; everything else (checkout,
state, home of the engine, passphrase) is a test's own.
"""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.clusters import stop_clusters
from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.supervisor import ensure_emulator, stop_emulator
from cloudcommerce_sandbox.tools.resolve import ensure_tools
from cloudcommerce_sandbox.tools.store import ToolStore
from cloudcommerce_sandbox.workspace.layout import Layout

from tests.sandbox.workbench import (
    CHECKOUT,
    PROGRAMS,
    SMALL,
    Workbench,
    call_api,
    make_checkout,
    make_product_checkout,
)


@pytest.fixture(scope="session")
def pulumi() -> Path:
    """The checkout's own engine; built when it is not there yet."""
    layout = Layout(CHECKOUT)
    with Steps() as steps:
        return ensure_tools(ToolStore(layout.tools), layout.logs, steps)["pulumi"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """The layout of this worker's emulator."""
    layout = Layout(tmp_path_factory.mktemp("emulator"))
    layout.root.mkdir()
    ensure_emulator(layout)
    yield layout
    stop_emulator(layout)


@pytest.fixture
def empty_aws(emulator: Layout) -> Path:
    """The emulator with nothing in it, no faults and no calls; what is known of its process."""
    return _empty(emulator)


def _empty(emulator: Layout) -> Path:
    running, _ = ensure_emulator(emulator)
    call_api(running.url, "DELETE", "faults")
    call_api(running.url, "POST", "/moto-api/reset")
    call_api(running.url, "DELETE", "calls")
    return emulator.emulator


@pytest.fixture
def workbench(tmp_path: Path, pulumi: Path, empty_aws: Path) -> Workbench:
    """A checkout with an empty program."""
    return _furnished(make_checkout(tmp_path / "checkout", pulumi), empty_aws)


@pytest.fixture
def shop(workbench: Workbench) -> Workbench:
    """A checkout with the small fixed stack; nothing of it stands yet."""
    workbench.program(PROGRAMS / "shop.py")
    return workbench


@pytest.fixture
def open_shop(tmp_path: Path, pulumi: Path, emulator: Layout) -> Callable[[], Workbench]:
    """Makes smaller shops of one zone and one image, each in an AWS that is empty again."""
    numbers = itertools.count()

    def make() -> Workbench:
        running = _empty(emulator)
        bench = _furnished(make_checkout(tmp_path / f"checkout{next(numbers)}", pulumi), running)
        bench.program(PROGRAMS / "shop.py")
        bench.settings(**SMALL)
        return bench

    return make


@pytest.fixture
def small_shop(open_shop: Callable[[], Workbench]) -> Workbench:
    """One of these."""
    return open_shop()


def _furnished(layout: Layout, emulator: Path) -> Workbench:
    layout.emulator.symlink_to(emulator)
    bench = Workbench(layout)
    bench.program("")
    bench.settings()
    return bench


@pytest.fixture(scope="session")
def product_checkout(tmp_path_factory: pytest.TempPathFactory, pulumi: Path) -> Iterator[Workbench]:
    """A checkout of the product with a sandbox, an emulator and clusters of its own."""
    layout = make_product_checkout(tmp_path_factory.mktemp("product") / "checkout", pulumi)
    yield Workbench(layout)
    stop_clusters(layout)
    stop_emulator(layout)


@pytest.fixture(scope="session")
def first_up(product_checkout: Workbench) -> "subprocess.CompletedProcess[str]":
    """What the command that brought production up said. Whoever uses it is of the xdist group `product`."""
    return product_checkout.command("up")


@pytest.fixture(scope="session")
def product(product_checkout: Workbench, first_up: "subprocess.CompletedProcess[str]") -> Workbench:
    """Production, up once for all tests; they leave it as they found it, but the last one."""
    assert first_up.returncode == 0, first_up.stdout[-4000:] + first_up.stderr
    return product_checkout


@pytest.fixture(scope="session")
def product_outputs(product: Workbench) -> dict[str, Any]:
    """What production's stack says of itself."""
    printed = product.session.engine.capture("stack", "output", "--json", "--stack", "prod")
    outputs: dict[str, Any] = json.loads(printed.stdout)
    return outputs
