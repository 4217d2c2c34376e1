"""A real control plane for tests, ready in a few seconds: etcd, API server, controllers, scheduler, kwok."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.commands import Settings
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.tools.catalogue import CONTROL_PLANE
from cloudcommerce_sandbox.tools.resolve import ensure_tools
from cloudcommerce_sandbox.tools.store import ToolStore
from cloudcommerce_sandbox.workspace.layout import Layout

CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 90.0


def tools() -> Path:
    """Return the folder of the control plane's executables, built when they are not there yet."""
    layout = Layout(CHECKOUT)
    with Steps() as steps:
        ensure_tools(ToolStore(layout.tools), layout.logs, steps, CONTROL_PLANE)
    return layout.tools


@contextmanager
def control_plane(directory: Path, settings: Settings | None = None) -> Iterator[ControlPlane]:
    """Run a control plane while the block runs, and leave nothing of it.

    `kubeconfig` of what is yielded is a kubeconfig of an administrator.

    Args:
        directory: Its folder.
        settings: What it is like.
    """
    plane = ControlPlane(directory, tools(), settings or Settings())
    with _removed_after_us(directory):
        try:
            until(plane.tend, plane.troubles)
            yield plane
        finally:
            plane.remove()


@contextmanager
def _removed_after_us(directory: Path) -> Iterator[None]:
    """Have the folder's processes ended when the block has ended, also by a kill of the tests."""
    script = (
        "import sys; sys.stdin.read(); from pathlib import Path;"
        "from cloudcommerce_sandbox.kubernetes.folders import remove; remove(Path(sys.argv[1]))"
    )
    # Its standard input ends with the last process that has the other end: us.
    command = [sys.executable, "-c", script, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield


def api_of(
    plane: ControlPlane, *, emulator: str = "http://127.0.0.1:1", region: str = "us-east-1"
) -> ClusterApi:
    """Return what controllers get for a control plane."""
    return ClusterApi(
        kubeconfig=plane.kubeconfig, emulator=emulator, region=region, directory=plane.directory
    )


def until(
    condition: Callable[[], object], explain: Callable[[], object] = str, seconds: float = _PATIENCE_SECONDS
) -> None:
    """Wait until a condition holds.

    Args:
        condition: It.
        explain: Says what is the matter when it does not come to hold.
        seconds: How long to wait.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"It still does not hold after {seconds} s. {explain()}"
        time.sleep(0.1)
