"""Runs one program and outlives whoever started it just long enough to stop the program.

Started with a pipe as standard input: when that closes, because the other end stopped or was killed, the
program is stopped with all that it has started, and its directory removed. Runs on its own, so it imports
nothing of the project.
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
# As shells say it.
_NOT_FOUND = 127


def main() -> int:
    """Start, wait, clean up; gives the program's exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--user", type=int, default=None)
    parser.add_argument("--stop-signal", default="SIGTERM")
    parser.add_argument("--remove", default=None)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    try:
        return _run(options)
    finally:
        if options.remove:
            shutil.rmtree(options.remove, ignore_errors=True)


def _run(options: argparse.Namespace) -> int:
    try:
        program = subprocess.Popen(
            options.command, stdin=subprocess.DEVNULL, start_new_session=True,
            user=options.user, group=options.user, extra_groups=None if options.user is None else [],
        )  # fmt: skip
    except OSError as error:
        sys.stderr.write(f"{options.command[0]} does not start: {error.strerror}\n")
        return _NOT_FOUND
    threading.Thread(target=_stop_at_end_of_input, args=(program, options.stop_signal), daemon=True).start()
    code = program.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    return code


def _stop_at_end_of_input(program: subprocess.Popen[bytes], stop_signal: str) -> None:
    # Not the buffered stream: Python can't end while a thread holds its lock.
    while os.read(sys.stdin.fileno(), 1):
        pass
    with contextlib.suppress(ProcessLookupError):
        program.send_signal(getattr(signal, stop_signal))
    try:
        program.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(program.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
