"""What Prometheus scrapes."""

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


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
