"""Progress with times: live on a terminal, plain lines elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_HEARTBEAT_SECONDS = 20.0

_PLAIN_WIDTH = 120


def _console(stream: TextIO) -> Console:
    # `highlight` would color numbers inside messages of other programs; a log file has no width to wrap at.
    known = stream.isatty() or "COLUMNS" in os.environ
    width = None if known else _PLAIN_WIDTH
    return Console(stderr=stream is sys.stderr, highlight=False, soft_wrap=True, width=width)


out = _console(sys.stdout)
err = _console(sys.stderr)


def duration(seconds: float) -> str:
    """Return a length of time for people.

    Args:
        seconds: The length in seconds.

    Returns:
        Such as `0.4 s` or `3 min 50 s`.
    """
    if seconds < 60:  # noqa: PLR2004  # a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


class Step:
    """One thing that takes its time; it says how far it is and, when done, how long it took."""

    def __init__(self, title: str, begun: float) -> None:
        self.title = title
        self.note = ""
        self.result = ""
        self.skipped = False
        self.failed = False
        self.begun = begun

    def update(self, note: str) -> None:
        """Say how far it is.

        Args:
            note: A few words; each call replaces those before.
        """
        self.note = note

    def finish(self, result: str) -> None:
        """Say what came out, for the line that stays.

        Args:
            result: A few words.
        """
        self.result = result

    def fail(self) -> None:
        """Mark the line that stays: it ended, but not well."""
        self.failed = True

    def skip(self) -> None:
        """Leave no line: there was nothing to do."""
        self.skipped = True

    def line(self, mark: str) -> str:
        """Return the line that stays, in rich's markup."""
        result = f" [dim]{escape(self.result)}[/]" if self.result else ""
        elapsed = duration(time.monotonic() - self.begun)
        return f"  {mark} {escape(self.title)}{result} [dim]({elapsed})[/]"


class Steps:
    """Shows steps, also several at once from several threads."""

    def __init__(self, console: Console = out) -> None:
        self._console = console
        self._live = console.is_terminal
        self._lock = threading.Lock()
        self._running: dict[Step, TaskID | None] = {}
        self._progress: Progress | None = None
        self._stop = threading.Event()

    def __enter__(self) -> "Steps":
        if self._live:
            self._progress = Progress(
                TextColumn(" "),
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.start()
        self._stop.clear()
        threading.Thread(target=self._refresh, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the block runs, and its outcome after.

        Args:
            title: What is being done.

        Yields:
            The step, to say how far it is.
        """
        step = Step(title, time.monotonic())
        with self._lock:
            task = self._progress.add_task(escape(title)) if self._progress else None
            self._running[step] = task
        try:
            yield step
        except BaseException:
            self._end(step, step.line("[red]✗[/]"))
            raise
        mark = "[red]✗[/]" if step.failed else "[green]✓[/]"
        self._end(step, None if step.skipped else step.line(mark))

    def say(self, text: str) -> None:
        """Print a line above what is running.

        Args:
            text: The line, in rich's markup.
        """
        self._console.print(text)

    def _end(self, step: Step, line: str | None) -> None:
        with self._lock:
            task = self._running.pop(step)
            if self._progress is not None and task is not None:
                self._progress.remove_task(task)
        if line is not None:
            self._console.print(line)

    def _refresh(self) -> None:
        """Bring notes to the screen; where there is none, tell from time to time that work goes on."""
        told: dict[Step, float] = {}
        while not self._stop.wait(0.1 if self._live else 1.0):
            with self._lock:
                running = list(self._running.items())
            for step, task in running:
                if self._progress is not None and task is not None:
                    self._progress.update(task, description=_described(step))
                elif time.monotonic() - told.get(step, step.begun) >= _HEARTBEAT_SECONDS:
                    told[step] = time.monotonic()
                    self._console.print(step.line("…") + (f" {escape(step.note)}" if step.note else ""))


def _described(step: Step) -> str:
    return escape(step.title) + (f"  [dim]{escape(step.note)}[/]" if step.note else "")
