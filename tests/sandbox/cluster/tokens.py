"""Tokens of EKS as a person has them, and as somebody makes them who should not get in."""

import base64
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_PREFIX = "k8s-aws-v1."
_ENDPOINT = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"


def role_credentials(sts: Any, role_arn: str, session: str) -> Credentials:
    """What a person has who has taken a role."""
    issued = sts.assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
    return Credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])


def signed(credentials: Credentials, cluster: str, *, age: timedelta = timedelta(0)) -> str:
    """A token for a cluster, as `aws eks get-token` made it some time ago."""
    request = AWSRequest("GET", _ENDPOINT, headers={"x-k8s-aws-id": cluster})
    moment = datetime.now(UTC) - age
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4QueryAuth(credentials, "sts", "us-east-1", expires=60).add_auth(request)
    return _PREFIX + base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")


def tampered(token: str, old: str, new: str) -> str:
    """A token in which a part of what was signed says something else."""
    text = token.removeprefix(_PREFIX)
    url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    assert old in url, url
    return _PREFIX + base64.urlsafe_b64encode(url.replace(old, new).encode()).decode().rstrip("=")


def status(server: str, authority: str, token: str | None, path: str = "/api/v1/nodes") -> int:
    """The HTTP status with which an API server answers the bearer of a token.

    Args:
        server: The API server's address.
        authority: File of its certificate authority.
        token: The token, if any.
        path: What is read.
    """
    request = urllib.request.Request(f"{server}{path}")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)),
    )
    try:
        with opener.open(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
