"""IAM documents of the cluster's workloads: who takes a role, what drivers do with keys. Pure functions."""

import json
from typing import Any

_VERSION = "2012-10-17"


def workload_trust(cluster_arn: str, namespace: str, service_account: str) -> str:
    """Let EKS hand a role to the pods of one service account in one cluster.

    EKS names cluster, namespace and service account as session tags, which hold even when somebody
    associates the role with another service account:
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html

    Args:
        cluster_arn: The cluster.
        namespace: Namespace of the service account.
        service_account: Its name.
    """
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster_arn,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        }
    )


def volume_key_policy(key_arn: str) -> str:
    """Let the EBS CSI driver make volumes that are encrypted with one key.

    The grant that EBS asks for may go to AWS only:
    https://docs.aws.amazon.com/eks/latest/userguide/ebs-csi.html

    Args:
        key_arn: The key.
    """
    return _document(
        {
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": key_arn,
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
        {
            "Effect": "Allow",
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Resource": key_arn,
        },
    )


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": _VERSION, "Statement": list(statements)})
