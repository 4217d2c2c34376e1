"""Secrets Manager operations: corrections of moto's and what it lacks."""

from __future__ import annotations

import json
from typing import cast

from moto.secretsmanager import responses
from moto.secretsmanager.models import secretsmanager_backends

from cloudcommerce_sandbox.emulator.extensions.secretsmanager.models import SecretsManagerBackend


class SecretsManagerResponse(responses.SecretsManagerResponse):
    """moto's Secrets Manager operations with ours."""

    @property
    def backend(self) -> SecretsManagerBackend:
        """Backend of the caller's account and region."""
        return cast("SecretsManagerBackend", secretsmanager_backends[self.current_account][self.region])

    def stop_replication_to_replica(self) -> str:
        """Makes a replica a secret of its own."""
        return json.dumps({"ARN": self.backend.stop_replication_to_replica(self._get_param("SecretId"))})
