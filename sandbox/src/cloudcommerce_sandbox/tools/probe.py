"""Asking an executable which version it is."""

import os
import re
import subprocess
from pathlib import Path

from cloudcommerce_sandbox.tools.catalogue import GoTool, Version

_VERSION = re.compile(r"(?<![\d.])v?(\d+\.\d+(?:\.\d+)?)")
_TIMEOUT_SECONDS = 30


def version_of(executable: Path, tool: GoTool) -> str | None:
    """Run an executable's version command.

    Args:
        executable: The file to run; it may be anything.
        tool: What it should be.

    Returns:
        The first version number in what it prints; None when it can't be run, fails or prints none.
    """
    try:
        done = subprocess.run(
            [executable, *tool.version_command],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT_SECONDS,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(done.stdout + done.stderr)
    return found.group(1) if found else None


def parsed(version: str) -> Version:
    """Return a dotted version as numbers that compare.

    Args:
        version: Such as `3.250.0`.
    """
    return tuple(int(part) for part in version.split("."))
