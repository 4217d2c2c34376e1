"""Trust policies of roles that an AWS service assumes."""

import json


def trust_policy(service: str) -> str:
    """Let one AWS service assume a role.

    Args:
        service: Service principal such as `lambda.amazonaws.com`.
    """
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
        }
    )
