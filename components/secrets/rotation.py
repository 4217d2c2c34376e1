"""The function that rotates the stores' credentials every thirty days."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.secrets.credential import Engine


@dataclass(frozen=True, kw_only=True)
class RotationTarget:
    """One secret to rotate and the thing that its password opens.

    Attributes:
        engine: The store's engine.
        secret_arn: The secret.
        resource_arn: RDS instance, DocumentDB cluster, ElastiCache user or Amazon MQ broker.
    """

    engine: Engine
    secret_arn: pulumi.Input[str]
    resource_arn: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class RotationArgs:
    """What is rotated and how often.

    Attributes:
        targets: Secrets by name (`postgres-master`); every store offers its own as `rotation_targets`.
        account_id: Account whose Secrets Manager may invoke the function.
        secrets_key_arn: KMS key of the `secrets` data class.
        logs_key_arn: KMS key of the `operations` data class.
        vpc_id: Network in which the function runs.
        subnet_ids: Private subnets with a way to the AWS service interfaces (NAT or endpoints).
        interval_days: Days between rotations.
        log_retention_days: Days that the function's log is kept.
    """

    targets: Mapping[str, RotationTarget]
    account_id: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    interval_days: int = 30
    log_retention_days: int = 365


class Rotation(pulumi.ComponentResource):
    """One Lambda function, its least-privilege role and a schedule for every secret.

    Attributes:
        function_arn: ARN of the function.
        role_arn: ARN of its role.
    """

    function_arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: RotationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:secrets:Rotation", name, None, opts)
