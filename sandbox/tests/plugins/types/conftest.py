"""A played engine in front of the emulator, and the network that stores need."""

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, make_network
from sandbox.tests.plugins.types.played_engine import PlayedEngine


@pytest.fixture(scope="module")
def emulator(aws_emulator: RunningEmulator) -> RunningEmulator:
    return aws_emulator


@pytest.fixture(scope="module")
def engine(emulator: RunningEmulator) -> PlayedEngine:
    return PlayedEngine(emulator.url)


@pytest.fixture(scope="module")
def network(emulator: RunningEmulator) -> Network:
    return make_network(emulator)


@pytest.fixture(scope="module")
def key(emulator: RunningEmulator) -> str:
    return str(emulator.client("kms").create_key()["KeyMetadata"]["Arn"])
