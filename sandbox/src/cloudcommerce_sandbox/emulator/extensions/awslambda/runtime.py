"""Runs a Python function's handler in a process of its own, with the emulator as its AWS."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

# Run by the child process. The answer goes into a file, so that whatever the handler prints is its log.
_BOOTSTRAP = """
import importlib, json, logging, sys, traceback, types
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
code, handler, answer, function = sys.argv[1:5]
sys.path.insert(0, code)
module, _, name = handler.rpartition(".")
context = types.SimpleNamespace(
    function_name=function, aws_request_id="emulator", memory_limit_in_mb=128,
    get_remaining_time_in_millis=lambda: 60000,
)
try:
    result = getattr(importlib.import_module(module.replace("/", ".")), name)(json.load(sys.stdin), context)
    document, failed = json.dumps(result), False
except Exception as error:
    traceback.print_exc(file=sys.stdout)
    trace = traceback.format_exc().splitlines()
    document, failed = json.dumps(
        {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}
    ), True
with open(answer, "w") as file:
    json.dump([document, failed], file)
"""


@dataclass(frozen=True)
class Invocation:
    """How an invocation ended.

    Attributes:
        payload: JSON that the handler returned, or its error as Lambda spells it.
        failed: whether it is an error.
        log: what the handler printed and logged.
    """

    payload: str
    failed: bool
    log: str


@dataclass(frozen=True)
class PythonFunction:
    """What is needed to run a function: its archive, `module.name` of its handler, and its environment."""

    name: str
    archive: bytes
    handler: str
    environment: Mapping[str, str]
    region: str
    timeout_seconds: float


def run(function: PythonFunction, event: str, endpoint_url: str) -> Invocation:
    """Runs a handler once.

    Args:
        function: what to run.
        event: JSON document handed to the handler.
        endpoint_url: where the handler's AWS clients go.

    Returns:
        The answer; a handler that fails, dies or takes too long is an answer too.
    """
    with tempfile.TemporaryDirectory(prefix="lambda-") as directory:
        code, answer = Path(directory, "code"), Path(directory, "answer")
        with zipfile.ZipFile(BytesIO(function.archive)) as archive:
            archive.extractall(code)
        command = [sys.executable, "-c", _BOOTSTRAP, str(code), function.handler, str(answer), function.name]
        log, status = _execute(command, function, event, endpoint_url, Path(directory))
        if status is None:
            message = f"Task timed out after {function.timeout_seconds} seconds"
            return _failure("Sandbox.Timedout", message, log)
        if not answer.exists():
            return _failure("Runtime.ExitError", f"Runtime exited with error: exit status {status}", log)
        payload, failed = json.loads(answer.read_text())
        return Invocation(payload, failed, log)


def _execute(
    command: Sequence[str], function: PythonFunction, event: str, endpoint_url: str, directory: Path
) -> tuple[str, int | None]:
    """Runs the handler's process, and ends it with all that it started.

    Event and log are files, not pipes: a child that the handler leaves behind holds a pipe open, and one
    would wait for the child instead of the handler.

    Returns:
        What was printed, and the exit status: None after a timeout.
    """
    input_file, output_file = directory / "event", directory / "log"
    input_file.write_text(event)
    with input_file.open() as stdin, output_file.open("wb") as stdout:
        process = subprocess.Popen(
            command,
            env=_environment(function, endpoint_url),
            cwd=directory / "code",
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        status: int | None
        try:
            status = process.wait(function.timeout_seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            with contextlib.suppress(ProcessLookupError):  # the whole group has ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return output_file.read_text(errors="replace"), status


def _failure(kind: str, message: str, log: str) -> Invocation:
    return Invocation(json.dumps({"errorType": kind, "errorMessage": message}), True, log)


def _environment(function: PythonFunction, endpoint_url: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ACCESS_KEY_ID": "lambda",
        "AWS_SECRET_ACCESS_KEY": "lambda",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        **function.environment,
    }
