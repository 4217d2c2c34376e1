"""`python -m bench`: search from cache and from PostgreSQL beside their floors.

TEST_POSTGRES_URL names a server where databases may be created, TEST_REDIS_URL a Redis whose `product:` keys
may go.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from itertools import chain
from typing import Any

from redis import Redis

from bench.comparisons import Comparison, Plan
from bench.programs import OTHERS, SERVING
from bench.searches import PRODUCTS, catalog, from_cache, from_postgres


def main() -> None:
    """Print every comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=sys.modules["__main__"].__doc__)
    parser.add_argument("--runs", type=_positive, default=5, help="of each figure; medians count (5)")
    parser.add_argument("--seconds", type=_positive, default=4, help="of one run (4)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    missing = [name for name in ("TEST_POSTGRES_URL", "TEST_REDIS_URL") if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not set; the benchmark needs real servers")
    found = []
    for comparison in _measure(Plan(arguments.runs, arguments.seconds)):
        found.append(comparison)
        if not arguments.json:
            print(comparison, flush=True)
    if arguments.json:
        print(json.dumps(_document(found), indent=2))


def _measure(plan: Plan) -> Iterator[Comparison]:
    server_url, redis_url = os.environ["TEST_POSTGRES_URL"], os.environ["TEST_REDIS_URL"]
    redis = Redis.from_url(redis_url)
    for key in redis.scan_iter("product:*"):
        redis.delete(key)
    with catalog(server_url) as database_url:
        yield from chain(
            from_cache(database_url, redis_url, plan), from_postgres(server_url, database_url, plan)
        )


def _document(found: list[Comparison]) -> dict[str, Any]:
    return {
        "machine": {"python": platform.python_version(), "serving": SERVING, "others": OTHERS},
        "products": PRODUCTS,
        "comparisons": [each.document() for each in found],
        "goals": [
            {"what": each.name, "measured": each.share, "limit": each.goal, "met": each.met}
            for each in found
            if each.goal is not None
        ],
    }


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be 1 or more")
    return value


if __name__ == "__main__":
    main()
