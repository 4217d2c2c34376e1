"""AWS Secrets Manager, played by moto on loopback, for this process and those it starts."""

import json
from dataclasses import dataclass
from typing import Any

import boto3


@dataclass(frozen=True)
class SecretsManager:
    """The service with what tests do to it."""

    client: Any

    def put(self, name: str, username: str, password: str) -> str:
        """Create a secret or give it a new current value; its ARN."""
        text = json.dumps({"username": username, "password": password})
        try:
            return str(self.client.create_secret(Name=name, SecretString=text)["ARN"])
        except self.client.exceptions.ResourceExistsException:
            return str(self.client.put_secret_value(SecretId=name, SecretString=text)["ARN"])

    def current(self, arn: str) -> dict[str, str]:
        answer = self.client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")
        return dict(json.loads(answer["SecretString"]))

    def stages(self, arn: str) -> dict[str, list[str]]:
        return dict(self.client.describe_secret(SecretId=arn)["VersionIdsToStages"])


def connect() -> SecretsManager:
    return SecretsManager(boto3.client("secretsmanager", region_name="us-east-1"))
