"""What a run changed and what it could not, for people and for programs."""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from rich.console import Console
from rich.table import Table

from operations.bootstrap.errors import StoreError


class Action(StrEnum):
    """What happened to an object."""

    CREATED = "created"
    UPDATED = "updated"
    GRANTED = "granted"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Change:
    """One difference between plan and store that a run removed, or in a dry run would remove.

    Attributes:
        store: Name of the store in the plan.
        action: What was done.
        subject: The object, such as `database orders`.
        detail: What about it; never a secret.
    """

    store: str
    action: Action
    subject: str
    detail: str = ""


@dataclass(frozen=True)
class Problem:
    """Something that the run could not bring in line with the plan."""

    store: str
    subject: str
    reason: str
    remedy: str

    @classmethod
    def of(cls, error: StoreError) -> "Problem":
        """The problem that an error tells of."""
        return cls(error.store, error.subject, error.reason, error.remedy)


@dataclass
class Report:
    """The outcome of a run.

    Attributes:
        dry_run: Whether nothing was really changed.
        changes: In the order they were made.
        problems: What is left.
    """

    dry_run: bool = False
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when the stores are as planned, 1 when a problem is left."""
        return 1 if self.problems else 0

    def to_json(self) -> str:
        """The report as a JSON document with a version."""
        return json.dumps({"version": 1, "converged": not self.problems, **asdict(self)}, indent=2)

    def print_to(self, console: Console) -> None:
        """Show the report as tables."""
        if self.changes:
            table = Table(title="Would change" if self.dry_run else "Changed")
            for column in ("store", "what", "object", "detail"):
                table.add_column(column, overflow="fold")
            for change in self.changes:
                table.add_row(change.store, change.action.value, change.subject, change.detail)
            console.print(table)
        elif not self.problems:
            console.print("Nothing to change: every store is as planned.")
        for problem in self.problems:
            console.print(f"{problem.store}: {problem.subject}: {problem.reason}", style="red", markup=False)
            console.print(f"  {problem.remedy}", markup=False)
