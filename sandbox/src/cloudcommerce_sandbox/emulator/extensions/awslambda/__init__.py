"""AWS Lambda without containers."""

from __future__ import annotations

from moto.awslambda.models import lambda_backends

from cloudcommerce_sandbox.emulator.extensions.awslambda.models import LambdaBackend, LambdaFunction
from cloudcommerce_sandbox.emulator.extensions.awslambda.responses import LambdaResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension(
    "lambda", lambda_backends, LambdaBackend, LambdaResponse, (LambdaFunction,), LambdaBackend.attach
)
