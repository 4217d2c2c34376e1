"""The follower on a real emulator, with real control planes."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from cloudcommerce_sandbox import clusters, supervisor
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.environment import neutral_environment
from cloudcommerce_sandbox.kubernetes.follower import Follower
from cloudcommerce_sandbox.kubernetes.state import ClusterState, read_states
from cloudcommerce_sandbox.supervisor import Emulator
from cloudcommerce_sandbox.workspace import home
from cloudcommerce_sandbox.workspace.layout import Layout

from sandbox.tests.control_planes import tools, until

pytestmark = pytest.mark.xdist_group("follower")

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@contextmanager
def sandbox(directory: Path) -> Iterator[tuple[Layout, Emulator]]:
    layout = Layout(directory)
    layout.tools.mkdir(parents=True)
    for tool in tools().iterdir():
        (layout.tools / tool.name).symlink_to(tool)
    (layout.tools / "aws").unlink(missing_ok=True)
    home.write_launcher(layout.tools / "aws", "cloudcommerce_sandbox.aws_cli")
    try:
        emulator, _ = supervisor.ensure_emulator(layout, is_followed=True)
        clusters.ensure_follower(layout, emulator)
        yield layout, emulator
    finally:
        clusters.stop_clusters(layout)
        supervisor.stop_emulator(layout)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Layout, Emulator]]:
    with sandbox(tmp_path_factory.mktemp("checkout")) as made:
        yield made


def cluster_of(layout: Layout, name: str) -> ClusterState:
    return next(item for item in clusters.running_clusters(layout) if item.name == name)


def kubectl(layout: Layout, *arguments: str, context: str, **variables: str) -> str:
    done = subprocess.run(
        [tools() / "kubectl", "--kubeconfig", layout.kubeconfig, "--context", context, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **variables},
        check=False,
    )
    return done.stdout + done.stderr


def follower_pid(layout: Layout) -> int:
    return int(json.loads(layout.follower.read_text())["pid"])


def aws(emulator: Emulator, service: str) -> Any:
    secret = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "sandbox")
    session: Any = boto3.session.Session(region_name="us-east-1", **secret)  # type: ignore[arg-type]  # one dict
    return session.client(service, endpoint_url=emulator.url)


def test_nothing_of_the_users_reaches_the_clusters() -> None:
    users = {
        "PATH": "/bin",
        "AWS_PROFILE": "real",
        "KUBECONFIG": "/real",
        "HTTPS_PROXY": "http://proxy",
        "GOGC": "1",
    }

    assert neutral_environment(users) == {"PATH": "/bin"}


def test_local_cluster_survives_its_follower(followed: tuple[Layout, Emulator]) -> None:
    layout, emulator = followed
    clusters.ensure_local_cluster(layout, emulator, "kind-here", lambda _: None)
    before = cluster_of(layout, "kind-here")
    assert "ConfigMap" in kubectl(layout, "api-resources", context="kind-here")
    kubectl(layout, "create", "configmap", "kept", context="kind-here")

    os.kill(follower_pid(layout), signal.SIGKILL)
    until(lambda: not clusters.is_followed(layout))
    assert clusters.running_clusters(layout) == ()
    assert "kept" in kubectl(layout, "get", "configmaps", context="kind-here")

    assert clusters.ensure_follower(layout, emulator)
    until(lambda: clusters.running_clusters(layout) and cluster_of(layout, "kind-here").ready)
    after = cluster_of(layout, "kind-here")
    assert (after.endpoint, after.processes) == (before.endpoint, before.processes)
    assert not clusters.ensure_follower(layout, emulator)


def test_eks_cluster_comes_is_entered_by_a_token_and_goes(followed: tuple[Layout, Emulator]) -> None:
    layout, emulator = followed
    role = aws(emulator, "iam").create_role(RoleName="eks", AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]["Arn"]
    subnets = [item["SubnetId"] for item in aws(emulator, "ec2").describe_subnets()["Subnets"][:3]]
    eks = aws(emulator, "eks")
    eks.create_cluster(
        name="shop",
        roleArn=role,
        version="1.34",
        resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
    )
    assert eks.describe_cluster(name="shop")["cluster"]["status"] == "CREATING"

    until(lambda: eks.describe_cluster(name="shop")["cluster"]["status"] == "ACTIVE")
    state = cluster_of(layout, "shop")
    told = eks.describe_cluster(name="shop")["cluster"]
    assert told["endpoint"] == state.endpoint
    assert told["certificateAuthority"]["data"] == state.authority
    keys = {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_ENDPOINT_URL": emulator.url,
    }
    until(lambda: kubectl(layout, "auth", "can-i", "*", "*", context="shop", **keys).strip() == "yes")

    eks.update_cluster_version(name="shop", version="1.35")
    until(lambda: _version_and_status(eks, "shop") == ("1.35", "ACTIVE"))
    assert cluster_of(layout, "shop").processes == state.processes

    eks.delete_cluster(name="shop")
    until(lambda: eks.list_clusters()["clusters"] == [])
    assert [pid for pid in state.processes.values() if _runs(pid, layout)] == []
    assert not any("shop" in folder.name for folder in (layout.kubernetes / "clusters").iterdir())
    until(lambda: "shop" not in layout.kubeconfig.read_text())


def test_two_checkouts_have_clusters_of_one_name(followed: tuple[Layout, Emulator], tmp_path: Path) -> None:
    layout, emulator = followed
    clusters.ensure_local_cluster(layout, emulator, "kind-here", lambda _: None)
    with sandbox(tmp_path / "other") as (other, its_emulator):
        clusters.ensure_local_cluster(other, its_emulator, "kind-here", lambda _: None)
        theirs = cluster_of(other, "kind-here")
        other.contexts.mkdir()
        assert theirs.endpoint != cluster_of(layout, "kind-here").endpoint
        assert len(theirs.processes) == 5

        assert clusters.stop_clusters(other)

        assert [pid for pid in theirs.processes.values() if _runs(pid, other)] == []
        assert not other.kubernetes.exists()
        assert not other.kubeconfig.exists()
        assert not other.contexts.exists()
    assert "default" in kubectl(layout, "get", "namespaces", context="kind-here")


def test_all_goes_with_the_emulator(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (layout, emulator):
        clusters.ensure_local_cluster(layout, emulator, "kind-here", lambda _: None)
        state = cluster_of(layout, "kind-here")

        os.kill(emulator.pid, signal.SIGKILL)

        until(lambda: not clusters.is_followed(layout))
        assert [pid for pid in state.processes.values() if _runs(pid, layout)] == []
        assert yaml.safe_load(layout.kubeconfig.read_text())["contexts"] == []


def test_missing_program_is_told_with_the_way_out(tmp_path: Path) -> None:
    with sandbox(tmp_path) as (layout, emulator):
        clusters.stop_clusters(layout)
        (layout.tools / "etcd").unlink()

        with pytest.raises(SandboxError, match="lacks etcd"):
            clusters.ensure_follower(layout, emulator)


def test_follower_that_does_not_get_along_with_an_older_emulator_is_told_with_the_way_out(
    tmp_path: Path,
) -> None:
    with sandbox(tmp_path) as (layout, emulator):
        clusters.stop_clusters(layout)
        (layout.tools / "etcd").unlink()  # whatever the reason
        os.utime(layout.emulator, (0, 0))

        with pytest.raises(SandboxError, match="did not start") as raised:
            clusters.ensure_follower(layout, emulator)

        assert "`make stop`, then again" in raised.value.remedy


@pytest.mark.parametrize(
    ("file", "content", "needed"),
    [
        ("pyproject.toml", 'dependencies = ["pulumi-eks==4.4.0"]', True),
        ("requirements.txt", "pulumi_kubernetes\n", True),
        ("requirements.txt", "pulumi-aws\nkubernetes\n", False),
        ("README.md", "pulumi-eks", False),
    ],
)
def test_only_projects_that_may_make_clusters_pay_for_them(
    tmp_path: Path, file: str, content: str, needed: bool
) -> None:
    (tmp_path / file).write_text(content)

    assert clusters.are_needed(Layout(tmp_path)) is needed


def test_document_without_sense_changes_nothing(tmp_path: Path) -> None:
    local = {"name": "kind", "nodes": [{"name": "a", "vcpus": 2, "memoryMiB": 4096}]}
    good = {"generation": 1, "incarnation": "abc", "clusters": [], "local": [local]}
    answers: list[bytes] = [json.dumps(good).encode(), b"<html>", b"[]", b'{"generation": "x"}', b""]
    asked = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.pop(0) if answers else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if not answers:
                asked.set()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        follower = Follower(
            ControlApi(f"http://127.0.0.1:{server.server_port}"),
            tmp_path / "kubernetes",
            tmp_path / "no-tools",
            tmp_path / "kubeconfig",
            lambda: (),
        )
        ready = threading.Event()
        threading.Thread(target=follower.run, args=(lambda _: ready.set(),), daemon=True).start()
        assert ready.wait(20)
        assert asked.wait(30)
        time.sleep(0.2)

        (state,) = read_states(tmp_path / "kubernetes" / "status.json")
        assert state.name == "kind"
        assert "does not start" in state.trouble
        server.shutdown()


def _version_and_status(eks: Any, name: str) -> tuple[str, str]:
    told = eks.describe_cluster(name=name)["cluster"]
    return told["version"], told["status"]


def _runs(pid: int, layout: Layout) -> bool:
    try:
        return str(layout.root).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
