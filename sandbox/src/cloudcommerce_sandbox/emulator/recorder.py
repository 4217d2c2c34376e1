"""Remembers the latest AWS calls and counts all of them, for benchmarks and for tests."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class RecordedCall:
    """One answered call; `milliseconds` runs from the read request to the finished answer."""

    service: str
    operation: str
    region: str
    status: int
    milliseconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the answer was neither an error nor a lost connection (status 0)."""
        return 0 < self.status < HTTPStatus.BAD_REQUEST


class CallRecorder:
    """A ring buffer of calls beside running totals. Safe to use from many threads."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._recent: deque[RecordedCall] = deque(maxlen=capacity)
        self._counts: Counter[str] = Counter()
        self._milliseconds: defaultdict[str, float] = defaultdict(float)
        self._failures: Counter[str] = Counter()

    def record(self, call: RecordedCall) -> None:
        """Adds one call."""
        key = f"{call.service}:{call.operation}"
        with self._lock:
            self._recent.append(call)
            self._counts[key] += 1
            self._milliseconds[key] += call.milliseconds
            self._failures[key] += not call.succeeded

    def clear(self) -> None:
        """Forgets everything, so that a benchmark starts from zero."""
        with self._lock:
            for collection in (self._recent, self._counts, self._milliseconds, self._failures):
                collection.clear()

    def document(self) -> dict[str, Any]:
        """Returns the total, the latest calls, and count, failures and milliseconds by operation."""
        with self._lock:
            return {
                "total": self._counts.total(),
                "operations": {
                    key: {
                        "count": count,
                        "failures": self._failures[key],
                        "milliseconds": round(self._milliseconds[key], 3),
                    }
                    for key, count in sorted(self._counts.items())
                },
                "recent": [asdict(call) for call in self._recent],
            }
