"""AWS Lambda backend whose functions run without containers."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.awslambda import models

from cloudcommerce_sandbox.emulator.extensions.awslambda.runtime import Invocation, PythonFunction, run
from cloudcommerce_sandbox.emulator.extensions.registry import Runtime
from cloudcommerce_sandbox.emulator.wire import ApiError


class LambdaFunction(models.LambdaFunction):
    """A function that reads back how it logs."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self._set_logging(spec.get("LoggingConfig") or {})

    def _set_logging(self, wanted: Mapping[str, Any]) -> None:
        # https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
        levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
        defaults = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}
        if wanted.get("LogFormat") == "JSON":
            defaults.update(levels)
        self.logging_config = {**defaults, **wanted}
        self.logs_group_name = self.logging_config["LogGroup"]

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Returns the configuration as GetFunctionConfiguration shows it."""
        configuration: dict[str, Any] = super().get_configuration(on_create)
        return {**configuration, "LoggingConfig": self.logging_config}

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Changes the configuration; what is left out stays."""
        if config_updates.get("LoggingConfig"):
            self._set_logging(config_updates["LoggingConfig"])
        updated: dict[str, Any] = super().update_configuration(config_updates)
        return updated


class LambdaBackend(models.LambdaBackend):
    """moto's AWS Lambda backend; `invoke` runs Python handlers as processes.

    `invoke` must be called without the emulator's lock: the handler calls the emulator itself.
    """

    runtime: ClassVar[Runtime]
    SERVICE_NAMESPACE = "lambda"

    @classmethod
    def attach(cls, runtime: Runtime) -> None:
        """Tells where handlers find the emulator and which lock guards moto's state."""
        cls.runtime = runtime

    def invoke(
        self,
        function_name: str,
        qualifier: str | None,
        body: Any,
        headers: Any,
        response_headers: Any,
    ) -> str | bytes | None:
        """Runs a function.

        Returns:
            The handler's answer as JSON, or None when there is no such function.

        Raises:
            ApiError: the function is not Python in a zip archive.
        """
        with self.runtime.lock:
            function = self.get_function(function_name, qualifier)
            python = _python_function(function, self.region_name)
        if headers.get("X-Amz-Invocation-Type") == "DryRun":
            return b""
        invocation = run(python, body if isinstance(body, str) and body else "{}", self.runtime.endpoint_url)
        with self.runtime.lock:
            self._keep_log(function, invocation)
        if invocation.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        log = base64.b64encode(invocation.log.encode()[-4096:])  # Lambda answers the last 4 KB
        response_headers["x-amz-log-result"] = log.decode()
        return invocation.payload.encode()

    @staticmethod
    def _keep_log(function: models.LambdaFunction, invocation: Invocation) -> None:
        if invocation.log:
            with contextlib.suppress(Exception):  # its log group may be gone by now
                function.save_logs(invocation.log)


def _python_function(function: models.LambdaFunction, region: str) -> PythonFunction:
    runtime = str(function.run_time or "")
    if not runtime.startswith("python") or function.package_type == "Image":
        message = f"The emulator runs Python from zip archives, not {runtime or function.package_type}"
        raise ApiError("EmulatorUnsupportedOperation", message, 501)
    return PythonFunction(
        name=function.function_name,
        archive=function.code_bytes,
        handler=str(function.handler),
        environment=dict(function.environment_vars),
        region=region,
        timeout_seconds=float(function.timeout),
    )
