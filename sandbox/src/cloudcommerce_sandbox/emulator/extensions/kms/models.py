"""KMS backend: the rotation period, and keys named by ARN wherever the API takes one."""

from __future__ import annotations

from datetime import datetime, timedelta

from moto.core.utils import utcnow
from moto.kms import models

from cloudcommerce_sandbox.emulator.wire import ApiError

DEFAULT_ROTATION_DAYS = 365
_ROTATION_DAYS = (90, 2560)  # https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html


class KmsBackend(models.KmsBackend):
    """moto's KMS backend with ours."""

    SERVICE_NAMESPACE = "kms"

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.rotation_periods: dict[str, int] = {}
        self.rotation_dates: dict[str, datetime] = {}

    def rotate_every(self, key_id: str, days: int | None) -> None:
        """Turns on the rotation of a key.

        Args:
            key_id: identifier or ARN.
            days: period; None keeps the one in force, 365 at first.

        Raises:
            ApiError: KMSInvalidStateException for a key that is going, or a ValidationException for the
                period.
        """
        identifier = self.get_key_id(key_id)
        if self.keys[identifier].key_state == "PendingDeletion":
            raise ApiError("KMSInvalidStateException", f"{self.keys[identifier].arn} is pending deletion.")
        if days is not None and not _ROTATION_DAYS[0] <= days <= _ROTATION_DAYS[1]:
            message = (
                f"RotationPeriodInDays is {days}; it must be from {_ROTATION_DAYS[0]} to {_ROTATION_DAYS[1]}."
            )
            raise ApiError("ValidationException", message)
        period = days or self.rotation_periods.get(identifier, DEFAULT_ROTATION_DAYS)
        self.rotation_periods[identifier] = period
        self.rotation_dates[identifier] = utcnow() + timedelta(days=period)
        self.enable_key_rotation(identifier)

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        """Schedules the deletion of a key given by identifier or ARN."""
        date: float = super().schedule_key_deletion(self.get_key_id(key_id), pending_window_in_days)
        return date

    def cancel_key_deletion(self, key_id: str) -> None:
        """Takes back the deletion of a key given by identifier or ARN."""
        super().cancel_key_deletion(self.get_key_id(key_id))
