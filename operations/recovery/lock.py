"""The lock that an update leaves behind when it dies, and the checkpoint that it was writing."""

import json
import os
import re
import shutil
import socket
import time
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


def read_state(
    pulumi: PulumiCli,
    interaction: Interaction,
    *,
    break_lock: bool = False,
    patience: float = 5,
    pause: float = 0.5,
) -> Deployment:
    """Export the state, after mending what a kill in the middle of a checkpoint can do to a file backend.

    That backend writes `<stack>.json` and its attributes `<stack>.json.attrs` one after the other; a kill
    between leaves the second empty, or the first only as `<stack>.json.bak`, and Pulumi then says `EOF` or
    knows no stack. An engine that lives leaves the same for a moment whenever it writes, so nothing is mended
    while one may hold the stack.

    Args:
        pulumi: The stack.
        interaction: Where to say so.
        break_lock: Whether the caller vouches that an update elsewhere has died.
        patience: Seconds to wait for an engine that is writing.
        pause: Seconds between two looks.

    Raises:
        OperationError: The state cannot be read, and this is not why; or an update is running.
    """
    deadline = time.monotonic() + patience
    free_before = False
    while True:
        try:
            return pulumi.export_state()
        except OperationError as error:
            bookkeeping = _bookkeeping(pulumi)
            if bookkeeping is None:
                raise
            if not _may_be_held(bookkeeping, pulumi, break_lock=break_lock):
                # An engine that ended between the export and the look at its lock left a whole checkpoint.
                if free_before:
                    if not _mend_checkpoint(bookkeeping, pulumi, interaction):
                        raise
                    return pulumi.export_state()
                free_before = True
                continue
            if time.monotonic() >= deadline:
                raise OperationError(
                    "the state cannot be read and an update holds the stack; wait for it to end, or add "
                    f"--break-lock if it ran elsewhere and is known to be dead\n{error}"
                ) from error
        free_before = False
        time.sleep(pause)


def _bookkeeping(pulumi: PulumiCli) -> Path | None:
    url = urlparse(pulumi.backend_url())
    return Path(url.netloc + url.path).expanduser() / ".pulumi" if url.scheme == "file" else None


def _may_be_held(bookkeeping: Path, pulumi: PulumiCli, *, break_lock: bool) -> bool:
    # Locks stand in `organization/<project>/<stack>`; backends of before projects have `<stack>` alone.
    name, locks = pulumi.stack.rsplit("/", 1)[-1], bookkeeping / "locks"
    folders = (locks / "organization" / project_name(pulumi.directory) / name, locks / name)
    dead = [_lock_is_dead(path) for folder in folders for path in folder.glob("*.json")]
    return any(each is False or (each is None and not break_lock) for each in dead)


def _lock_is_dead(path: Path) -> bool | None:
    try:
        lock = json.loads(path.read_text())
        if lock["hostname"] != socket.gethostname():
            return None
        return not _alive(int(lock["pid"]))
    except FileNotFoundError:
        return True
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _mend_checkpoint(bookkeeping: Path, pulumi: PulumiCli, interaction: Interaction) -> bool:
    name = pulumi.stack.rsplit("/", 1)[-1]
    folder = bookkeeping / "stacks" / project_name(pulumi.directory)
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
