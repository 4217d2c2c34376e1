"""The kubeconfig for people."""

from pathlib import Path

import pytest
import yaml
from cloudcommerce_sandbox.kubernetes.kubeconfig import write_user_kubeconfig
from cloudcommerce_sandbox.kubernetes.state import ClusterState


def state(name: str, *, ready: bool = True) -> ClusterState:
    return ClusterState(name=name, region="us-east-1", ready=ready, endpoint="https://127.0.0.1:20000")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"current-context: second\n"])
def test_it_chooses_no_cluster_whatever_was_there(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)

    write_user_kubeconfig(path, [state("first"), state("second")], "aws")

    written = yaml.safe_load(path.read_text())
    assert [each["name"] for each in written["contexts"]] == ["first", "second"]
    assert "current-context" not in written
    assert path.stat().st_mode & 0o077 == 0


def test_cluster_that_is_not_ready_has_no_context(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"

    write_user_kubeconfig(path, [state("first"), state("second", ready=False)], "aws")

    assert [each["name"] for each in yaml.safe_load(path.read_text())["contexts"]] == ["first"]
