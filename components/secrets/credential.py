"""A user of a store: its password and the secret that carries it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws
import pulumi_random as random

Engine = Literal["postgres", "docdb", "valkey", "rabbitmq"]

PASSWORD_LENGTH = 40
"""Characters of a password. Letters and digits only: every engine refuses some punctuation (RDS `/ @ "`,
Amazon MQ `, : =`, ElastiCache all but a few) and URIs want the rest escaped; these are 238 bits still."""

_MIN_RECOVERY_DAYS, _MAX_RECOVERY_DAYS = 7, 30


@dataclass(frozen=True, kw_only=True)
class CredentialArgs:
    """What a credential is for.

    Attributes:
        engine: The store's engine, as the secret's value names it.
        username: The user's name in the store.
        secrets_key_arn: KMS key of the `secrets` data class.
        recovery_window_days: Days that Secrets Manager keeps the secret after its deletion, 7 to 30.
        protect: Whether Pulumi refuses to delete the secret.
    """

    engine: Engine
    username: str
    secrets_key_arn: pulumi.Input[str]
    recovery_window_days: int = 30
    protect: bool = True

    def __post_init__(self) -> None:
        if not _MIN_RECOVERY_DAYS <= self.recovery_window_days <= _MAX_RECOVERY_DAYS:
            raise ValueError(
                f"recovery_window_days is {self.recovery_window_days}; "
                f"Secrets Manager takes {_MIN_RECOVERY_DAYS} to {_MAX_RECOVERY_DAYS}"
            )


class Credential(pulumi.ComponentResource):
    """A random password and the Secrets Manager secret of one user of a store.

    A store is created with the password and only then has the address that belongs into the secret's value,
    so whoever makes a credential calls `attach` once the store exists.

    Attributes:
        secret_arn: ARN of the secret.
        password: The initial password (a Pulumi secret); what the store is created with.
    """

    secret_arn: pulumi.Output[str]
    password: pulumi.Output[str]

    def __init__(self, name: str, args: CredentialArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:secrets:Credential", name, None, opts)
        self._name = name
        self._args = args
        child = pulumi.ResourceOptions(parent=self)
        password = random.RandomPassword(
            f"{name}-password",
            length=PASSWORD_LENGTH,
            special=False,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            opts=child,
        )
        secret = aws.secretsmanager.Secret(
            f"{name}-secret",
            description=f"{args.engine} user {args.username}",
            kms_key_id=args.secrets_key_arn,
            recovery_window_in_days=args.recovery_window_days,
            tags={"Name": f"{name}-secret"},
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.secret_arn = secret.arn
        self.password = pulumi.Output.secret(password.result)
        self.register_outputs({"secret_arn": self.secret_arn, "password": self.password})

    def attach(
        self,
        *,
        host: pulumi.Input[str],
        port: pulumi.Input[int],
        resource_id: pulumi.Input[str],
        extra: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> pulumi.Output[str]:
        """Write the secret's first value, once the store has an address.

        The value is JSON: `engine`, `host`, `port`, `username`, `password`, `resource_id` and what `extra`
        adds, such as `dbname`. Rotation writes later versions. Pulumi never touches them: the value is
        ignored after creation, and the label `INITIAL` keeps its own version from being purged, which a
        refresh would take for a missing resource and answer by making the first password current again.
        https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html

        Args:
            host: Host name of the store.
            port: TCP port of the store.
            resource_id: What the service's own API calls the thing that the password opens.
            extra: Further string members of the value.

        Returns:
            ARN of the secret, known once it has a value.
        """
        version = aws.secretsmanager.SecretVersion(
            f"{self._name}-value",
            secret_id=self.secret_arn,
            secret_string=pulumi.Output.json_dumps(
                {
                    "engine": self._args.engine,
                    "host": host,
                    "port": port,
                    "username": self._args.username,
                    "password": self.password,
                    "resource_id": resource_id,
                    **(extra or {}),
                }
            ),
            version_stages=["AWSCURRENT", "INITIAL"],
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["secretString", "versionStages"]),
        )
        return version.secret_arn
