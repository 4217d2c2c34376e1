"""An emulator for these tests alone, empty before each."""

import urllib.request
from collections.abc import Iterator

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator, start


@pytest.fixture(scope="module")
def own_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    process, running = start(tmp_path_factory.mktemp("eks-emulator"))
    yield running
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture
def emulator(own_emulator: RunningEmulator) -> RunningEmulator:
    reset = urllib.request.Request(f"{own_emulator.url}/moto-api/reset", method="POST")
    with urllib.request.urlopen(reset, timeout=10):
        return own_emulator
