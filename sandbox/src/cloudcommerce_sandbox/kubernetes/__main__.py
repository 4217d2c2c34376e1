"""The process that follows one emulator: `python -m cloudcommerce_sandbox.kubernetes`."""

import argparse
import json
import logging
import os
import signal
import sys
from pathlib import Path

from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.component import STARTING
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.controllers.registry import controllers
from cloudcommerce_sandbox.kubernetes.follower import Follower
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.tools.catalogue import CONTROL_PLANE

# A predecessor that has been told to end needs a moment.
_LOCK_WAIT_SECONDS = 15.0


def main(arguments: list[str] | None = None) -> int:
    """Follow the emulator until it is gone.

    Args:
        arguments: The command line without the program's name; that of the process when None.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m cloudcommerce_sandbox.kubernetes", description=__doc__)
    parser.add_argument("--emulator", required=True, help="the emulator's address")
    parser.add_argument("--directory", required=True, type=Path, help="holds a folder a cluster")
    parser.add_argument("--tools", required=True, type=Path, help="the folder of the executables")
    parser.add_argument("--ready-file", required=True, type=Path, help="gets JSON {pid, incarnation}")
    parser.add_argument("--kubeconfig", type=Path, help="by default `kubeconfig` beside the directory")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, _leave)
    try:
        _follow(given)
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _leave(*_: object) -> None:
    """End at once. The clusters' processes stay; whoever comes next takes them over, or ends them."""
    with STARTING:
        os._exit(0)


def _follow(given: argparse.Namespace) -> None:
    missing = [tool.name for tool in CONTROL_PLANE if not os.access(given.tools / tool.name, os.X_OK)]
    if missing:
        raise SandboxError(
            f"{given.tools} lacks {', '.join(missing)}.", "`make tools` builds what is missing."
        )
    directory: Path = given.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with exclusive(directory / "follower.lock", wait_seconds=_LOCK_WAIT_SECONDS):
        follower = Follower(
            ControlApi(given.emulator),
            directory,
            given.tools.resolve(),
            given.kubeconfig or directory.parent / "kubeconfig",
            controllers,
        )

        def on_ready(incarnation: str) -> None:
            content = {"pid": os.getpid(), "incarnation": incarnation}
            write_atomically(given.ready_file, json.dumps(content))

        follower.run(on_ready)
        given.ready_file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
