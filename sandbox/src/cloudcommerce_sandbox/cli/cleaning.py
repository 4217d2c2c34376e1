"""Forgetting what the sandbox knows."""

import shutil

from cloudcommerce_sandbox.clusters import stop_clusters
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.supervisor import stop_emulator
from cloudcommerce_sandbox.workspace.layout import Layout


def forget(layout: Layout) -> None:
    """Stop the emulator with its clusters, and delete state, view, archives and logs.

    Built tools and downloaded plugins stay.

    Args:
        layout: The sandbox.

    Raises:
        SandboxError: A command is at work in it.
    """
    with exclusive(layout.lock("engine")):
        stop_clusters(layout)
        stop_emulator(layout)
        for folder in (layout.state, layout.archive, layout.project, layout.logs):
            shutil.rmtree(folder, ignore_errors=True)
        layout.passphrase.unlink(missing_ok=True)
