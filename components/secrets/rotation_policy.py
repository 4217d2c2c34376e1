"""What the rotation function may do, and nothing else.

Sources, below https://docs.aws.amazon.com/:
secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html,
lambda/latest/dg/configuration-vpc.html (network interfaces) and service-authorization/latest/reference/
(which resources an action knows).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.secrets.credential import Engine

_ACTIONS: Mapping[Engine, tuple[str, ...]] = {
    "postgres": ("rds:DescribeDBInstances", "rds:ModifyDBInstance"),
    "docdb": ("rds:DescribeDBClusters", "rds:ModifyDBCluster"),
    "valkey": ("elasticache:DescribeUsers", "elasticache:ModifyUser"),
    # The broker is changed through its own interface, with the secret's password.
    "rabbitmq": (),
}


def rotation_policy(
    *,
    resources: Sequence[tuple[Engine, str]],
    secret_arns: Sequence[str],
    secrets_key_arn: str,
    log_group_arn: str,
) -> str:
    """The policy of the function's role as JSON.

    Args:
        resources: Engine and ARN of what each secret's password opens.
        secret_arns: The secrets.
        secrets_key_arn: KMS key that encrypts them.
        log_group_arn: The function's log group.

    Raises:
        ValueError: there is nothing to rotate.
    """
    if not secret_arns:
        raise ValueError("no secrets to rotate: give at least one target, or leave the rotation out")
    statements = [
        _allow(
            "Secrets",
            (
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ),
            sorted(secret_arns),
        ),
        _allow(
            "SecretsKey",
            ("kms:Decrypt", "kms:GenerateDataKey"),
            [secrets_key_arn],
        ),
        _allow("Log", ("logs:CreateLogStream", "logs:PutLogEvents"), [f"{log_group_arn}:*"]),
        # IAM knows no narrower resource for an interface that does not exist yet.
        _allow(
            "NetworkInterface",
            (
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
            ),
            ["*"],
        ),
    ]
    for engine, actions in _ACTIONS.items():
        arns = sorted(arn for of, arn in resources if of == engine)
        if actions and arns:
            statements.append(_allow(engine.capitalize(), actions, arns))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
