"""Usernames and passwords out of AWS Secrets Manager."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.bootstrap.errors import StoreError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT = "AWSCURRENT"


@dataclass(frozen=True)
class Credentials:
    """A login of a store. The password is kept out of `repr`, so that no log or traceback can show it."""

    username: str
    password: str = field(repr=False)


class SecretReader:
    """Reads credentials; one client a region, taken from the ARN."""

    def __init__(self) -> None:
        self._clients: dict[str, SecretsManagerClient] = {}

    def client(self, arn: str) -> "SecretsManagerClient":
        """The client for the region that an ARN is in."""
        region = arn.split(":")[3]
        if region not in self._clients:
            self._clients[region] = boto3.client("secretsmanager", region_name=region)
        return self._clients[region]

    def read(self, store: str, arn: str, **version: str) -> Credentials:
        """Read a JSON secret with `username` and `password`.

        Args:
            store: The store that the secret is for, named in errors.
            arn: The secret.
            version: `VersionId` or `VersionStage`; without it the current version.

        Raises:
            StoreError: it is missing, must not be read, or is of another form.
        """
        subject = f"secret {arn}"
        try:
            answer = self.client(arn).get_secret_value(SecretId=arn, **(version or {"VersionStage": CURRENT}))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            raise StoreError(
                store, subject, f"Secrets Manager answers {code}",
                "Create the secret, or allow secretsmanager:GetSecretValue on it and kms:Decrypt on its key",
            ) from error  # fmt: skip
        except BotoCoreError as error:
            raise StoreError(
                store, subject, f"Secrets Manager cannot be asked ({type(error).__name__})",
                "Check the AWS credentials and the network path to Secrets Manager",
            ) from error  # fmt: skip
        return _parse(store, subject, answer.get("SecretString", ""))


def _parse(store: str, subject: str, text: str) -> Credentials:
    """Never chains the parser's error: it would carry the secret."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, dict):
        username, password = content.get("username"), content.get("password")
        if isinstance(username, str) and isinstance(password, str) and username and password:
            return Credentials(username, password)
    raise StoreError(
        store, subject, "is not a JSON object with a username and a password, both text and not empty",
        'Store {"username": "...", "password": "..."} in it',
    )  # fmt: skip
