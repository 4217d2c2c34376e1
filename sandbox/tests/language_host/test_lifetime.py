"""How the language host's process begins and ends."""

import signal
import subprocess
import sys
import time

import pytest

COMMAND = [sys.executable, "-m", "cloudcommerce_sandbox.language_host"]


def start() -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [*COMMAND, "--logtostderr", "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert int(child.stdout.readline()) > 0
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_quietly(number: signal.Signals) -> None:
    with start() as child:
        child.send_signal(number)
        _, errors = child.communicate(timeout=20)

    assert child.returncode == 0
    assert errors == ""


def test_it_does_not_outlive_its_engine() -> None:
    engine = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen({[*COMMAND, '127.0.0.1:1']!r}, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid)\n"
    )
    done = subprocess.run([sys.executable, "-c", engine], capture_output=True, text=True, check=True)
    pid = int(done.stdout)

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and is_language_host(pid):
        time.sleep(0.1)

    assert not is_language_host(pid)


def test_missing_engine_address_is_a_usage_error() -> None:
    done = subprocess.run([*COMMAND, "--verbose"], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "ENGINE_ADDRESS" in done.stderr


def is_language_host(pid: int) -> bool:
    shown = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return "language_host" in shown
