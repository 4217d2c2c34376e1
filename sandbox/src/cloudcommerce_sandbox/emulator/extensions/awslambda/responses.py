"""AWS Lambda operations: moto's, on our backend."""

from __future__ import annotations

from moto.awslambda import responses


class LambdaResponse(responses.LambdaResponse):
    """moto's AWS Lambda operations; what differs is in the backend."""
