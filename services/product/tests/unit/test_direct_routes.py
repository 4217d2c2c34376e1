from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from httpx import ASGITransport, AsyncClient

from cloudcommerce_product import problems
from cloudcommerce_product.web.direct import DirectRoute


def _application(endpoint: Any, **options: Any) -> FastAPI:
    routes = APIRouter(prefix="/things")
    routes.add_api_route("", endpoint, route_class_override=DirectRoute, **options)
    app = FastAPI()
    problems.install(app)
    app.router.routes.extend(routes.routes)
    return app


async def test_the_endpoint_answers_and_its_problems_are_answered() -> None:
    async def endpoint(request: Request) -> Response:
        if "missing" in request.query_params:
            raise problems.not_found("thing")
        return Response(b"found")

    transport = ASGITransport(_application(endpoint))
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/things")).content == b"found"
        refused = await client.get("/things?missing")
        assert (refused.status_code, refused.headers["content-type"]) == (404, problems.MEDIA_TYPE)
        assert (await client.post("/things")).status_code == 405


async def test_parameters_that_nobody_would_give_are_refused_at_once() -> None:
    async def endpoint(request: Request, limit: int) -> Response:
        raise AssertionError(request, limit)

    with pytest.raises(TypeError, match=r"/things: .*limit"):
        _application(endpoint)


async def test_dependencies_that_nobody_would_check_are_refused_at_once() -> None:
    async def admin() -> None: ...

    async def endpoint(request: Request) -> Response:
        raise AssertionError(request)

    with pytest.raises(TypeError, match="/things"):
        _application(endpoint, dependencies=[Depends(admin)])
