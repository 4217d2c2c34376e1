"""The folder in the checkout where suites and benchmarks of the services work, one run at a time."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.local import builds
from services.local.building import CHECKOUT
from services.local.errors import ShopError

_MADE_BY_OTHERS = shutil.ignore_patterns("node_modules", "dist", "coverage")


@dataclass(frozen=True)
class Workspace:
    """The folder.

    Attributes:
        root: Where it is.
    """

    root: Path

    @property
    def logs(self) -> Path:
        """What the latest run printed, a file a step."""
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        """For files that are gone after the run, even if it was killed: the next one removes them."""
        return self.root / "tmp"

    def user_service(self) -> Path:
        """Return a copy of the user service beside which its locked dependencies lie."""
        copy = self.root / "user"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(CHECKOUT / "services" / "user", copy, ignore=_MADE_BY_OTHERS)
        (copy / "node_modules").symlink_to(builds.user_modules())
        return copy


@contextlib.contextmanager
def opened(root: Path = CHECKOUT / ".shop" / "tests") -> Iterator[Workspace]:
    """Use the folder for a run.

    Args:
        root: Where it is.

    Raises:
        ShopError: Another run uses it.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ShopError(
                f"Tests or benchmarks of the services run in {root} already: wait for their end"
            ) from None
        workspace = Workspace(root)
        for folder in (workspace.logs, workspace.temporary):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        try:
            yield workspace
        finally:
            shutil.rmtree(workspace.temporary, ignore_errors=True)
