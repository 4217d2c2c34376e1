"""How a command speaks with the person who runs it.

Progress goes to stderr, the result to stdout, questions to the terminal.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from operations.errors import OperationError

_PLAIN_WIDTH = 160
"""Columns where no terminal says how many it has: a file, a pipe, a CI log."""


@dataclass(frozen=True)
class Interaction:
    """The terminal.

    Attributes:
        as_json: Whether the result is one JSON document, and nothing else is printed to stdout.
        yes: Whether questions are answered with yes.
    """

    as_json: bool
    yes: bool = False

    def note(self, text: str) -> None:
        """Print progress."""
        _console(stderr=True).print(escape(text), soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows under a title, unless there are none or the result is JSON.

        Where the rows are wider than the terminal each becomes a block, a line a cell: an ARN that is folded
        into a narrow column can be neither read nor copied.

        Args:
            title: What the rows are.
            columns: The columns' names; the first cell of a row is what the row is about.
            rows: The cells.
        """
        listed = [[str(cell) for cell in row] for row in rows]
        if self.as_json or not listed:
            return
        console = _console()
        table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column, no_wrap=True)
        for row in listed:
            table.add_row(*(escape(cell) for cell in row))
        unlimited = console.options.update(width=sys.maxsize)
        if Measurement.get(console, unlimited, table).maximum <= console.width:
            console.print(table)
        else:
            _print_blocks(console, title, columns, listed)

    def say(self, text: str) -> None:
        """Print a sentence of the result, unless it is JSON."""
        if not self.as_json:
            _console().print(escape(text), soft_wrap=True)

    def result(self, document: Any) -> None:
        """Print the result as JSON, if that is asked for."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, sort_keys=True, default=str))

    def confirm(self, question: str) -> bool:
        """Ask a yes-or-no question; no when nobody is there to answer."""
        if self.yes:
            return True
        if not sys.stdin.isatty():
            self.note(f"{question} Nobody is at the terminal, so the answer is no; `--yes` answers with yes.")
            return False
        return click.confirm(question, err=True)

    def require_somebody(self) -> None:
        """Refuse to go on towards a question that nobody is there to answer.

        Raises:
            OperationError: There is no terminal, and the answer was not given beforehand.
        """
        if not self.yes and not sys.stdin.isatty():
            raise OperationError("this needs a person who types the stack's name, or `--yes`")

    def require_typed(self, question: str, word: str) -> None:
        """Ask for a word to be typed.

        Raises:
            OperationError: Something else was typed, or nobody is there.
        """
        self.require_somebody()
        if self.yes:
            return
        typed = click.prompt(f"{question} Type {word!r} to go on", err=True, default="", show_default=False)
        if typed != word:
            raise OperationError(f"{typed!r} is not {word!r}; nothing was changed")


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or "COLUMNS" in os.environ
    return Console(stderr=stderr, highlight=False, emoji=False, width=None if known else _PLAIN_WIDTH)


def _print_blocks(
    console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    console.print(f"[bold]{escape(title)}[/]")
    for about, *rest in rows:
        console.print(f"  {escape(about)}", soft_wrap=True)
        for column, cell in zip(columns[1:], rest, strict=True):
            if cell:
                console.print(f"    [dim]{escape(column)}:[/] {escape(cell)}", soft_wrap=True)
    console.print()
