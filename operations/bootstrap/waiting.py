"""Bounded waiting for a store that is still starting or failing over."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from operations.bootstrap.errors import StoreUnreachableError

_T = TypeVar("_T")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


def until_reachable(attempt: Callable[[], _T], patience: float) -> _T:
    """Repeat an attempt while the store does not answer, with exponential pauses and full jitter.

    Args:
        attempt: Raises StoreUnreachableError when another try may help; any other error ends the waiting.
        patience: Seconds after which the last error is raised; 0 tries once.
    """
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        try:
            return attempt()
        except StoreUnreachableError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            time.sleep(min(left, random.uniform(0.1, pause)))  # noqa: S311 - jitter is no secret
            pause = min(pause * 2, _LONGEST_PAUSE)
