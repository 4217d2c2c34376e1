"""Figures beside their floors."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.programs import Running, wrk

_WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Comparison:
    """One figure beside its floor, in requests a second, run by run."""

    name: str
    measured: list[float]
    floor_name: str
    floor: list[float]
    goal: float | None = None

    @property
    def share(self) -> float:
        """What part of its floor was reached: the median of the runs, each beside the floor's of its turn."""
        return median(one / other for one, other in zip(self.measured, self.floor, strict=True))

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached, where there is one."""
        return None if self.goal is None else self.share >= self.goal

    def __str__(self) -> str:
        """One line."""
        verdict = ""
        if self.goal is not None:
            verdict = f" (goal {self.goal:.0%}: {'met' if self.met else 'MISSED'})"
        return (
            f"{self.name}: {median(self.measured):.0f}/s (from {min(self.measured):.0f} to "
            f"{max(self.measured):.0f}); {self.floor_name}: {median(self.floor):.0f}/s; "
            f"{self.share:.0%}{verdict}"
        )

    def document(self) -> dict[str, Any]:
        """Itself as plain data."""
        return {
            "what": self.name,
            "per_second": self.measured,
            "floor": self.floor_name,
            "floor_per_second": self.floor,
            "share": self.share,
        }


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        runs: Of each figure, in turns with its floor.
        seconds: Of one run.
    """

    runs: int
    seconds: int


@dataclass
class Rate:
    """Measures a server: wall-clock rate as the result, rate per second of processor time beside it."""

    running: Running
    query: str
    connections: int
    seconds: int

    def __post_init__(self) -> None:
        self.per_cpu_second: list[float] = []

    def __call__(self) -> float:
        """One run."""
        before = self.running.cpu_seconds()
        rate = wrk(f"{self.running.url}?{self.query}", self.connections, self.seconds)
        self.per_cpu_second.append(rate * self.seconds / (self.running.cpu_seconds() - before))
        return rate

    def warm_up(self) -> None:
        """Reach the state that is to be measured."""
        wrk(f"{self.running.url}?{self.query}", self.connections, _WARM_UP_SECONDS)
