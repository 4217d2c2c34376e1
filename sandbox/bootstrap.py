"""Makes the checkout's `.venv` from the locked requirements: what `make` runs before anything else.

Needs nothing but the standard library, and parses on any Python 3.7 so that one that is too old can say so.
Prints nothing and takes no time when nothing has changed since the last run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, NoReturn  # noqa: UP035  # collections.abc.Iterator[...] needs Python 3.9

OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")
DISK_NEEDED_GIB = 2.0

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
STAMP = VENV / "cloudcommerce-bootstrap"
INSTALLER = CHECKOUT / "sandbox" / "requirements-bootstrap.txt"
LOCK = CHECKOUT / "requirements-dev.txt"
DISTRIBUTIONS = (CHECKOUT, CHECKOUT / "sandbox")


def main() -> int:
    """Bring `.venv` up to date.

    Returns:
        The exit code: 0 when `.venv` is as the lock says.
    """
    use_new_enough_python()
    wanted = fingerprint()
    with only_one_run():
        if installed(wanted):
            return 0
        check_machine()
        STAMP.unlink() if STAMP.exists() else None
        if not venv_is_sound():
            with step("create .venv (Python {}.{}.{})".format(*sys.version_info[:3])):
                run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        with step("install the installer (uv)"):
            run([python(), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(INSTALLER)])
        with step("install the locked requirements"):
            uv("sync", "--require-hashes", str(LOCK))
        with step("install cloudcommerce and cloudcommerce-sandbox (editable)"):
            editables = [part for path in DISTRIBUTIONS for part in ("-e", str(path))]
            uv("install", "--no-deps", "--build-constraints", str(INSTALLER), *editables)
        STAMP.write_text(wanted)
    return 0


def use_new_enough_python() -> None:
    """Go on in a newer interpreter when this one is too old, or say that there is none."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for name in NEWER_PYTHONS:
        newer = shutil.which(name)
        if newer:
            os.execv(newer, [newer, *sys.argv])  # noqa: S606  # this very script, in another interpreter
    fail(
        "Python {}.{} or newer is needed; {} is {}.{}.".format(
            *OLDEST_PYTHON, sys.executable, *sys.version_info[:2]
        ),
        "Install a newer one and run `make PYTHON=/path/to/python3.11 ...`.",
    )


def fingerprint() -> str:
    """Return what decides the content of `.venv`: interpreter, locks, the distributions' metadata."""
    digest = hashlib.sha256(f"{sys.version}\n{CHECKOUT}\n".encode())
    for file in (INSTALLER, LOCK, *(path / "pyproject.toml" for path in DISTRIBUTIONS)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def installed(wanted: str) -> bool:
    """Say whether the last finished run made `.venv` from the same inputs and it still is there."""
    return STAMP.is_file() and STAMP.read_text() == wanted and venv_is_sound()


def venv_is_sound() -> bool:
    """Say whether `.venv` has an interpreter that starts (upgrading the system's Python breaks its link)."""
    marker = VENV / "pyvenv.cfg"
    current = "version = {}.{}.".format(*sys.version_info[:2])
    return marker.is_file() and current in marker.read_text() and os.access(python(), os.X_OK)


def check_machine() -> None:
    """Refuse what would fail halfway with a message that helps nobody."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        fail(
            f"{sys.executable} can't create virtual environments: it lacks `venv` or `ensurepip`.",
            "On Debian and Ubuntu: apt install python3-venv.",
        )
    free = shutil.disk_usage(CHECKOUT).free / 2**30
    if free < DISK_NEEDED_GIB:
        fail(
            f"{CHECKOUT} has {free:.1f} GiB free, the environment needs {DISK_NEEDED_GIB:.0f} GiB.",
            "Free some space, or check out elsewhere.",
        )


def python() -> str:
    """Return the path of the environment's interpreter."""
    return str(VENV / "bin" / "python")


def uv(command: str, *arguments: str) -> None:
    """Run `uv pip COMMAND` on `.venv`."""
    run(
        [str(VENV / "bin" / "uv"), "pip", command, "--quiet", "--python", python(), *arguments],
        uv_environment(),
    )


def uv_environment() -> dict[str, str]:
    """Return an environment in which uv uses the index and the certificates that pip is set up with.

    uv reads none of pip's settings, and a machine behind a mirror has usually configured pip only.
    """
    env = dict(os.environ, UV_SYSTEM_CERTS=os.environ.get("UV_SYSTEM_CERTS", "1"), UV_NO_PROGRESS="1")
    listing = subprocess.run(
        [python(), "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout
    settings = dict(line.split("=", 1) for line in listing.splitlines() if "=" in line)
    for ours, pips in (("UV_DEFAULT_INDEX", "index-url"), ("UV_INDEX", "extra-index-url")):
        value = os.environ.get("PIP_" + pips.upper().replace("-", "_")) or settings.get(f"global.{pips}", "")
        if value:
            env.setdefault(ours, value.strip("'\""))
    return env


def run(command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command to its end; when it fails, show what it printed and end."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, check=False
    )
    if done.returncode != 0:
        fail(
            "`{}` failed:\n{}".format(" ".join(command), done.stdout.strip()),
            "The package index must be reachable; pip's settings for mirrors and proxies are honored.",
        )


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Print a line for a step that takes its time, and how long it took."""
    say(f"  … {title}\n")
    begin = time.monotonic()
    yield
    say(f"  ✓ {title} ({time.monotonic() - begin:.1f} s)\n")


@contextlib.contextmanager
def only_one_run() -> Iterator[None]:
    """Hold the checkout's bootstrap lock; the system releases it however we end."""
    folder = CHECKOUT / ".sandbox" / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bootstrap.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  … wait for another run that is installing\n")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """Print progress at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def fail(what: str, remedy: str) -> NoReturn:
    """End with what is wrong and what to do about it."""
    sys.stderr.write(f"\nerror: {what}\n  → {remedy}\n")
    sys.exit(1)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped as you asked; the same command goes on from here.\n")
        sys.exit(130)
