"""Runs one server and outlives whoever started it just long enough to stop the server.

Started with a pipe as standard input: when that closes, because the tests ended or were killed, the server is
stopped and its directory removed. Runs on its own, so it imports nothing of the project.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

_GRACE = 10.0


def main() -> int:
    """Start, wait, clean up; gives the server's exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", type=int, default=None)
    parser.add_argument("--stop-signal", default="SIGTERM")
    parser.add_argument("--remove", default=None)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    server = subprocess.Popen(
        options.command, stdin=subprocess.DEVNULL, start_new_session=True,
        user=options.user, group=options.user, extra_groups=None if options.user is None else [],
    )  # fmt: skip
    threading.Thread(target=_stop_at_end_of_input, args=(server, options.stop_signal), daemon=True).start()
    code = server.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    if options.remove:
        shutil.rmtree(options.remove, ignore_errors=True)
    return code


def _stop_at_end_of_input(server: subprocess.Popen[bytes], stop_signal: str) -> None:
    sys.stdin.buffer.read()
    with contextlib.suppress(ProcessLookupError):
        server.send_signal(getattr(signal, stop_signal))
    try:
        server.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
