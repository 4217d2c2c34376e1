"""Makes recorded AWS calls again by plain boto3, one after the other: `python -m benchmarks.replay FILE`.

Prints the seconds spent in boto3, its import and the building of clients included. Identifiers that AWS gives
anew are learned from each answer and put into the requests that follow.
"""

import importlib
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Call = tuple[str, str, str, dict[str, Any], dict[str, Any]]


class Translation:
    """New values for recorded ones."""

    def __init__(self) -> None:
        self._new: dict[str, str] = {}

    def learn(self, recorded: Any, answered: Any) -> None:
        """Walk both answers and remember texts that differ."""
        if isinstance(recorded, dict) and isinstance(answered, dict):
            for name in recorded.keys() & answered.keys():
                self.learn(recorded[name], answered[name])
        elif isinstance(recorded, list) and isinstance(answered, list) and len(recorded) == len(answered):
            for left, right in zip(recorded, answered, strict=True):
                self.learn(left, right)
        elif isinstance(recorded, str) and isinstance(answered, str) and recorded != answered:
            self._new[recorded] = answered

    def apply(self, value: Any) -> Any:
        """Return a request with the values that are right this time."""
        if isinstance(value, dict):
            return {name: self.apply(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if not isinstance(value, str) or value in self._new:
            return self._new.get(value, value) if isinstance(value, str) else value
        for old, new in self._new.items():
            if old in value:
                value = value.replace(old, new)
        return value


def calls_in(path: Path) -> Iterator[Call]:
    """Yield the recorded calls in their order."""
    with path.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)  # noqa: S301 - written by our own plugin a moment ago
            except EOFError:
                return


def replay(calls: list[Call]) -> tuple[float, int]:
    """Make the calls.

    Returns:
        Seconds spent in boto3, and how many calls AWS refused.
    """
    begun = time.perf_counter()
    boto3, refusal = (
        importlib.import_module("boto3"),
        importlib.import_module("botocore.exceptions").ClientError,
    )
    spent, refused = time.perf_counter() - begun, 0
    clients: dict[tuple[str, str], Any] = {}
    session: Any = boto3.session.Session()
    translation = Translation()
    for service, region, method, request, recorded in calls:
        members = translation.apply(request)
        begun = time.perf_counter()
        try:
            key = (service, region)
            client = clients.get(key) or clients.setdefault(key, session.client(service, region_name=region))
            if client.can_paginate(method):
                answered = client.get_paginator(method).paginate(**members).build_full_result()
            else:
                answered = getattr(client, method)(**members)
        except refusal:
            refused += 1
            answered = {}
        spent += time.perf_counter() - begun
        translation.learn(recorded, answered)
    return spent, refused


if __name__ == "__main__":
    seconds, failures = replay(list(calls_in(Path(sys.argv[1]))))
    sys.stdout.write(f"{seconds} {failures}\n")
