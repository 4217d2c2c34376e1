"""Fixtures of the tests on a real cluster: emulator, follower, control plane, nodes.

It stands for all tests of the xdist group `cluster`. A test that would leave it otherwise than it found it
makes one of its own with `lone_cluster`.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.clusters import stop_clusters
from cloudcommerce_sandbox.supervisor import stop_emulator

from tests.sandbox.cluster.standing import StackBench, Standing, make_cluster_checkout

_NUMBERS = itertools.count()

OpenStack = Callable[..., StackBench]


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
def lone_cluster(tmp_path: Path, pulumi: Path) -> Iterator[StackBench]:
    """The stack of a cluster of the test's own; nothing of it stands yet."""
    layout = make_cluster_checkout(tmp_path / "checkout", pulumi)
    try:
        yield StackBench(layout)
    finally:
        stop_clusters(layout)
        stop_emulator(layout)


@pytest.fixture
def open_stack(standing: Standing) -> Iterator[OpenStack]:
    """Makes stacks of objects, each in a namespace of its own; keywords are its settings."""
    opened: list[str] = []

    def make(labels: dict[str, str] | None = None, **settings: Any) -> StackBench:
        name = f"objects-{next(_NUMBERS)}"
        metadata = {"name": name, "labels": labels or {}}
        standing.kubectl(
            "create", "-f", "-", given={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        )
        opened.append(name)
        return standing.stack(name, **settings)

    yield make
    for name in opened:
        standing.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest.fixture
def objects(open_stack: OpenStack) -> StackBench:
    """One of these."""
    return open_stack()
