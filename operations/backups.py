"""Exports of the state, kept on disk before it is changed, and the journal of an unfinished teardown.

They lie in `.operations/<stack>/` of the project, readable by their owner only; secrets in them stay
encrypted.
"""

import os
import time
from pathlib import Path

from operations.state import Deployment, parse_deployment

_FOLDER = ".operations"


def keep_backup(directory: Path, stack: str, deployment: Deployment) -> Path:
    """Write a state to a file of its own and return its path; `pulumi stack import --file` takes it back."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return _write(_folder(directory, stack) / f"state-{stamp}-{time.monotonic_ns()}.json", deployment.text())


def journal(directory: Path, stack: str) -> Deployment | None:
    """Return the state from before a teardown that was begun and has not ended."""
    path = _folder(directory, stack) / "teardown.json"
    return parse_deployment(path.read_text()) if path.is_file() else None


def open_journal(directory: Path, stack: str, deployment: Deployment) -> None:
    """Remember the state from before a teardown, so that a second run still knows what there was."""
    _write(_folder(directory, stack) / "teardown.json", deployment.text())


def close_journal(directory: Path, stack: str) -> None:
    """Forget the journal: the teardown ended and nothing is left."""
    (_folder(directory, stack) / "teardown.json").unlink(missing_ok=True)


def _folder(directory: Path, stack: str) -> Path:
    root = directory / _FOLDER
    folder = root / stack.replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (root / ".gitignore").write_text("*\n")
    return folder


def _write(path: Path, text: str) -> Path:
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    part.replace(path)
    return path
