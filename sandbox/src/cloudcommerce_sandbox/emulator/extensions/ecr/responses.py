"""ECR operations: moto's, on our backend."""

from __future__ import annotations

from moto.ecr import responses


class ECRResponse(responses.ECRResponse):
    """moto's ECR operations; what differs is in the backend."""
