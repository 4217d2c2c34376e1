"""The folder that holds built tools, and the rule by which one of them is still good."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.tools.catalogue import GoTool
from cloudcommerce_sandbox.tools.probe import version_of

_BUILD_PREFIX = ".build-"
# With cold caches: what all builds leave in Go's caches, and the executables.
DISK_NEEDED_GIB = 8.0


class ToolStore:
    """Built executables in one folder, each with a stamp that says from what it was built.

    Args:
        directory: The folder; executables lie directly in it, so that it can go on PATH.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, tool: GoTool) -> Path:
        """Return where a tool's executable is, or will be."""
        return self.directory / tool.name

    def is_current(self, tool: GoTool) -> bool:
        """Say whether a tool is here, built from what the checkout pins now, and unharmed since.

        The stamp names the size and the modification time, so that the usual case costs no reading. When they
        differ (a copied checkout, a damaged file) the content decides.

        Args:
            tool: The tool.
        """
        executable = self.path(tool)
        try:
            stamp = json.loads(self._stamp(tool).read_text())
            status = executable.stat()
            if stamp["key"] != key_of(tool) or status.st_size != stamp["size"]:
                return False
            return bool(status.st_mtime_ns == stamp["modified"] or _digest(executable) == stamp["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    @contextmanager
    def building(self, tools: Sequence[GoTool]) -> Iterator[Path]:
        """Give a folder to build in, and put the executables in their places when the block has ended well.

        Args:
            tools: The tools.

        Yields:
            Where the executables must be built, each by its `built_name`.

        Raises:
            SandboxError: What was built does not run or is another version.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=self.directory, prefix=_BUILD_PREFIX, ignore_cleanup_errors=True
        ) as name:
            folder = Path(name)
            yield folder
            for tool in tools:
                version = version_of(folder / tool.built_name, tool)
                if version != tool.version:
                    raise SandboxError(
                        f"The built {tool.name} says it is version {version}, not {tool.version}.",
                        f"Make the version in sandbox/tools/{tool.module}/go.mod and in the catalogue agree.",
                    )
            for tool in tools:
                self._install(tool, folder / tool.built_name)

    def remove_leftovers(self) -> None:
        """Delete what killed builds have left. Only the holder of the build lock may call this."""
        for folder in self.directory.glob(f"{_BUILD_PREFIX}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def check_space(self) -> None:
        """Refuse to begin a build that would fill the disk.

        Raises:
            SandboxError: There is too little space.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.directory).free / 2**30
        if free < DISK_NEEDED_GIB:
            raise SandboxError(
                f"{self.directory} has {free:.1f} GiB free; building tools needs {DISK_NEEDED_GIB:.0f} GiB.",
                "Free some space; Go's build cache can go: `go clean -cache`.",
            )

    def _install(self, tool: GoTool, built: Path) -> None:
        status = built.stat()
        stamp = {
            "key": key_of(tool),
            "size": status.st_size,
            "modified": status.st_mtime_ns,
            "digest": _digest(built),
        }
        # Between the two steps a crash leaves a new executable with the old stamp: not current, so it is
        # built again.
        built.replace(self.path(tool))
        write_atomically(self._stamp(tool), json.dumps(stamp))

    def _stamp(self, tool: GoTool) -> Path:
        return self.directory / f".{tool.name}.json"


def key_of(tool: GoTool) -> str:
    """Return a digest of all that decides what a build makes.

    Args:
        tool: The tool.
    """
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((tool.directory / name).read_bytes())
    digest.update(repr((tool.package, tool.linker_flags, os.uname().sysname, os.uname().machine)).encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
