"""The kubeconfig for people."""

from pathlib import Path

import pytest
import yaml
from cloudcommerce_sandbox.kubernetes.kubeconfig import write_user_kubeconfig
from cloudcommerce_sandbox.kubernetes.state import ClusterState


def state(name: str, *, ready: bool = True) -> ClusterState:
    return ClusterState(name=name, region="us-east-1", ready=ready, endpoint="https://127.0.0.1:20000")


def current(path: Path) -> str:
    return str(yaml.safe_load(path.read_text())["current-context"])


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    """A kubeconfig of two clusters, of which the user has chosen the second."""
    path = tmp_path / "kubeconfig"
    write_user_kubeconfig(path, [state("first"), state("second")], "aws")
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**content, "current-context": "second"}))
    return path


def test_choice_outlives_a_cluster_that_is_not_ready_for_a_while(chosen: Path) -> None:
    write_user_kubeconfig(chosen, [state("first"), state("second", ready=False)], "aws")
    write_user_kubeconfig(chosen, [state("first"), state("second")], "aws")

    assert current(chosen) == "second"


def test_choice_goes_with_its_cluster(chosen: Path) -> None:
    write_user_kubeconfig(chosen, [state("first")], "aws")

    assert current(chosen) == "first"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"- a\n- b\n"])
def test_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)

    write_user_kubeconfig(path, [state("first")], "aws")

    assert current(path) == "first"
    assert path.stat().st_mode & 0o077 == 0
