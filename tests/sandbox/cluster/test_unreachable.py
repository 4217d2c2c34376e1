"""A cluster that does not answer."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cloudcommerce_sandbox.clusters import running_clusters
from cloudcommerce_sandbox.processes import is_alive

from tests.sandbox.cluster.standing import StackBench, Standing
from tests.sandbox.workbench import steps_of, wait_until

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M70]

PROGRAM = 'k8s.core.v1.ConfigMap("thing", metadata=meta("thing"), data={"a": "1"}, opts=options())'


def test_what_stands_in_a_cluster_that_is_away_is_kept_until_somebody_says_otherwise(
    standing: Standing, objects: StackBench
) -> None:
    objects.program(PROGRAM)
    objects.must_up()
    before = _standing_in(objects)

    with away(standing):
        refreshed = objects.engine("refresh", "--skip-preview")
        destroyed = objects.engine("destroy", "--skip-preview")
        for outcome in (refreshed, destroyed):
            assert outcome.exit_code != 0
            said = str(outcome.failures())
            assert "does not answer" in said
            assert "PULUMI_K8S_DELETE_UNREACHABLE" in said
        assert _standing_in(objects) == before

    assert {operation for operation, _ in steps_of(objects.must_up("--refresh"))} == {"refresh"}

    with away(standing):
        engine = objects.session.engine
        told = replace(engine, environment={**engine.environment, "PULUMI_K8S_DELETE_UNREACHABLE": "true"})
        dropped = told.capture("destroy", "--yes", "--skip-preview", "--stack", objects.stack)
        assert dropped.returncode == 0, dropped.stdout + dropped.stderr
        assert objects.state().custom() == []


def _standing_in(bench: StackBench) -> list[tuple[str, str]]:
    return [(record["urn"], record["id"]) for record in bench.state().custom()]


@contextmanager
def away(standing: Standing) -> Iterator[None]:
    """Have the cluster's API server gone, and nobody there to start it again."""
    layout = standing.bench.layout
    [cluster] = running_clusters(layout)
    server = cluster.processes["kube-apiserver"]
    follower = _pid_of_follower(standing)
    os.kill(follower, signal.SIGSTOP)
    try:
        os.kill(server, signal.SIGKILL)
        yield
    finally:
        os.kill(follower, signal.SIGCONT)
    wait_until(lambda: _is_back(standing, server) and _is_ready(standing), "the API server comes back")


def _is_ready(standing: Standing) -> bool:
    try:
        standing.kubectl("get", "--raw", "/readyz")
    except AssertionError:
        return False
    return True


def _pid_of_follower(standing: Standing) -> int:
    pid = int(standing.bench.layout.follower.read_text().split('"pid": ')[1].split(",")[0].rstrip("}"))
    assert is_alive(pid, running=str(standing.bench.layout.follower))
    return pid


def _is_back(standing: Standing, before: int) -> bool:
    states = running_clusters(standing.bench.layout)
    return any(
        state.ready and state.processes.get("kube-apiserver", before) != before and not state.trouble
        for state in states
    )
