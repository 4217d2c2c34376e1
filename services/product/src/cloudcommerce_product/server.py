"""The process: two servers on one loop, started and drained together."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator

import uvicorn
import uvloop
from starlette.types import ASGIApp

from cloudcommerce_product.service import Service
from cloudcommerce_product.settings import Settings
from cloudcommerce_product.telemetry import configure_logging, configure_tracing
from cloudcommerce_product.web.apps import BODY_LIMIT, internal_app, public_app
from cloudcommerce_product.web.middleware import wrap

_log = logging.getLogger(__name__)
_KEEP_ALIVE_SECONDS = (
    75  # longer than the gateway keeps idle connections, so that it never meets a closed one
)
_MAX_CONNECTIONS = 1_000


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, for there are two of it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then fail readiness, wait for balancers to notice, and drain."""
    configure_logging(settings.log_level)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    provider = configure_tracing()
    service = Service.build(settings)
    tracing = provider is not None
    servers = [
        _server(settings, settings.port, wrap(public_app(service), body_limit=BODY_LIMIT, tracing=tracing)),
        _server(
            settings,
            settings.internal_port,
            wrap(internal_app(service), body_limit=BODY_LIMIT, tracing=tracing),
        ),
    ]
    service.start()
    drain = asyncio.create_task(_drain_on_signal(service, servers))
    try:
        await asyncio.gather(*(server.serve() for server in servers))
    finally:
        drain.cancel()
        await service.close()
        if provider is not None:
            provider.shutdown()
        _log.info("stopped")


def _server(settings: Settings, port: int, app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.shutdown_grace),
        limit_concurrency=_MAX_CONNECTIONS,
    )
    return _Server(config)


async def _drain_on_signal(service: Service, servers: list[uvicorn.Server]) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
    _log.info("draining")
    service.draining = True
    await asyncio.sleep(service.settings.shutdown_delay)
    for server in servers:
        server.should_exit = True
