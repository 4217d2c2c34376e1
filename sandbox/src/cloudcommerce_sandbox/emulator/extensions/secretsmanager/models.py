"""Secrets Manager backend: rotation that runs the function, with the rules read back."""

from __future__ import annotations

import copy
import json
import sys
import threading
import time
import uuid
from typing import Any, cast

from moto.awslambda.models import lambda_backends
from moto.secretsmanager import models
from moto.secretsmanager.exceptions import (
    InvalidRequestException,
    OperationNotPermittedOnReplica,
    ResourceNotFoundException,
    SecretNotFoundException,
)

from cloudcommerce_sandbox.emulator.extensions.awslambda.models import LambdaBackend
from cloudcommerce_sandbox.emulator.wire import ApiError

_STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_ROTATOR = "secretsmanager.amazonaws.com"


class FakeSecret(models.FakeSecret):
    """A secret that reads its rotation rules back as they were given."""

    rotation_rules: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns the secret as DescribeSecret shows it."""
        described: dict[str, Any] = super().to_dict()
        if self.rotation_rules is not None and "RotationRules" in described:
            described["RotationRules"] = self.rotation_rules
        return described


class SecretsManagerBackend(models.SecretsManagerBackend):
    """moto's Secrets Manager backend with ours."""

    SERVICE_NAMESPACE = "secretsmanager"

    def rotate_secret(
        self,
        secret_id: str,
        client_request_token: str | None = None,
        rotation_lambda_arn: str | None = None,
        rotation_rules: dict[str, Any] | None = None,
        rotate_immediately: bool = True,
    ) -> str:
        """Configures rotation and, unless told to wait, runs the function's four steps in the background.

        https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html

        Raises:
            SecretNotFoundException: there is no such secret.
            InvalidRequestException: it is deleted, or no function is or was named.
            ResourceNotFoundException: there is no such function.
            ApiError: AccessDeniedException when the function does not let Secrets Manager in.
        """
        secret = self._rotatable(secret_id)
        function = rotation_lambda_arn or secret.rotation_lambda_arn
        if not function:
            message = "No Lambda rotation function ARN is associated with this secret."
            raise InvalidRequestException(message)
        self._require_permission(function)
        secret.rotation_requested = secret.rotation_enabled = True
        secret.rotation_lambda_arn = function
        if rotation_rules is not None:
            secret.rotation_rules = rotation_rules
            secret.auto_rotate_after_days = int(rotation_rules.get("AutomaticallyAfterDays", 0))
            if secret.auto_rotate_after_days:
                secret.next_rotation_date = int(time.time()) + secret.auto_rotate_after_days * 86_400
        if not rotate_immediately:
            answer: str = secret.to_short_dict()
            return answer
        token = client_request_token or str(uuid.uuid4())
        self._stage_pending(secret, token)
        arguments = (secret, function, token)
        threading.Thread(
            target=self._rotate, args=arguments, daemon=True, name=f"rotate {secret.name}"
        ).start()
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": token})

    def _rotatable(self, secret_id: str) -> FakeSecret:
        if not self._is_valid_identifier(secret_id):
            raise SecretNotFoundException
        secret = self.secrets[secret_id]
        if not isinstance(secret, FakeSecret):
            raise OperationNotPermittedOnReplica
        if secret.is_deleted():
            message = "You can't perform this operation on the secret because it was marked for deletion."
            raise InvalidRequestException(message)
        return secret

    def _lambda(self) -> LambdaBackend:
        return cast("LambdaBackend", lambda_backends[self.account_id][self.region_name])

    def _require_permission(self, function_arn: str) -> None:
        try:
            function = self._lambda().get_function(function_arn)
        except Exception as error:
            raise ResourceNotFoundException(f"Resource not found for ARN '{function_arn}'.") from error
        for statement in function.policy.statements:
            principal = statement.get("Principal", {})
            if statement.get("Effect") == "Allow" and _ROTATOR in json.dumps(principal):
                return
        message = (
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
            f"grants access to the principal {_ROTATOR}."
        )
        raise ApiError("AccessDeniedException", message)

    @staticmethod
    def _stage_pending(secret: FakeSecret, token: str) -> None:
        for version in secret.versions.values():
            stages = version["version_stages"]
            if "AWSPENDING" in stages and "AWSCURRENT" not in stages:
                message = "A previous rotation isn't complete. That rotation will be reattempted."
                raise InvalidRequestException(message)
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {
            "createdate": int(time.time()),
            "version_id": token,
            "version_stages": ["AWSPENDING"],
        }

    def _rotate(self, secret: FakeSecret, function: str, token: str) -> None:
        backend = self._lambda()
        for step in _STEPS:
            event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
            answer_headers: dict[str, str] = {}
            payload = backend.invoke(function, None, json.dumps(event), {}, answer_headers)
            if "x-amz-function-error" in answer_headers:
                sys.stderr.write(f"emulator: rotation of {secret.name} failed in {step}: {payload!r}\n")
                return
        with backend.runtime.lock:
            secret.last_rotation_date = int(time.time())

    def update_secret_version_stage(
        self, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> tuple[str, str]:
        """Moves a staging label; the version that gets AWSCURRENT becomes the one read by default."""
        answer: tuple[str, str] = super().update_secret_version_stage(
            secret_id, version_stage, remove_from_version_id, move_to_version_id
        )
        secret = self.secrets[secret_id]
        if version_stage == "AWSCURRENT" and move_to_version_id and isinstance(secret, models.FakeSecret):
            secret.set_default_version_id(move_to_version_id)
            stages = secret.versions[move_to_version_id]["version_stages"]
            if "AWSPENDING" in stages:  # AWS takes it from a version that becomes current
                stages.remove("AWSPENDING")
        return answer

    def cancel_rotate_secret(self, secret_id: str) -> str:
        """Ends the rotation of a secret; its function and rules are forgotten."""
        answer: str = super().cancel_rotate_secret(secret_id)
        secret = self.secrets[secret_id]
        if isinstance(secret, FakeSecret):
            secret.rotation_rules, secret.auto_rotate_after_days = None, 0
            secret.rotation_requested = False
            secret.rotation_lambda_arn = ""
            secret.next_rotation_date = None
        return answer

    def stop_replication_to_replica(self, secret_id: str) -> str:
        """Makes a replica a secret of its own and takes it from its primary.

        Returns:
            The ARN of what was a replica.

        Raises:
            SecretNotFoundException: there is no such secret.
            InvalidRequestException: it is not a replica.
        """
        if not self._is_valid_identifier(secret_id):
            raise SecretNotFoundException
        replica = self.secrets[secret_id]
        if not isinstance(replica, models.ReplicaSecret):
            raise InvalidRequestException("Operation is only permitted on a replica secret.")
        source = replica.source
        source.replicas = [other for other in source.replicas if other is not replica]
        own = copy.copy(source)
        own.versions = copy.deepcopy(source.versions)
        own.arn, own.region, own.replicas = replica.arn, self.region_name, []
        self.secrets[replica.arn] = own
        return str(own.arn)
