"""The folders of clusters: whose each is, and making sure that nothing of a cluster stays behind."""

import json
import shutil
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.component import end_all
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec

_OWNER = "cluster.json"


def key_of(cluster: ClusterSpec) -> str:
    """Return what tells a cluster from all others of the emulator: its region and its name.

    Args:
        cluster: The cluster.
    """
    return f"{cluster.region or 'local'}/{cluster.name}"


def folder_of(root: Path, cluster: ClusterSpec) -> Path:
    """Return a cluster's folder.

    Args:
        root: The folder of all clusters.
        cluster: The cluster; its name may be anything.
    """
    return root / urllib.parse.quote(key_of(cluster).replace("/", ".", 1), safe="")


def claim(folder: Path, cluster: ClusterSpec) -> None:
    """Make a folder the cluster's; what another one of the same name has left is removed.

    Args:
        folder: The folder.
        cluster: The cluster.
    """
    owner = json.dumps({"key": key_of(cluster), "created": cluster.created_at})
    if folder.exists() and _read(folder / _OWNER) != owner:
        remove(folder)
    write_atomically(folder / _OWNER, owner)


def remove(folder: Path) -> None:
    """End the processes of a folder and delete it.

    Args:
        folder: A cluster's folder, or one of several.
    """
    end_all(folder, at_once=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_others(root: Path, clusters: Iterable[ClusterSpec]) -> None:
    """Remove the folders of clusters that are no more.

    Args:
        root: The folder of all clusters.
        clusters: Those that there are.
    """
    wanted = {folder_of(root, cluster) for cluster in clusters}
    for folder in root.iterdir() if root.is_dir() else ():
        if folder not in wanted:
            remove(folder)


def claim_root(root: Path, incarnation: str) -> None:
    """Make the folder of all clusters one emulator's; what an earlier one's clusters have left is removed.

    Args:
        root: The folder.
        incarnation: The emulator.
    """
    owner = root.parent / "incarnation"
    if root.exists() and _read(owner) != incarnation:
        remove(root)
    root.mkdir(parents=True, exist_ok=True)
    write_atomically(owner, incarnation)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
