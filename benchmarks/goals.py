"""What the numbers are held against."""

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.suite import COPIES, Results

COMPONENTS_LIMIT = 1.3
PLUGIN_LIMIT = 2.0
LINEAR_LIMIT = COPIES * 1.1
"""Four times the resources may cost four times as much; a tenth more is the noise of three runs."""


@dataclass(frozen=True)
class Goal:
    """One number and its limit.

    Attributes:
        what: What is compared.
        measured: A ratio.
        limit: The most that it may be.
    """

    what: str
    measured: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the number is within its limit."""
        return self.measured <= self.limit

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "met": self.met}


def goals(results: Results) -> list[Goal]:
    """Judge the results."""
    of = results.of
    large = f" x{COPIES}"

    def above_floor(operation: str, size: str = "") -> float:
        return of(f"{operation} flat{size}") - of(f"{operation} floor{size}")

    found = [
        Goal("preview, components to flat", of("preview product") / of("preview flat"), COMPONENTS_LIMIT),
        Goal("up, components to flat", of("up product") / of("up flat"), COMPONENTS_LIMIT),
        Goal("plugin (up less the engine's floor) to boto3", above_floor("up") / of("boto3"), PLUGIN_LIMIT),
    ]
    if f"boto3{large}" not in results.series:
        return found
    growth = {each: above_floor(each, large) / above_floor(each) for each in ("preview", "up")}
    return [
        *found,
        Goal(f"plugin to boto3{large}", above_floor("up", large) / of(f"boto3{large}"), PLUGIN_LIMIT),
        *(Goal(f"{each}{large}, less the floor", ratio, LINEAR_LIMIT) for each, ratio in growth.items()),
    ]
