"""The floor of search from cache: the same framework and middleware, and the same bytes from memory.

python -m bench.floor FILE PORT
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response

from cloudcommerce_product.telemetry import configure_logging
from cloudcommerce_product.web.apps import BODY_LIMIT
from cloudcommerce_product.web.middleware import wrap


def main(file: str, port: str) -> None:
    """Serve the file's bytes on the path of the search."""
    configure_logging("info")
    body = Path(file).read_bytes()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/api/v1/products")
    async def search(_: Request) -> Response:
        return Response(body, media_type="application/json")

    uvicorn.run(
        wrap(app, body_limit=BODY_LIMIT), host="127.0.0.1", port=int(port), http="httptools", loop="uvloop",
        access_log=False, log_config=None, server_header=False,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
