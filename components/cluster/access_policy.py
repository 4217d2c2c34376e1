"""IAM documents of the people and machines that use the cluster. Pure functions."""

import json
from collections.abc import Sequence


def access_trust(account_id: str, principals: Sequence[str], *, second_factor: bool) -> str:
    """Who may take a role.

    Named principals are trusted as they are: their identity provider has asked for a second factor, and a
    session of a role carries no word of it. Without names the account decides by IAM who may assume the
    role, and then a second factor can be and is demanded here.

    Args:
        account_id: The account.
        principals: ARNs of roles and users.
        second_factor: Whether to demand one where nobody is named.
    """
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"AWS": list(principals) or f"arn:aws:iam::{account_id}:root"},
        "Action": "sts:AssumeRole",
    }
    if second_factor and not principals:
        statement["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def describe_cluster(cluster_arn: str) -> str:
    """Let a role look the cluster up, which is what `aws eks update-kubeconfig` asks for."""
    statement = {"Effect": "Allow", "Action": "eks:DescribeCluster", "Resource": cluster_arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
