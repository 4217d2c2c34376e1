"""The plugins as processes: they start fast, print their port, and leave with the engine."""

import os
import signal
import subprocess
import sys
import time

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

PLUGINS = ("aws", "eks", "kubernetes", "random")


def _start(name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"cloudcommerce_sandbox.plugins.{name}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", PLUGINS)
def test_it_serves_on_the_port_it_prints_and_ends_quietly(name: str) -> None:
    process = _start(name)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty())
    assert info.version.count(".") == 2
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == ""


def test_it_leaves_when_the_engine_was_killed() -> None:
    script = (
        "import subprocess, sys, time;"
        "command = [sys.executable, '-m', 'cloudcommerce_sandbox.plugins.random'];"
        "p = subprocess.Popen(command, stdout=subprocess.PIPE);"
        "p.stdout.readline(); print(p.pid, flush=True); time.sleep(60)"
    )
    engine = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert engine.stdout is not None
    plugin = int(engine.stdout.readline())
    engine.kill()
    engine.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(plugin, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(plugin, signal.SIGKILL)
    pytest.fail("the plugin outlived its engine by 10 s")
