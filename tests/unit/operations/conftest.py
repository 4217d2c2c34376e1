"""AWS played by moto, in the process."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.clients import Clients


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """An empty account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        boto3.setup_default_session(region_name="us-east-1")
        yield Clients("us-east-1")


def tags(**more: str) -> Any:
    """Tags of our stack in AWS's usual spelling."""
    return [
        {"Key": key, "Value": value}
        for key, value in {"Project": "shop", "Environment": "prod", **more}.items()
    ]
