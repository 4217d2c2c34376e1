"""The folder with all that the shop keeps on this machine, and who may enter it."""

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.local.building import CHECKOUT
from services.local.errors import ShopError

_VARIABLE = "CLOUDCOMMERCE_SHOP_HOME"
_NOBODY = 65534

UNPRIVILEGED = _NOBODY if os.geteuid() == 0 else None
"""Who runs PostgreSQL, which refuses root; None when we are not root."""


@dataclass(frozen=True)
class Home:
    """The shop's folder.

    Attributes:
        root: Others may pass through, but list nothing.
    """

    root: Path

    @classmethod
    def open(cls, environment: Mapping[str, str] = os.environ) -> "Home":
        """Make the folder where it is missing: CLOUDCOMMERCE_SHOP_HOME, or `.shop` in the checkout.

        Args:
            environment: The variables.

        Raises:
            ShopError: It belongs to somebody else, or root gave one that PostgreSQL's user can't enter.
        """
        chosen = environment.get(_VARIABLE)
        root = Path(chosen).absolute() if chosen else _default()
        root.mkdir(parents=True, exist_ok=True)
        if root.stat().st_uid != os.geteuid():
            raise ShopError(f"{root} belongs to another user: remove it, or set {_VARIABLE} to a new folder")
        root.chmod(0o711)
        if UNPRIVILEGED is not None and not open_to_others(root):
            raise ShopError(
                f"PostgreSQL does not run as root, and user {UNPRIVILEGED} may not enter {root}: "
                f"set {_VARIABLE} to a folder below /var/tmp"
            )
        home = cls(root)
        home.logs.mkdir(mode=0o700, exist_ok=True)
        return home

    @property
    def logs(self) -> Path:
        """A log a process."""
        return self.root / "logs"

    @property
    def letters(self) -> Path:
        """What the notification worker would have sent, as JSON lines."""
        return self.root / "notifications.jsonl"

    @property
    def socket(self) -> Path:
        """Where process-compose answers while the shop runs."""
        return self.root / "process-compose.sock"

    def folder(self, name: str, *, unprivileged: bool = False) -> Path:
        """Return a folder that only its owner enters, made where it is missing.

        Args:
            name: Its name.
            unprivileged: It belongs to the user who runs PostgreSQL.
        """
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        if unprivileged and UNPRIVILEGED is not None:
            os.chown(path, UNPRIVILEGED, UNPRIVILEGED)
        return path


def _default() -> Path:
    local = CHECKOUT / ".shop"
    if UNPRIVILEGED is None or open_to_others(CHECKOUT):
        return local
    # A checkout in /root, say: PostgreSQL's user could not enter it.
    digest = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    return Path("/var/tmp") / f"cloudcommerce-shop-{digest}"  # noqa: S108 - whose it is gets checked


def open_to_others(path: Path) -> bool:
    """Say whether any user may pass through a folder and all above it.

    Args:
        path: The folder.
    """
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def as_unprivileged() -> list[str]:
    """Return the beginning of a command line that gives root's powers up; nothing for other users.

    Raises:
        ShopError: We are root, and have nothing that gives them up.
    """
    if UNPRIVILEGED is None:
        return []
    if shutil.which("setpriv") is None:
        raise ShopError("PostgreSQL does not run as root, and there is no setpriv: run the shop as a user")
    return ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups", "--"]
