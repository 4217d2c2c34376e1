"""One run of the engine's command line."""

import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from rich.markup import escape

from cloudcommerce_sandbox.console import Step, Steps
from cloudcommerce_sandbox.engine.events import Failure, Progress, is_debug, name_of

_LOGS_KEPT = 20


@dataclass(kw_only=True)
class Outcome:
    """How a run ended.

    Attributes:
        exit_code: The engine's.
        progress: What it did.
        complaint: What it printed that was no event.
        log: Where all of its output is.
        seconds: How long it took.
        interrupted: Whether the user stopped it.
    """

    exit_code: int
    progress: Progress
    complaint: str
    log: Path
    seconds: float
    interrupted: bool = False

    def failures(self) -> list[Failure]:
        """Return what failed; never empty when the engine ended with an error."""
        found = self.progress.failures()
        if self.exit_code != 0 and not found:
            message = self.complaint or f"the engine ended with exit code {self.exit_code} and said nothing"
            found = [Failure(urn="", operation="", message=message)]
        return found


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The engine's command line, set up for the sandbox.

    Attributes:
        executable: The command.
        directory: The project's view.
        environment: The sandbox's environment.
        logs: The folder for logs.
    """

    executable: Path
    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    logs: Path

    def stream(self, steps: Steps, title: str, operation: str, *arguments: str) -> Outcome:
        """Run an operation that changes the stack, and show how far it is.

        Ctrl-C and SIGTERM go to the engine, which finishes what it has begun, writes its state and ends; a
        second one makes it stop at once. We wait for it in any case.

        Args:
            steps: Shows the progress.
            title: What is being done.
            operation: Such as `up`.
            *arguments: Further arguments.

        Returns:
            How it ended. An error is not raised: see `Outcome.failures`.
        """
        begun = time.monotonic()
        log = self._new_log(operation)
        command = [str(self.executable), operation, "--json", "--yes", "--non-interactive", *arguments]
        progress = Progress()
        complaints: list[str] = []
        with (
            steps.step(title) as step,
            log.open("w") as record,
            subprocess.Popen(
                command,
                cwd=self.directory,
                env={**self.environment, "PWD": str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                # Else Ctrl-C in the terminal would reach the engine, its plugins and the program all at once.
                start_new_session=True,
            ) as child,
            _signals_passed_to(child, step) as received,
        ):
            reader = threading.Thread(target=lambda: complaints.extend(child.stderr or ()), daemon=True)
            reader.start()
            for line in child.stdout or ():
                if not is_debug(line):
                    record.write(line)
                if not progress.take_line(line):
                    complaints.append(line)
                _show(progress, steps, step)
            child.wait()
            reader.join(timeout=5)
            record.writelines(complaints)
            step.finish(progress.counted())
            if child.returncode != 0:
                step.fail()
        return Outcome(
            exit_code=child.returncode,
            progress=progress,
            complaint="".join(complaints).strip().removeprefix("error: "),
            log=log,
            seconds=time.monotonic() - begun,
            interrupted=bool(received),
        )

    def passthrough(self, arguments: Sequence[str]) -> int:
        """Run a command of the engine on the user's terminal, with the engine's own display.

        Args:
            arguments: The arguments.

        Returns:
            Its exit code.
        """
        return run_in_foreground([str(self.executable), *arguments], self.directory, self.environment)

    def capture(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the engine and return what it prints.

        Args:
            *arguments: The arguments.

        Returns:
            The finished process.
        """
        return subprocess.run(
            [str(self.executable), *arguments, "--non-interactive"],
            cwd=self.directory,
            env={**self.environment, "PWD": str(self.directory)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _new_log(self, operation: str) -> Path:
        self.logs.mkdir(parents=True, exist_ok=True)
        for old in sorted(self.logs.glob("engine-*.log"))[:-_LOGS_KEPT]:
            old.unlink(missing_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        return self.logs / f"engine-{stamp}-{time.monotonic_ns() % 1000:03}-{operation}.log"


def run_in_foreground(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> int:
    """Run a command on the user's terminal.

    Ctrl-C reaches it directly; we only wait for what it makes of it.

    Args:
        command: The program and its arguments.
        directory: Its working directory.
        environment: Its whole environment.

    Returns:
        Its exit code.
    """
    # A handler, not SIG_IGN: what is ignored stays ignored in the child.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(
            command,
            cwd=directory,
            env={**environment, "PWD": str(directory)},
            check=False,
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _show(progress: Progress, steps: Steps, step: Step) -> None:
    for message in progress.messages:
        steps.say(f"    [dim]{escape(message)}[/]")
    progress.messages.clear()
    current = next(reversed(progress.running), None)
    now = f"; {progress.running[current]} {name_of(current)}" if current else ""
    so_far = progress.counted() if progress.done else "starting the program"
    step.update(f"{so_far}{now}")


@contextmanager
def _signals_passed_to(child: "subprocess.Popen[str]", step: Step) -> Iterator[list[int]]:
    received: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        step.title += " — stopping, the engine finishes what it has begun" if len(received) == 1 else ""
        child.send_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
