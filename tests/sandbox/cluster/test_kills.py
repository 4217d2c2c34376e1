"""Each process behind a cluster killed in the middle of the cluster's life: nothing is lost or made twice.

One stack lives through the tests of this file, in their order: it comes up, changes, and goes.
"""

import json
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.clusters import is_followed, running_clusters, stop_clusters
from cloudcommerce_sandbox.supervisor import stop_emulator

from tests.sandbox.cluster.standing import StackBench, make_cluster_checkout
from tests.sandbox.processes import descendants, engines, freeze, is_running, kill, working_in
from tests.sandbox.workbench import PROGRAMS, wait_until

pytestmark = [
    pytest.mark.xdist_group("killed-cluster"),
    pytest.mark.timeout(3600),
    pytest.mark.mission_M21,
    pytest.mark.mission_M70,
]

CONTROL_PLANE = ("etcd", "kube-apiserver")
PLUGINS = {"eks plugin": "plugins.eks", "kubernetes plugin": "plugins.kubernetes"}
VICTIMS = (*CONTROL_PLANE, *PLUGINS, "follower", "engine")

APPLICATIONS = ["order", "product", "user"]
ALL_RECORDS = 118
"""What the state of the whole stack holds."""
FIRST_OBJECT = 86
"""How much of that is there before anything is put into the cluster."""

OBJECTS = (
    "namespaces,resourcequotas,limitranges,networkpolicies,storageclasses,"
    "roles,rolebindings,clusterroles,clusterrolebindings"
)
SYSTEM = ("kube-", "default")
OURS = "cloudcommerce:"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, pulumi: Path) -> Iterator[StackBench]:
    """The stack; nothing of it stands yet."""
    layout = make_cluster_checkout(tmp_path_factory.mktemp("killed") / "checkout", pulumi)
    bench = StackBench(layout)
    bench.settings(applications=APPLICATIONS)
    bench.program(PROGRAMS / "cluster.py")
    try:
        yield bench
    finally:
        stop_clusters(layout)
        stop_emulator(layout)


@pytest.fixture(scope="module")
def standing(bench: StackBench) -> StackBench:
    """The stack as it is when nobody kills anything any more."""
    _converge(bench)
    return bench


def test_killed_up_is_recovered(bench: StackBench, full_run: bool) -> None:
    for seed, victim in _plan(full_run, ["eks plugin", "engine", "kubernetes plugin"]):
        chance = random.Random(f"up {victim} {seed}")
        if full_run:
            _tear_down(bench)
        done = len(bench.state().custom())
        earliest, latest = _of_interest(victim)
        moment = chance.randint(max(done, earliest), max(done, latest))

        _interrupt(
            bench,
            bench.engine_command("up"),
            victim,
            lambda moment=moment: len(bench.state().custom()) >= moment,  # type: ignore[misc]  # bound early
        )

        _recover(bench, f"{victim} killed in `up` at {moment} records, seed {seed}")
    _converge(bench)


def test_killed_update_is_recovered(standing: StackBench, full_run: bool) -> None:
    number = 0
    for number, (seed, victim) in enumerate(_plan(full_run, ["kube-apiserver", "follower"])):
        chance = random.Random(f"update {victim} {seed}")
        standing.settings(applications=APPLICATIONS[: 2 + number % 2], main=[2, 5 + number], pods=11 + number)
        standing.api("DELETE", "calls")
        moment = chance.randint(3, 60)

        _interrupt(
            standing,
            standing.engine_command("up"),
            victim,
            lambda moment=moment: standing.calls() >= moment,  # type: ignore[misc]  # bound early
        )

        _recover(standing, f"{victim} killed in an update after {moment} calls, seed {seed}")
    _converge(standing)
    quotas = [each["spec"]["hard"]["pods"] for each in _objects(standing, "resourcequotas")]
    assert set(quotas) == {str(11 + number)}


def test_next_command_brings_a_killed_follower_back(standing: StackBench) -> None:
    before = _processes(standing)
    kill(_follower(standing))
    wait_until(lambda: running_clusters(standing.layout) == (), "the end of the follower")

    assert _next_command(standing).returncode == 0

    wait_until(lambda: bool(running_clusters(standing.layout)), "the cluster is known again")
    assert _processes(standing) == before, "the clusters went on"
    assert _steps_left(standing) == 0


def test_killed_control_plane_comes_back_with_what_it_had(standing: StackBench) -> None:
    known = _identities(standing)
    for name in CONTROL_PLANE:
        pid = _processes(standing)[name]
        kill(pid)
        wait_until(lambda name=name, pid=pid: _processes(standing).get(name, pid) != pid, name)  # type: ignore[misc]  # bound early
    wait_until(lambda: _identities_or_nothing(standing) == known, "all objects are there again", 90)


def test_killed_teardown_is_taken_up_again(standing: StackBench, full_run: bool) -> None:
    for seed, victim in _plan(full_run, ["etcd", "engine"]):
        chance = random.Random(f"teardown {victim} {seed}")
        if full_run:
            standing.must_up()
        moment = chance.randint(5, 95)

        _interrupt(
            standing,
            standing.operations_command("teardown", "--yes"),
            victim,
            lambda moment=moment: len(standing.state().custom()) <= moment,  # type: ignore[misc]  # bound early
        )

        _recover(standing, f"{victim} killed in a teardown at {moment} records, seed {seed}", in_state=False)
    _tear_down(standing)


def test_stop_leaves_no_process(bench: StackBench) -> None:
    _make_bare_cluster(bench)
    assert {"etcd", "kube-apiserver"} <= {*_processes(bench)}

    assert bench.command("stop").returncode == 0

    wait_until(lambda: working_in(bench.layout.root) == {}, "the end of all processes", 15)
    assert not bench.layout.kubernetes.exists()


def _make_bare_cluster(bench: StackBench) -> None:
    """Make a cluster that no stack knows."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam, ec2, eks = (bench.client(service) for service in ("iam", "ec2", "eks"))
    role = iam.create_role(RoleName="bare", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    zones = [{"Name": "default-for-az", "Values": ["true"]}]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=zones)["Subnets"][:2]]
    eks.create_cluster(name="bare", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    wait_until(lambda: eks.describe_cluster(name="bare")["cluster"]["status"] == "ACTIVE", "the cluster")


def _plan(full_run: bool, short: Sequence[str]) -> list[tuple[int, str]]:
    """Who is killed, in turn."""
    if full_run:
        return [(seed, victim) for seed in range(2) for victim in VICTIMS]
    return [(0, victim) for victim in short]


def _of_interest(victim: str) -> tuple[int, int]:
    """Between how many records of the stack's state a process has something to do in `up`."""
    if victim in {"kubernetes plugin", *CONTROL_PLANE}:
        return FIRST_OBJECT, ALL_RECORDS - 2
    return 1, {"eks plugin": 40, "follower": 70}.get(victim, ALL_RECORDS - 2)


def _interrupt(bench: StackBench, command: list[str], victim: str, reached: Callable[[], bool]) -> None:
    """Run a command and kill somebody on the way; a command that ends before was quicker."""
    bench.session  # noqa: B018  # everything that the command needs runs before it
    with bench.begin(*command) as process:
        wait_until(lambda: process.poll() is not None or reached(), f"the moment to kill {victim}", 240)
        if victim == "engine":
            freeze(process.pid)
        family = descendants(process.pid)
        if victim == "engine":
            for pid in engines(family):
                kill(pid)
        elif victim in PLUGINS:
            for pid in (pid for pid, line in family.items() if PLUGINS[victim] in line):
                kill(pid)
        elif victim == "follower":
            kill(_follower(bench))
            _next_command(bench)  # which finds the engine at work, and leaves it alone
            assert is_followed(bench.layout)
        elif member := _processes(bench).get(victim):
            kill(member)
        process.wait(timeout=300)
    wait_until(lambda: not any(is_running(pid) for pid in family), "the end of the engine's children", 60)


def _next_command(bench: StackBench) -> "subprocess.CompletedProcess[str]":
    return bench.command("exec", "--stack", bench.stack, "--", "true")


def _recover(bench: StackBench, moment: str, *, in_state: bool = True) -> None:
    done = bench.operations("recover", "--yes", "--delete-orphans")
    assert done.returncode == 0, f"{moment}\n{done.stdout}\n{done.stderr}"
    assert bench.state().pending == (), moment
    if in_state:
        assert bench.orphans() == [], moment


def _converge(bench: StackBench) -> None:
    bench.must_up()
    again = bench.must_up("--refresh")
    assert not again.progress.changed()
    assert bench.orphans() == []
    urns = Counter(record["urn"] for record in bench.state().custom())
    assert [urn for urn, count in urns.items() if count > 1] == []
    in_state = {
        (record["type"].rpartition(":")[2], record["id"])
        for record in bench.state().custom()
        if record["type"].startswith("kubernetes:")
    }
    assert set(_identities(bench)) == in_state


def _tear_down(bench: StackBench) -> None:
    if not bench.state().custom():
        return
    done = bench.operations("teardown", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert bench.state().custom() == []
    assert [item for item in bench.inventory() if item["state"] is None] == []
    wait_until(lambda: running_clusters(bench.layout) == (), "no cluster", 30)
    assert working_in(bench.layout.kubernetes / "clusters") == {}


def _steps_left(bench: StackBench) -> int:
    """What another `up` would do."""
    steps = bench.preview()["changeSummary"]
    return sum(count for operation, count in steps.items() if operation != "same")


def _processes(bench: StackBench) -> dict[str, int]:
    """The numbers of the control plane's processes, as the follower knows them; none without a cluster."""
    return {
        name: pid for cluster in running_clusters(bench.layout) for name, pid in cluster.processes.items()
    }


def _follower(bench: StackBench) -> int:
    return int(json.loads(bench.layout.follower.read_text())["pid"])


def _objects(bench: StackBench, kinds: str) -> list[dict[str, Any]]:
    """What of these kinds is in the cluster and not the system's own."""
    [cluster] = running_clusters(bench.layout)
    executable = bench.layout.tools / "kubectl"
    done = subprocess.run(
        [
            *(str(executable) if executable.is_file() else "kubectl", "--kubeconfig", cluster.kubeconfig),
            *("get", kinds, "--all-namespaces", "-o", "json"),
        ],
        env=bench.session.engine.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [item for item in json.loads(done.stdout)["items"] if not _is_of_system(item)]


def _is_of_system(item: dict[str, Any]) -> bool:
    metadata = item["metadata"]
    if item["kind"].startswith("ClusterRole"):
        return not metadata["name"].startswith(OURS)
    namespace = metadata["name"] if item["kind"] == "Namespace" else metadata.get("namespace", "")
    return bool(namespace.startswith(SYSTEM))


def _identities(bench: StackBench) -> dict[tuple[str, str], str]:
    """The uid of each object, by kind and place."""
    return {
        (
            item["kind"],
            "/".join(filter(None, (item["metadata"].get("namespace"), item["metadata"]["name"]))),
        ): item["metadata"]["uid"]
        for item in _objects(bench, OBJECTS)
    }


def _identities_or_nothing(bench: StackBench) -> dict[tuple[str, str], str]:
    try:
        return _identities(bench)
    except (ValueError, subprocess.CalledProcessError):
        return {}
