"""Command line of the emulator process."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

# moto reads these while it is imported.
_MOTO_SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_ACM_VALIDATION_WAIT": "0",
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "true",
    "MOTO_ACCOUNT_ID": "123456789012",
    # moto's own boto3 session must find a region and credentials and never ask an instance for them.
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "emulator",
    "AWS_SECRET_ACCESS_KEY": "emulator",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_PARENT_POLL_SECONDS = 0.5


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cloudcommerce_sandbox.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, see the ready file")
    parser.add_argument("--ready-file", type=Path, help="gets JSON {url, pid, incarnation}")
    parser.add_argument(
        "--kubernetes",
        action="store_true",
        help="clusters, node groups and add-ons become active when somebody reports that they are",
    )
    parser.add_argument("--parent-pid", type=int, help="end when this process has gone")
    return parser.parse_args(argv)


def _end_with(parent: int) -> None:
    while True:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        except PermissionError:
            pass  # it is there, and somebody else's
        time.sleep(_PARENT_POLL_SECONDS)


def main(argv: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        argv: command line without the program's name; that of the process when None.

    Returns:
        The exit status: 0 after a clean end, 1 when the address cannot be had.
    """
    arguments = _arguments(argv)
    os.environ.update(_MOTO_SETTINGS)
    os.environ.pop("AWS_PROFILE", None)
    from cloudcommerce_sandbox.emulator.launcher import Emulator  # noqa: PLC0415 - after moto's settings

    try:
        emulator = Emulator(arguments.host, arguments.port, is_followed=arguments.kubernetes)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"emulator: cannot listen on {arguments.host}:{arguments.port}: {error}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=emulator.stop).start())
    if arguments.parent_pid:
        threading.Thread(target=_end_with, args=(arguments.parent_pid,), daemon=True).start()
    emulator.serve(arguments.ready_file)
    # Everything is in memory and the machine gets it back at once; taking the interpreter down object by
    # object would take seconds on a busy machine.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
