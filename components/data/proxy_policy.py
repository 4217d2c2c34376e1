"""What RDS Proxy may read.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html
"""

import json
from collections.abc import Sequence


def proxy_policy(*, secret_arns: Sequence[str], secrets_key_arn: str) -> str:
    """The policy of the proxy's role as JSON: its services' secrets, decrypted through Secrets Manager only.

    Args:
        secret_arns: Secrets of the services.
        secrets_key_arn: KMS key that encrypts them; its region is the secrets'.
    """
    region = secrets_key_arn.split(":")[3]
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Secrets",
                    "Effect": "Allow",
                    "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                    "Resource": sorted(secret_arns),
                },
                {
                    "Sid": "SecretsKey",
                    "Effect": "Allow",
                    "Action": ["kms:Decrypt"],
                    "Resource": [secrets_key_arn],
                    "Condition": {
                        "StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}
                    },
                },
            ],
        }
    )
