"""How a command speaks with the person who runs it.

Progress goes to stderr, the result to stdout, questions to the terminal.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.errors import OperationError


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
        Console(stderr=True, highlight=False, emoji=False).print(escape(text))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table that has rows, unless the result is JSON."""
        listed = list(rows)
        if self.as_json or not listed:
            return
        table = Table(title=title, title_justify="left", title_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")  # an id that is cut off is of no use
        for row in listed:
            table.add_row(*(escape(str(cell)) for cell in row))
        Console(highlight=False, emoji=False).print(table)

    def say(self, text: str) -> None:
        """Print a sentence of the result, unless it is JSON."""
        if not self.as_json:
            Console(highlight=False, emoji=False).print(escape(text))

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

    def require_typed(self, question: str, word: str) -> None:
        """Ask for a word to be typed.

        Raises:
            OperationError: Something else was typed, or nobody is there.
        """
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise OperationError("this needs a person who types the stack's name, or `--yes`")
        typed = click.prompt(f"{question} Type {word!r} to go on", err=True, default="", show_default=False)
        if typed != word:
            raise OperationError(f"{typed!r} is not {word!r}; nothing was changed")
