"""Directories that are built once from what they depend on."""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.local.errors import ShopError

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".shop" / "cache"
_SHOWN = 3000


def digest_of(sources: Sequence[Path]) -> str:
    """Return a short digest of files, and of all files in folders, with their names.

    Args:
        sources: Files and folders that exist.
    """
    digest = hashlib.sha256()
    for source in sources:
        files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
        for file in files:
            digest.update(f"{file.relative_to(source.parent)}\0{file.stat().st_size}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def built_once(name: str, sources: Sequence[Path], build: Callable[[Path], None]) -> Path:
    """Return a directory of the checkout's cache with what these sources build.

    Processes that want the same wait for each other; a build that failed or was killed leaves nothing that
    counts.

    Args:
        name: Beginning of the directory's name.
        sources: What the build depends on; copied into the directory first.
        build: Builds in the directory that it is given.
    """
    target = CACHE / f"{name}-{digest_of(sources)}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            building = target.with_suffix(".partial")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            for source in sources:
                if source.is_dir():
                    shutil.copytree(source, building / source.name)
                else:
                    shutil.copy(source, building)
            build(building)
            building.rename(target)
    return target


def run(
    name: str,
    remedy: str,
    command: Sequence[str | Path],
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a build step.

    Args:
        name: What is built, for the message.
        remedy: What to do when the program is missing.
        command: The program and its arguments.
        cwd: Where it runs.
        environment: All of its variables; by default ours.

    Raises:
        ShopError: The program is missing or failed.
    """
    if shutil.which(command[0]) is None:
        raise ShopError(f"{name} needs {command[0]}: {remedy}")
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-_SHOWN:]
        raise ShopError(f"{name}: {' '.join(map(str, command))} failed:\n{said}")
