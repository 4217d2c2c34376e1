"""What the follower writes down of the clusters, for people and for the session."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.parsing import DocumentError, parse

STATUS_FILE = "status.json"


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """What is known of a running cluster.

    Attributes:
        name: Its name.
        region: Its region; empty for a local one.
        ready: Whether its API server can be used.
        endpoint: The API server's address.
        kubeconfig: A kubeconfig of an administrator.
        authority: The base64 of its certificate authority's PEM.
        trouble: What is the matter; empty when all is well.
        processes: The numbers of its processes by component.
    """

    name: str
    region: str
    ready: bool = False
    endpoint: str = ""
    kubeconfig: str = ""
    authority: str = ""
    trouble: str = ""
    processes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Written:
    clusters: tuple[ClusterState, ...] = ()


def write_states(path: Path, clusters: Iterable[ClusterState]) -> None:
    """Write what is known.

    Args:
        path: The file.
        clusters: All clusters.
    """
    write_atomically(path, json.dumps({"clusters": [asdict(cluster) for cluster in clusters]}, indent=2))


def read_states(path: Path) -> tuple[ClusterState, ...]:
    """Read what is known; nothing when the file is missing or damaged.

    Args:
        path: The file.
    """
    try:
        return parse(_Written, json.loads(path.read_text()), path.name).clusters
    except (OSError, ValueError, DocumentError):
        return ()
