"""A running emulator and the aws plugin in front of it."""

import json
from collections.abc import Iterator

import pytest
from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider

from sandbox.tests.emulator.conftest import RunningEmulator, start
from sandbox.tests.plugins.plugin import Plugin, serving

SERVICES = ("ec2", "iam", "kms", "sts", "lambda", "ecr", "secretsmanager", "rds")


@pytest.fixture(scope="package")
def aws_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    process, running = start(tmp_path_factory.mktemp("aws"))
    yield running
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture
def emulator(aws_emulator: RunningEmulator) -> Iterator[RunningEmulator]:
    yield aws_emulator
    aws_emulator.api("DELETE", "faults")


@pytest.fixture
def config(emulator: RunningEmulator) -> dict[str, str]:
    """The provider's configuration as the engine hands it over: nested values as JSON text."""
    return {
        "region": "us-east-1",
        "accessKey": "test",
        "secretKey": "test",
        "endpoints": json.dumps([dict.fromkeys(SERVICES, emulator.url)]),
        "defaultTags": json.dumps({"tags": {"owner": "shop"}}),
    }


@pytest.fixture
def plugin(config: dict[str, str]) -> Iterator[Plugin]:
    with serving(AwsProvider()) as found:
        found.configure(**config)
        yield found
