"""The lock that an update leaves behind when it dies, and the checkpoint that it was writing."""

import os
import re
import shutil
import socket
from pathlib import Path
from urllib.parse import urlparse

from operations.errors import OperationError, StackLockedError
from operations.interaction import Interaction
from operations.ownership import project_name
from operations.pulumi_cli import PulumiCli
from operations.state import Deployment

_HOLDER = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\)")


def holder_is_dead(message: str, host: str = "") -> bool | None:
    """Tell from the engine's message whether the process that holds the lock has died.

    Args:
        message: What Pulumi said, with `created by user@host (pid N)`.
        host: Name of this machine; asked from the system when empty.

    Returns:
        None when it cannot be known from here, because it ran elsewhere or is not named.
    """
    holders = _HOLDER.findall(message)
    if not holders or any(held_on != (host or socket.gethostname()) for _, held_on, _ in holders):
        return None
    return not any(_alive(int(pid)) for _, _, pid in holders)


def free_the_stack(pulumi: PulumiCli, interaction: Interaction, *, break_lock: bool) -> bool:
    """Make sure that no update runs, and remove the lock of one that died.

    Args:
        pulumi: The stack.
        interaction: Where to say so.
        break_lock: Whether the caller vouches that an update elsewhere has died.

    Returns:
        Whether there was a lock to remove.

    Raises:
        OperationError: An update runs, or may run.
    """
    try:
        pulumi.probe_lock()
    except StackLockedError as error:
        dead = holder_is_dead(str(error))
        if dead is False:
            raise OperationError(
                f"an update of this stack is running; wait for it to end\n{error}"
            ) from error
        if dead is None and not break_lock:
            raise OperationError(
                f"the lock is held from another machine; if you know it is dead, add --break-lock\n{error}"
            ) from error
        interaction.note("The update that held the stack has died; its lock is removed.")
        pulumi.cancel()
        return True
    return False


def read_state(pulumi: PulumiCli, interaction: Interaction) -> Deployment:
    """Export the state, after mending what a kill in the middle of a checkpoint can do to a file backend.

    That backend writes `<stack>.json` and its attributes `<stack>.json.attrs` one after the other; a kill
    between leaves the second empty, or the first only as `<stack>.json.bak`, and Pulumi then says `EOF` or
    knows no stack.

    Raises:
        OperationError: The state cannot be read, and this is not why.
    """
    try:
        return pulumi.export_state()
    except OperationError:
        if not _mend_checkpoint(pulumi, interaction):
            raise
    return pulumi.export_state()


def _mend_checkpoint(pulumi: PulumiCli, interaction: Interaction) -> bool:
    url = urlparse(pulumi.backend_url())
    if url.scheme != "file":
        return False
    name = pulumi.stack.rsplit("/", 1)[-1]
    folder = Path(url.netloc + url.path).expanduser() / ".pulumi" / "stacks" / project_name(pulumi.directory)
    checkpoint, backup = folder / f"{name}.json", folder / f"{name}.json.bak"
    attributes = folder / f"{name}.json.attrs"
    mended = False
    if attributes.is_file() and not attributes.stat().st_size:
        attributes.unlink()
        mended = True
    if backup.is_file() and not (checkpoint.is_file() and checkpoint.stat().st_size):
        shutil.copyfile(backup, checkpoint)
        mended = True
    if mended:
        interaction.note(
            "The last checkpoint was cut off while it was written; it is read from what was written before."
        )
    return mended


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
