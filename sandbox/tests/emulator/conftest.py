"""A running emulator for the tests of it: one process a module, its faults and calls cleared after each
test."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class RunningEmulator:
    url: str
    pid: int
    incarnation: str

    def client(self, service: str, region: str = "us-east-1", attempts: int = 1, timeout: float = 30) -> Any:
        config = Config(retries={"total_max_attempts": attempts}, read_timeout=timeout)
        create: Any = boto3.client  # typed by the literal name of each service, which this is not
        return create(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def api(self, method: str, name: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/sandbox-api/{name}", body, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def inventory(self) -> set[tuple[str, str, str]]:
        return {(item["service"], item["type"], item["id"]) for item in self.api("GET", "inventory")}


def start(directory: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], RunningEmulator]:
    ready = directory / "ready.json"
    command = [sys.executable, "-m", "cloudcommerce_sandbox.emulator", "--ready-file", str(ready), *arguments]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert process.poll() is None, f"the emulator ended with {process.returncode}"
        assert time.monotonic() < deadline, "the emulator was not ready in 30 s"
        time.sleep(0.02)
    return process, RunningEmulator(**json.loads(ready.read_text()))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    process, running = start(tmp_path_factory.mktemp("emulator"))
    yield running
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture(autouse=True)
def _no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "emulator" in request.fixturenames:
        running: RunningEmulator = request.getfixturevalue("emulator")
        running.api("DELETE", "faults")


@pytest.fixture
def client(emulator: RunningEmulator) -> Callable[..., Any]:
    return emulator.client
