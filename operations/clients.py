"""boto3 clients of one region, made once each."""

import threading
from functools import cached_property
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import botocore.parsers

from operations.errors import OperationError

_CONFIG = botocore.config.Config(
    retries={"mode": "standard", "max_attempts": 5}, user_agent_extra="cloudcommerce-operations"
)


class Clients:
    """Clients for AWS services, safe to share between threads.

    Args:
        region: Region of every client.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._session = boto3.session.Session(region_name=region)
        self._made: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, service: str) -> Any:
        """Return the client of a service, such as `ec2`."""
        with self._lock:  # a boto3 session is not safe to share, its clients are
            if service not in self._made:
                self._made[service] = self._session.client(service, config=_CONFIG)  # type: ignore[call-overload]  # the name is data
            return self._made[service]

    @cached_property
    def account(self) -> str:
        """Number of the AWS account.

        Raises:
            OperationError: No credentials, or AWS does not answer.
        """
        try:
            return str(self.get("sts").get_caller_identity()["Account"])
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise OperationError(
                f"AWS does not know who is asking ({error}); check the credentials"
            ) from error


AWS_ERRORS = (
    botocore.exceptions.ClientError,
    botocore.exceptions.BotoCoreError,
    botocore.parsers.ResponseParserError,  # an answer that is no API answer: a proxy, an outage, an emulator
)
"""What a call may raise."""


def error_code(error: botocore.exceptions.ClientError) -> str:
    """Return AWS's code of an error, such as `DBInstanceNotFound`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_missing(error: botocore.exceptions.ClientError) -> bool:
    """Tell whether an error says that the thing does not exist.

    Services spell it differently (`NoSuchEntity`, `InvalidVpcID.NotFound`, `DBInstanceNotFoundFault`, …).
    """
    code = error_code(error)
    return "NotFound" in code or code.startswith("NoSuch") or code in {"404", "InvalidAllocationID.NotFound"}
