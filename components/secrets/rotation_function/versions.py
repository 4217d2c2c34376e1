"""A secret under rotation: its versions, their stages and their values."""

import json
import secrets
import string
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

PASSWORD_LENGTH = 40
_ALPHABET = string.ascii_letters + string.digits
"""No punctuation: every engine refuses some of it."""


class RotationRefusedError(Exception):
    """The request does not fit the secret's state; the message says what was found and what is expected."""


@dataclass(frozen=True)
class Value:
    """What a secret says: the user, its password and the thing that the password opens.

    The password and the raw members stay out of `repr`, and so out of logs and tracebacks.
    """

    engine: str
    host: str
    username: str
    resource_id: str
    password: str = field(repr=False)
    members: dict[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, secret_string: str) -> "Value":
        """Read a secret's JSON.

        Raises:
            RotationRefusedError: it is not a JSON object with the members that rotation needs.
        """
        try:
            members = json.loads(secret_string)
            return cls(
                **{key: members[key] for key in ("engine", "host", "username", "resource_id", "password")},
                members=members,
            )
        except (ValueError, TypeError, KeyError):
            # The cause would carry the secret's text into the log.
            raise RotationRefusedError(
                "the secret is not a JSON object with engine, host, username, resource_id and password: "
                "restore its value from the version labeled AWSPREVIOUS or INITIAL"
            ) from None

    def with_password(self, password: str) -> "Value":
        """The same value with another password."""
        return replace(self, password=password, members={**self.members, "password": password})

    def same_target(self, other: "Value") -> bool:
        """Whether both are passwords of one user of one store."""
        return replace(self, password="", members={}) == replace(other, password="", members={})


class RotatingSecret:
    """One secret and the version that a rotation request makes current."""

    def __init__(self, client: "SecretsManagerClient", arn: str, token: str) -> None:
        self._client = client
        self.arn = arn
        self._token = token

    def must_rotate(self) -> bool:
        """Whether the request's version still has to become current.

        Raises:
            RotationRefusedError: rotation is off, or the version is unknown or not the pending one.
        """
        described = self._client.describe_secret(SecretId=self.arn)
        if not described.get("RotationEnabled", True):
            raise RotationRefusedError(f"rotation of {self.arn} is switched off: switch it on to rotate")
        stages = described["VersionIdsToStages"].get(self._token)
        if stages is None:
            raise RotationRefusedError(
                f"version {self._token} of {self.arn} does not exist: call RotateSecret, which makes it"
            )
        if "AWSCURRENT" in stages:
            return False
        if "AWSPENDING" not in stages:
            raise RotationRefusedError(
                f"version {self._token} of {self.arn} is labeled {stages or 'nothing'}, not AWSPENDING: "
                "a newer rotation has taken its place"
            )
        return True

    def current(self) -> Value:
        """The value that clients use now."""
        return Value.parse(
            self._client.get_secret_value(SecretId=self.arn, VersionStage="AWSCURRENT")["SecretString"]
        )

    def pending(self) -> Value | None:
        """The value that the request makes current, if the create step wrote it already."""
        try:
            found = self._client.get_secret_value(
                SecretId=self.arn, VersionId=self._token, VersionStage="AWSPENDING"
            )
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return Value.parse(found["SecretString"]) if "SecretString" in found else None

    def create_pending(self) -> None:
        """Write the pending value, a fresh password for the current user, unless it is there."""
        if self.pending() is not None:
            return
        password = "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_LENGTH))
        self._client.put_secret_value(
            SecretId=self.arn,
            ClientRequestToken=self._token,
            SecretString=json.dumps(self.current().with_password(password).members),
            VersionStages=["AWSPENDING"],
        )

    def finish(self) -> None:
        """Make the pending version current; AWS labels the former one AWSPREVIOUS."""
        stages = self._client.describe_secret(SecretId=self.arn)["VersionIdsToStages"]
        current = next((version for version, labels in stages.items() if "AWSCURRENT" in labels), None)
        moved_from = {} if current is None else {"RemoveFromVersionId": current}
        self._client.update_secret_version_stage(
            SecretId=self.arn, VersionStage="AWSCURRENT", MoveToVersionId=self._token, **moved_from
        )
