"""A user of a store: its password and the secret that carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi

Engine = Literal["postgres", "docdb", "valkey", "rabbitmq"]


@dataclass(frozen=True, kw_only=True)
class CredentialArgs:
    """What a credential is for.

    Attributes:
        engine: The store's engine; decides which characters its password may have.
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


class Credential(pulumi.ComponentResource):
    """A random password and the Secrets Manager secret of one user of a store.

    Attributes:
        secret_arn: ARN of the secret.
        password: The initial password (a Pulumi secret); what the store is created with.
    """

    secret_arn: pulumi.Output[str]
    password: pulumi.Output[str]

    def __init__(self, name: str, args: CredentialArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:secrets:Credential", name, None, opts)

    def attach(
        self,
        *,
        host: pulumi.Input[str],
        port: pulumi.Input[int],
        resource_id: pulumi.Input[str],
        extra: Mapping[str, pulumi.Input[str]] | None = None,
    ) -> None:
        """Write the secret's first value, once the store has an address."""
