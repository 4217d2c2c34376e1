"""Several stores at once."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping

from services.stores import mongodb, postgres, rabbitmq, redis
from services.stores.server import Server

# The slowest to start comes first.
LAUNCHES: Mapping[str, Callable[[bool], Server]] = {
    "rabbitmq": lambda _durable: rabbitmq.launch_plain(),
    "mongodb": lambda _durable: mongodb.launch(),
    "redis": lambda _durable: redis.launch(),
    "postgres": lambda durable: postgres.launch(settings={} if durable else postgres.THROWAWAY),
}
"""What there is; each is told whether its data must outlive a crash of the machine."""

KINDS = tuple(LAUNCHES)


@contextlib.contextmanager
def running(kinds: Collection[str], *, durable: bool = False) -> Iterator[Mapping[str, str]]:
    """Start empty stores without TLS on free ports; they stop, and their data go, when the block ends.

    Args:
        kinds: Which ones, of LAUNCHES.
        durable: PostgreSQL writes to disk before it answers, as in production.

    Yields:
        Their URLs, each with a user who may do everything.

    Raises:
        ShopError: One is not installed, or does not start.
    """
    with contextlib.ExitStack() as stack:
        servers = {}
        for kind in KINDS:
            if kind in kinds:
                server = servers[kind] = LAUNCHES[kind](durable)
                stack.callback(server.stop)
        for server in servers.values():
            server.wait_until_ready()
        yield {kind: server.url for kind, server in servers.items()}
