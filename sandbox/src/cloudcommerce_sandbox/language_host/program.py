"""Run one Pulumi program in this interpreter: `python -m …language_host.program PROGRAM`.

The language host starts this module in a fresh interpreter for each run. What the program sees is what it
sees under the official host: its directory is the working directory and on the module search path, and it
runs as `__main__`.
"""

import argparse
import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
import pulumi
import pulumi.runtime

from cloudcommerce_sandbox.language_host.lifetime import call_when_orphaned

# The exit code by which a program's process says "failed, and the user has been told why".
ERROR_REPORTED = 32


@dataclass(frozen=True, kw_only=True)
class ProgramRun:
    """What the engine asks for, as the command line and environment of this module.

    Attributes:
        entry_point: The program's file or directory.
        settings: Addresses and names for the Pulumi SDK.
        config: The stack's configuration, decrypted.
        secret_keys: The keys of `config` that are secret.
    """

    entry_point: str
    settings: dict[str, Any]
    config: dict[str, str] = field(repr=False)
    secret_keys: list[str]

    @classmethod
    def from_request(cls, request: Any, engine_address: str) -> "ProgramRun":
        """Translate a `RunRequest`.

        Args:
            request: The engine's request.
            engine_address: `host:port` of the engine.

        Returns:
            The run.
        """
        directory = Path(request.info.program_directory or request.pwd)
        return cls(
            entry_point=str(directory / (request.info.entry_point or request.program or ".")),
            settings={
                "project": request.project,
                "stack": request.stack,
                "monitor": request.monitor_address,
                "engine": engine_address,
                "parallel": request.parallel,
                "dry_run": request.dryRun,
                "organization": request.organization or "organization",
                "root_directory": request.info.root_directory,
            },
            config=dict(request.config),
            secret_keys=list(request.configSecretKeys),
        )

    def command(self) -> list[str]:
        """Return the command line that runs it, with nothing secret on it."""
        return [
            sys.executable,
            "-u",
            "-m",
            __name__,
            "--settings",
            json.dumps(self.settings),
            self.entry_point,
        ]

    def environment(self) -> dict[str, str]:
        """Return the variables by which it receives its configuration, as every Pulumi SDK reads them."""
        return {
            "PULUMI_CONFIG": json.dumps(self.config),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(self.secret_keys),
        }


def main(arguments: list[str]) -> int:
    """Run the program named on the command line.

    Args:
        arguments: The command line of `ProgramRun.command`, after the module's name.

    Returns:
        The process's exit code.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {__name__}")
    parser.add_argument("--settings", type=json.loads, required=True, help="the SDK's settings as JSON")
    parser.add_argument("program", help="the program's file or directory")
    options = parser.parse_args(arguments)

    call_when_orphaned(lambda: os._exit(1))
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.config.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**options.settings))
    # The SDK leaves failed tasks of a failing program unobserved; asyncio would print each of them after the
    # real error.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.argv = [options.program]
    sys.path[0] = str(_program_directory(options.program))
    return _run(options.program, parallel=options.settings.get("parallel") or 1)


def _run(program: str, *, parallel: int) -> int:
    def execute() -> None:
        # A program that ends itself early (`sys.exit`) has still registered resources: the SDK must wait for
        # these before the process ends, and it does so for exceptions only.
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as end:
            raise _ProgramExit(end.code) from None

    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(parallel, 1) * 4))
    try:
        return _report(loop, pulumi.runtime.run_in_stack(execute), program)
    finally:
        _drain(loop)
        sys.stdout.flush()
        sys.stderr.flush()


class _ProgramExit(Exception):  # noqa: N818  # the program's own wish, not an error
    """The program called `sys.exit(code)`."""

    def __init__(self, code: str | int | None) -> None:
        super().__init__(code)
        self.code = code


def _report(loop: asyncio.AbstractEventLoop, stack: Coroutine[Any, Any, Any], program: str) -> int:
    try:
        loop.run_until_complete(stack)
    except _ProgramExit as end:
        return _exit_code(end.code)
    except pulumi.RunError as error:
        # Raised by the SDK and by programs for messages that speak for themselves.
        pulumi.log.error(str(error))
        return ERROR_REPORTED
    except grpc.RpcError as error:
        if _engine_is_gone(error):
            return ERROR_REPORTED
        pulumi.log.error(_unhandled(error, program))
        return ERROR_REPORTED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # whatever a program raises is shown
        pulumi.log.error(_unhandled(error, program))
        return ERROR_REPORTED
    return 0


def _exit_code(code: str | int | None) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _engine_is_gone(error: grpc.RpcError) -> bool:
    """The engine stops its monitor when it cancels; what fails then needs no report."""
    return isinstance(error, grpc.Call) and error.code() == grpc.StatusCode.UNAVAILABLE


def _unhandled(error: BaseException, program: str) -> str:
    entry = Path(program)
    if isinstance(error, ImportError) and not entry.exists():
        return f"The program {entry} does not exist: check `main` in Pulumi.yaml"
    if entry.is_dir() and not (entry / "__main__.py").is_file():
        return f"The program directory {entry} has no __main__.py: check `main` in Pulumi.yaml"
    return "Program failed with an unhandled exception:\n" + "".join(
        traceback.format_exception(type(error), error, _user_frames(error.__traceback__))
    )


def _user_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback below `runpy`: the user's own frames, none when the program had not begun."""
    below: TracebackType | None = None
    frame = trace
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == _RUNPY:
            below = frame.tb_next
        frame = frame.tb_next
    return below


_RUNPY = runpy.run_path.__code__.co_filename


def _program_directory(program: str) -> Path:
    entry = Path(program)
    return entry if entry.is_dir() else entry.parent


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            loop.run_until_complete(task)
    loop.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
