"""The `pulumi` on PATH, driven through its documented commands in the current project directory.

Secrets stay encrypted on this path: state is exported without `--show-secrets`, and the inputs of planned
resources are taken from a plan file, in which Pulumi keeps secrets under the stack's own key.
"""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations.errors import OperationError, StackLockedError
from operations.plan import Plan, parse_plan
from operations.state import STACK_TYPE, Deployment, parse_deployment

_TAIL_LINES = 25
_NAMED_CHANGES = 5

EngineEvent = dict[str, Any]


@dataclass(frozen=True)
class PulumiCli:
    """One stack of the Pulumi project in a directory.

    Attributes:
        stack: Name of the stack, as `pulumi --stack` takes it.
        directory: Where the project is (`Pulumi.yaml`).
    """

    stack: str
    directory: Path = field(default_factory=Path.cwd)

    def backend_url(self) -> str:
        """Return the URL of the backend that holds the state, such as `file:///…` or `s3://…`."""
        document = json.loads(self._run("whoami", "--verbose", "--json", stack=False))
        return str(document["url"])

    def export_state(self) -> Deployment:
        """Return the state of the stack with its secrets encrypted.

        Raises:
            StateError: The state cannot be read or has an unknown version.
            OperationError: There is no such stack, or the backend does not answer.
        """
        return parse_deployment(self._run("stack", "export"))

    def reveal_state(self) -> Deployment:
        """Return the state with its secrets in plain text; it is never written anywhere."""
        return parse_deployment(self._run("stack", "export", "--show-secrets"))

    def import_state(self, deployment: Deployment) -> None:
        """Replace the state of the stack; the backend stores it in one step and verifies its integrity."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "state.json")
            path.write_text(deployment.text())
            self._run("stack", "import", "--file", str(path))

    def require_unchanged(self, read: Deployment) -> None:
        """Refuse to work on from an export that is no longer the stack's state.

        Args:
            read: What was exported before.

        Raises:
            OperationError: An update was made since; importing what was read would lose it.
        """
        changed = self.export_state().changed_since(read)
        if changed:
            names = ", ".join(urn.rsplit("::", 1)[-1] for urn in changed[:_NAMED_CHANGES])
            more = f" and {len(changed) - _NAMED_CHANGES} more" if len(changed) > _NAMED_CHANGES else ""
            raise OperationError(
                f"the stack changed meanwhile ({names}{more}): its state was not touched; run again"
            )

    def replace_state(self, read: Deployment, changed: Deployment) -> None:
        """Import a state that was made from an export, unless the stack has changed since that export.

        Args:
            read: What was exported.
            changed: What is imported in its place.

        Raises:
            OperationError: An update was made since.
        """
        self.require_unchanged(read)
        self.import_state(changed)

    def output(self, name: str) -> Any:
        """Return a stack output.

        Raises:
            OperationError: The stack has no such output.
        """
        outputs = json.loads(self._run("stack", "output", "--json"))
        if name not in outputs:
            advice = (
                f"it has: {', '.join(sorted(outputs))}; stacks of its kind may export none"
                if outputs
                else "it has none; run `pulumi up` first"
            )
            raise OperationError(f"stack {self.stack} has no output {name!r} ({advice})")
        return outputs[name]

    def plan(self) -> Plan:
        """Return what `pulumi up` would create now.

        Raises:
            OperationError: The program or a provider fails; its own message is repeated.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "plan.json")
            preview = self._run("preview", "--json", "--save-plan", str(path), "--non-interactive")
            return parse_plan(preview, path.read_text())

    def refresh(self, urns: Sequence[str], watch: Callable[[EngineEvent], None]) -> None:
        """Read some resources again and store what AWS says.

        Args:
            urns: The resources; those that are gone leave the state.
            watch: Receives each event of the engine.
        """
        # Without a target the whole stack is refreshed: that is what an empty state wants too, it costs
        # nothing.
        targets = [part for urn in urns for part in ("--target", urn)]
        self._stream(["refresh", "--yes", "--skip-preview", *targets], watch)

    def destroy(self, watch: Callable[[EngineEvent], None]) -> None:
        """Delete every resource of the stack, past failures: one resource must not hold the rest.

        Args:
            watch: Receives each event of the engine.

        Raises:
            OperationError: Something could not be deleted.
        """
        self._stream(["destroy", "--yes", "--skip-preview", "--continue-on-error"], watch)

    def probe_lock(self) -> None:
        """Do an update that changes nothing: refresh the stack's root, which no provider serves.

        Pulumi has no command that only asks for the lock, and a preview does not take it.

        Raises:
            StackLockedError: Another update holds the stack, or one that died did.
        """
        root = [each.urn for each in self.export_state().resources if each.resource_type == STACK_TYPE]
        self.refresh(root, lambda _: None)

    def unprotect_all(self) -> None:
        """Lift Pulumi's own protection from every resource in the state."""
        self._run("state", "unprotect", "--all", "--yes")

    def cancel(self) -> None:
        """Remove the lock of an update that died."""
        self._run("cancel", "--yes")

    def _command(self, arguments: Sequence[str], *, stack: bool = True) -> list[str]:
        return ["pulumi", *arguments, *(["--stack", self.stack] if stack else [])]

    def _run(self, *arguments: str, stack: bool = True) -> str:
        try:
            done = subprocess.run(
                self._command(arguments, stack=stack),
                cwd=self.directory,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise OperationError("`pulumi` is not on PATH; install Pulumi or use `make shell`") from error
        if done.returncode:
            raise _failure(arguments, done.stderr or done.stdout)
        return done.stdout

    def _stream(self, arguments: Sequence[str], watch: Callable[[EngineEvent], None]) -> None:
        errors: list[str] = []
        command = self._command([*arguments, "--json", "--non-interactive"])
        with (
            tempfile.TemporaryFile("w+") as stderr,
            subprocess.Popen(
                command, cwd=self.directory, stdout=subprocess.PIPE, stderr=stderr, text=True
            ) as process,
        ):
            for event in _events(process.stdout or iter(())):
                diagnostic = event.get("diagnosticEvent", {})
                if diagnostic.get("severity") == "error":
                    errors.append(str(diagnostic.get("message", "")).strip())
                watch(event)
            process.wait()
            if process.returncode:
                stderr.seek(0)
                raise _failure(arguments, "\n".join(errors) or stderr.read())


def _events(lines: Iterator[str]) -> Iterator[EngineEvent]:
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # a plugin wrote to stdout between the engine's events
        if isinstance(event, dict):
            yield event


def _failure(arguments: Sequence[str], output: str) -> OperationError:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    tail = "\n".join(lines[-_TAIL_LINES:])
    if "currently locked" in output:
        return StackLockedError(tail)
    return OperationError(f"`pulumi {' '.join(arguments[:2])}` failed:\n{tail}")
