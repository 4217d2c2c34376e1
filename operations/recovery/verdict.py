"""What became of a creation whose end nobody saw, and how that is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from operations.catalogue import Thing
from operations.state import Resource


class Verdict(StrEnum):
    """What to do about a lost creation."""

    ADOPT = "adopt"
    """It exists: its record goes into the state."""
    ABSENT = "absent"
    """It was never made: the next `up` makes it."""
    REPEATABLE = "repeatable"
    """Making it again changes nothing: the next `up` does."""
    BROKEN = "broken"
    """It exists but never became usable: it has to be deleted."""
    GOING = "going"
    """It exists and is on its way out."""
    AMBIGUOUS = "ambiguous"
    """Several things could be it: they are orphans, and a person decides."""
    UNDECIDED = "undecided"
    """Nobody can tell: the record stays as it is, and the reason says what to do."""


@dataclass(frozen=True)
class Finding:
    """The diagnosis of one resource.

    Attributes:
        resource: Its record.
        verdict: What became of it.
        reason: How that is known, or what to do.
        id: Its id, when it was found.
        overrides: Inputs that AWS knows better than the record.
        thing: What was found, when it is of a listed kind.
    """

    resource: Resource
    verdict: Verdict
    reason: str
    id: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    thing: Thing | None = None
