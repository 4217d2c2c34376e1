"""Writing files so that a reader, or a run after a crash, sees the old content or the new."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: str, *, mode: int = 0o644) -> bool:
    """Write a text file unless it has this content and mode already.

    Args:
        path: The file; its folder is created.
        content: The whole content.
        mode: The file's permissions, which it has before it has its name.

    Returns:
        True when something was written.
    """
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        if path.read_text() == content and path.stat().st_mode & 0o777 == mode:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(content)
            os.fchmod(handle.fileno(), mode)
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk is reported for no file at all
        raise
    return True
