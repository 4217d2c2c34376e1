"""Fixtures of the tests on a real cluster: emulator, follower, control plane, nodes.

It stands for all tests of the xdist group `cluster`, which leave it as they found it; the last takes it down.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudcommerce_sandbox.clusters import stop_clusters
from cloudcommerce_sandbox.supervisor import stop_emulator

from tests.sandbox.cluster.standing import StackBench, Standing, make_cluster_checkout

_LAST = "test_teardown.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the cluster down when no other test needs it any more."""
    items.sort(key=lambda item: item.path.name == _LAST and item.path.parent == Path(__file__).parent)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory, pulumi: Path) -> Iterator[Standing]:
    """The cluster that stands."""
    layout = make_cluster_checkout(tmp_path_factory.mktemp("cluster") / "checkout", pulumi)
    try:
        yield Standing.of(layout)
    finally:
        stop_clusters(layout)
        stop_emulator(layout)


@pytest.fixture
def objects(standing: Standing) -> Iterator[StackBench]:
    """A stack of objects in the cluster that stands, and in a namespace of its own."""
    with standing.opened() as bench:
        yield bench
