"""Policies of VPC endpoints: what may leave through them. Pure functions.

An endpoint without a policy lets stolen or foreign credentials carry data to any account. These let through
what principals of our own account do, and the few public things that nodes need.
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

import json
from typing import Any

Statement = dict[str, Any]


def endpoint_policy(service: str, account_id: str, region: str) -> str:
    """The policy document of one endpoint.

    Args:
        service: AWS service by its endpoint's short name (`s3`, `sts`, `ecr.api`).
        account_id: The account whose principals may pass.
        region: The endpoint's region.

    Returns:
        JSON.
    """
    statements = [_own_principals(account_id)]
    if service == "s3":
        statements.append(_public_node_packages(region))
    if service == "sts":
        statements.append(_web_identities(account_id))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _own_principals(account_id: str) -> Statement:
    return {
        "Sid": "OwnPrincipals",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": account_id}},
    }


def _public_node_packages(region: str) -> Statement:
    """Image layers and operating system packages lie in buckets of AWS, read without our credentials.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    https://docs.aws.amazon.com/linux/al2023/ug/managing-repos-os-updates.html
    """
    return {
        "Sid": "PublicNodePackages",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": [
            f"arn:aws:s3:::prod-{region}-starport-layer-bucket/*",
            f"arn:aws:s3:::al2023-repos-{region}-*/*",
        ],
    }


def _web_identities(account_id: str) -> Statement:
    """A web identity has no account before STS answers, so only the role it asks for can be restricted."""
    return {
        "Sid": "WebIdentitiesToOwnRoles",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Resource": f"arn:aws:iam::{account_id}:role/*",
    }
