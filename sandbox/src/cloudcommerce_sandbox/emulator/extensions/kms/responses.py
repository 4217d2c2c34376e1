"""KMS operations: corrections of moto's."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.core.utils import unix_time
from moto.kms import responses
from moto.kms.models import kms_backends

from cloudcommerce_sandbox.emulator.extensions.kms.models import KmsBackend


class KmsResponse(responses.KmsResponse):
    """moto's KMS operations with ours."""

    @property
    def kms_backend(self) -> KmsBackend:
        """Backend of the caller's account and region."""
        return cast("KmsBackend", kms_backends[self.current_account][self.region])

    def enable_key_rotation(self) -> str:
        """Turns on rotation with its period."""
        key_id = self._get_param("KeyId")
        self._validate_cmk_id(key_id)
        self.kms_backend.rotate_every(key_id, self._get_param("RotationPeriodInDays"))
        return json.dumps(None)

    def get_key_rotation_status(self) -> str:
        """Says whether and how often a key is rotated."""
        status: dict[str, Any] = json.loads(super().get_key_rotation_status())
        identifier = self.kms_backend.get_key_id(self._get_param("KeyId"))
        if status["KeyRotationEnabled"]:
            status["KeyId"] = self.kms_backend.keys[identifier].arn
            status["RotationPeriodInDays"] = self.kms_backend.rotation_periods[identifier]
            status["NextRotationDate"] = unix_time(self.kms_backend.rotation_dates[identifier])
        return json.dumps(status)
