"""The two applications: the public API and the internal one."""

from fastapi import APIRouter, FastAPI, Response

from cloudcommerce_product import problems
from cloudcommerce_product.service import Service
from cloudcommerce_product.web import categories, health, products, reservations, stock
from cloudcommerce_product.web.openapi import describe

BODY_LIMIT = 64 * 1024


def public_app(service: Service) -> FastAPI:
    """The API of customers and staff, with health and metrics beside it."""
    app = _bare("CloudCommerce product API", "Products, categories, search and stock.")
    for part in (products, stock, categories, health):
        _mount(app, part.router(service))
    return _finished(app, "/openapi.json")


def internal_app(service: Service) -> FastAPI:
    """The API of our own services, on a port of its own that no gateway routes to."""
    app = _bare("CloudCommerce product API, internal", "Reservations of stock, for the order service.")
    _mount(app, reservations.router(service))
    return _finished(app, "/openapi.json")


def _bare(title: str, summary: str) -> FastAPI:
    app = FastAPI(
        title=title, summary=summary, version="1.0.0", openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    problems.install(app)
    return app


def _mount(app: FastAPI, router: APIRouter) -> None:
    # Flat, where include_router would match each request twice: once in the application, once in the router.
    app.router.routes.extend(router.routes)


def _finished(app: FastAPI, path: str) -> FastAPI:
    document = describe(app)

    @app.get(path, include_in_schema=False)
    async def openapi() -> Response:
        return Response(document, media_type="application/json")

    return app
