"""`make up STACK=staging`: the product's other stack, in a cluster without EKS and with nothing of AWS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudcommerce_sandbox.clusters import running_clusters, stop_clusters
from cloudcommerce_sandbox.supervisor import stop_emulator

from tests.sandbox.cluster.standing import StackBench
from tests.sandbox.workbench import make_product_checkout

STACK = "staging"


@pytest.fixture
def staging(tmp_path: Path, pulumi: Path) -> Iterator[StackBench]:
    """The stack in a checkout of the product; nothing of it stands yet."""
    layout = make_product_checkout(tmp_path / "checkout", pulumi)
    try:
        yield StackBench(layout, STACK)
    finally:
        stop_clusters(layout)
        stop_emulator(layout)


@pytest.mark.xdist_group("staging")
@pytest.mark.mission_M40
@pytest.mark.mission_M70
def test_staging_comes_up_stays_unchanged_and_goes(staging: StackBench) -> None:
    first = staging.command("up", "--stack", STACK)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    kinds = {record["type"].rsplit(":", 1)[-1] for record in staging.state().custom()}
    assert {"Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding"} <= kinds
    assert not [record["type"] for record in staging.state().custom() if record["type"].startswith("aws:")]
    assert staging.inventory() == []
    [cluster] = running_clusters(staging.layout)
    assert (cluster.region, cluster.ready) == ("", True)

    second = staging.command("up", "--stack", STACK)
    assert second.returncode == 0, second.stdout[-3000:]
    assert "Nothing to change" in second.stdout

    down = staging.operations("teardown", "--yes", "--json")
    assert down.returncode == 0, down.stdout[-3000:] + down.stderr[-3000:]
    assert json.loads(down.stdout)["leftovers"] == {}
    assert staging.state().custom() == []
