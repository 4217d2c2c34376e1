"""What Prometheus scrapes."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

REQUEST_SECONDS = Histogram(
    "http_server_request_duration_seconds",
    "Time from a request's first byte to its answer's last one.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
SEARCHES = Counter("cloudcommerce_product_searches", "Product searches.", registry=REGISTRY)
CACHE = Counter(
    "cloudcommerce_product_cache_requests",
    "Look-ups by outcome: hit, stale (served, refreshed behind), miss, bypass (Redis did not answer).",
    ["kind", "outcome"],
    registry=REGISTRY,
)
RESERVATIONS = Counter(
    "cloudcommerce_stock_reservations",
    "Reservations by outcome: reserved, repeated, refused, confirmed, released, returned, expired.",
    ["outcome"],
    registry=REGISTRY,
)
STOCKOUTS = Counter(
    "cloudcommerce_stock_outs", "Reservations refused because a product ran short.", registry=REGISTRY
)
PENDING_INVALIDATIONS = Gauge(
    "cloudcommerce_product_cache_pending_invalidations",
    "Cache scopes that changed while Redis did not answer.",
    registry=REGISTRY,
)
POOL = Gauge("cloudcommerce_product_database_connections", "Connections in use.", ["pool"], registry=REGISTRY)


@lru_cache(maxsize=1024)
def cache_counter(kind: str, outcome: str) -> Counter:
    """The counter of one outcome; finding it anew each time would cost more than counting."""
    return CACHE.labels(kind, outcome)


@lru_cache(maxsize=1024)
def request_timer(method: str, route: str, status: int) -> Histogram:
    """The histogram of one route and status."""
    return REQUEST_SECONDS.labels(method, route, str(status))


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
