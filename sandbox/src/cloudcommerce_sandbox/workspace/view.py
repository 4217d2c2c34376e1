"""The sandbox's view of the project: the checkout by symbolic links, with stack files of its own.

The engine looks for `Pulumi.yaml` and the stack file in and above the current directory, and no setting moves
both for every command. In the view they are copies, and every other path is the checkout's: relative paths in
the program, in `Pulumi.yaml` (`main`, `virtualenv`) and on the command line mean what they mean in the
checkout.
"""

import os
from pathlib import Path

from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.workspace.layout import FOLDER, PROJECT_FILE, Layout
from cloudcommerce_sandbox.workspace.stackfile import Refreshed, refresh_copy

_NOT_LINKED = {FOLDER, ".git"}


def refresh_view(layout: Layout, stack: str) -> Refreshed:
    """Make the view, or bring it up to date.

    Args:
        layout: Where it goes.
        stack: The stack whose file is refreshed; the others' copies stay as they are.

    Returns:
        What became of the stack file's copy.

    Raises:
        SandboxError: The tracked stack file is no stack file.
    """
    view = layout.project
    view.mkdir(parents=True, exist_ok=True)
    wanted = {entry.name: entry for entry in layout.checkout.iterdir() if not _is_copied(entry.name)}
    for link in view.iterdir():
        if link.is_symlink() and (link.name not in wanted or link.readlink() != wanted[link.name]):
            link.unlink()
    for name, entry in wanted.items():
        # Not `exists()`, which follows the link: an editor's lock file is a link to nowhere.
        if not os.path.lexists(view / name):
            (view / name).symlink_to(entry)
    write_atomically(view / PROJECT_FILE, (layout.checkout / PROJECT_FILE).read_text())
    name = stack_file_name(stack)
    return refresh_copy(layout.checkout / name, view / name)


def stack_file_name(stack: str) -> str:
    """Return the name of a stack's file.

    Args:
        stack: The stack's name.
    """
    return f"Pulumi.{stack}.yaml"


def _is_copied(name: str) -> bool:
    return name in _NOT_LINKED or Path(name).match("Pulumi*.yaml")
