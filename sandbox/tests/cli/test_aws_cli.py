"""`aws` in the sandbox's shell reaches the emulator for every service, and nothing else."""

import os
import subprocess
import sys

import pytest
from cloudcommerce_sandbox.aws_cli import arguments

ENDPOINT = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["s3", "ls"], ["--endpoint-url", ENDPOINT, "s3", "ls"]),
        ([], ["--endpoint-url", ENDPOINT]),
        (["--endpoint-url", "http://x", "s3", "ls"], ["--endpoint-url", "http://x", "s3", "ls"]),
        (["s3", "ls", "--endpoint-url=http://x"], ["s3", "ls", "--endpoint-url=http://x"]),
    ],
)
def test_adds_the_endpoint_unless_one_is_named(given: list[str], expected: list[str]) -> None:
    assert arguments(given, ENDPOINT) == expected


def test_adds_nothing_outside_of_the_sandbox() -> None:
    assert arguments(["s3", "ls"], None) == ["s3", "ls"]


@pytest.mark.mission_M70
@pytest.mark.parametrize("command", ["rds describe-db-instances", "sqs list-queues", "ec2 describe-vpcs"])
def test_services_with_a_historical_host_name_stay_on_this_machine(command: str) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_MAX_ATTEMPTS": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "cloudcommerce_sandbox.aws_cli", *command.split()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode != 0
    assert ENDPOINT in ran.stderr
