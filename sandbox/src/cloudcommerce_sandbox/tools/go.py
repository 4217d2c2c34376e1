"""The Go toolchain."""

import json
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.tools.catalogue import GoTool
from cloudcommerce_sandbox.tools.probe import parsed

# Before this release a `go` command can't fetch the newer toolchain that a go.mod asks for.
_FIRST_THAT_UPGRADES = (1, 21)
_LINES_SHOWN = 5


@dataclass(frozen=True)
class Go:
    """A `go` command that can build our modules.

    Attributes:
        executable: Its path.
        version: Its version, as `go1.26.1`.
    """

    executable: Path
    version: str

    @classmethod
    def find(cls, oldest: str) -> "Go":
        """Find `go` on PATH.

        Args:
            oldest: The version the modules need, such as `1.26`.

        Returns:
            The command.

        Raises:
            SandboxError: There is none, or it is too old and may not fetch a newer one.
        """
        found = shutil.which("go")
        if found is None:
            raise SandboxError(
                f"Go builds the sandbox's tools, and there is none on PATH ({os.environ.get('PATH', '')}).",
                f"Install Go {oldest} or newer: https://go.dev/doc/install.",
            )
        settings = _settings(found)
        version = settings["GOVERSION"]
        numbers = parsed(re.sub(r"[^\d.].*$", "", version.removeprefix("go")) or "0")
        may_upgrade = settings.get("GOTOOLCHAIN", "local") != "local" and numbers >= _FIRST_THAT_UPGRADES
        if numbers < parsed(oldest) and not may_upgrade:
            raise SandboxError(
                f"{found} is {version}; the sandbox's tools need Go {oldest} or newer.",
                "Install a newer one (https://go.dev/doc/install), or unset GOTOOLCHAIN=local.",
            )
        return cls(Path(found), version)

    def build(
        self, tools: Sequence[GoTool], folder: Path, log: TextIO, on_package: Callable[[str], None]
    ) -> None:
        """Build commands of one module, which share most of what is compiled.

        Args:
            tools: What to build; all of one module.
            folder: Where the executables go, each by its `built_name`.
            log: Takes all that the compiler prints.
            on_package: Called with each package as it is compiled.

        Raises:
            SandboxError: The build failed.
        """
        first = tools[0]
        command = [
            str(self.executable),
            "build",
            "-C",
            str(first.directory),
            "-v",
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            f"-ldflags={' '.join(first.linker_flags)}",
            "-o",
            f"{folder}{os.sep}",
            *(tool.package for tool in tools),
        ]
        log.write(f"$ {' '.join(command)}\n")
        # The build's flags decide its key: none may come from the user's environment. cgo would ask for a C
        # compiler.
        env = {**os.environ, "GOFLAGS": "", "CGO_ENABLED": "0"}
        last: deque[str] = deque(maxlen=_LINES_SHOWN)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=env
        ) as child:
            try:
                for line in child.stdout or ():
                    log.write(line)
                    log.flush()
                    last.append(line)
                    on_package(line.strip())
            except BaseException:
                child.terminate()
                raise
        if child.returncode != 0:
            raise SandboxError(
                f"Building {described(tools)} failed (exit code {child.returncode}); "
                f"the end of {log.name}:\n{''.join(last).rstrip()}",
                "Go's module proxy (`go env GOPROXY`) must be reachable the first time.",
            )


def described(tools: Sequence[GoTool]) -> str:
    """Return tools with their versions, for people.

    Args:
        tools: The tools.
    """
    return ", ".join(f"{tool.name} {tool.version}" for tool in tools)


def _settings(executable: str) -> dict[str, str]:
    try:
        done = subprocess.run(
            [executable, "env", "-json", "GOVERSION", "GOTOOLCHAIN"],
            capture_output=True,
            text=True,
            # Outside any module, so that `go` answers for itself and fetches nothing yet.
            cwd="/",
            check=True,
        )
        settings: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
        raise SandboxError(
            f"{executable} does not run: {error}.", "Reinstall Go: https://go.dev/doc/install."
        ) from error
    return settings
