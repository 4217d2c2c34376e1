import asyncio
import os
import signal
import socket
import sys
import uuid

import asyncpg
import httpx

from cloudcommerce_product.settings import Settings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_sigterm_fails_readiness_finishes_requests_and_ends_cleanly(
    database_url: str, redis_url: str, settings: Settings
) -> None:
    port, internal_port = _free_port(), _free_port()
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "INTERNAL_PORT": str(internal_port),
        "JWKS_URL": "http://127.0.0.1:1/jwks",
        "SHUTDOWN_DELAY": "1",
        "CURSOR_SECRET": "c" * 32,
        "INTERNAL_API_TOKEN": settings.internal_api_token.get_secret_value(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cloudcommerce_product",
        "serve",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(timeout=20) as client:
        for _ in range(300):
            try:
                ready = await client.get(f"{base}/readyz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        assert ready.status_code == 200
        assert (await client.get(f"{base}/api/v1/products")).status_code == 200
        assert (await client.get(f"{base}/internal/v1/reservations")).status_code == 404
        token = {"authorization": f"Bearer {settings.internal_api_token.get_secret_value()}"}
        released = await client.post(
            f"http://127.0.0.1:{internal_port}/internal/v1/reservations/{uuid.uuid4()}/release", headers=token
        )
        assert released.status_code == 404
        assert "http_server_request_duration_seconds_bucket" in (await client.get(f"{base}/metrics")).text
        connection = await asyncpg.connect(database_url)
        blocker = connection.transaction()
        await blocker.start()
        await connection.execute("lock products in access exclusive mode")
        slow = asyncio.create_task(client.get(f"{base}/api/v1/products/{uuid.uuid4()}"))
        await asyncio.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        assert (await client.get(f"{base}/readyz")).status_code == 503
        await asyncio.sleep(1)
        await blocker.rollback()
        assert (await slow).status_code == 404, "the request under way was answered"
        await connection.close()
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert all(line.startswith(b"{") for line in output.splitlines())


async def test_a_wrong_configuration_ends_the_process_with_its_name() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cloudcommerce_product",
        "serve",
        env={"PATH": os.environ["PATH"]},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"DATABASE_URL: " in errors
    assert b"Traceback" not in errors
