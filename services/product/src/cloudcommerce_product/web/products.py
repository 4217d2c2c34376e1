"""Routes of products."""

import uuid
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response

from cloudcommerce_product import metrics
from cloudcommerce_product.catalog import schemas
from cloudcommerce_product.catalog.search import SearchQuery, parse
from cloudcommerce_product.fields import json_response, to_json
from cloudcommerce_product.identity import Identity
from cloudcommerce_product.problems import Problem, not_found
from cloudcommerce_product.service import LISTS, Service, product_scope
from cloudcommerce_product.web.access import CONDITIONAL, OPTIONAL, SECURED, admin_of
from cloudcommerce_product.web.conditions import cached_response, required_version, version_etag
from cloudcommerce_product.web.direct import DirectRoute


def router(service: Service) -> APIRouter:
    """The routes below /api/v1/products."""
    routes = APIRouter(prefix="/api/v1/products", tags=["products"])
    _add_search(routes, service)
    _add_reading(routes, service)
    _add_writing(routes, service)
    return routes


def _add_search(routes: APIRouter, service: Service) -> None:
    products, cache = service.products, service.cache
    currency = service.settings.default_currency

    async def search(request: Request) -> Response:
        query, key = parse(request.scope["query_string"], currency)
        identity = await service.authenticator.optional(request.headers)
        metrics.SEARCHES.inc()
        if identity is not None and identity.is_staff:
            page = await products.page(query, from_primary=True)
            return Response(
                page, media_type="application/json", headers={"cache-control": "private, no-store"}
            )
        if query.include_inactive:
            raise Problem(403, "forbidden", "Forbidden", "include_inactive needs the role support or admin.")

        async def load(from_primary: bool) -> bytes:
            return await products.page(query, from_primary=from_primary)

        entry = await cache.get("search", LISTS, key, load)
        if entry is None:
            raise not_found("page")
        return cached_response(request, entry)

    routes.add_api_route(
        "",
        search,
        summary="Search, filter and page products",
        responses={200: {"model": schemas.ProductPage}},
        openapi_extra={**OPTIONAL, "parameters": search_parameters()},
        route_class_override=DirectRoute,
    )


def _add_reading(routes: APIRouter, service: Service) -> None:
    products, cache = service.products, service.cache

    @routes.get(
        "/{product_id}",
        summary="Read a product",
        responses={200: {"model": schemas.Product}, 304: {"description": "Unchanged"}},
        openapi_extra=OPTIONAL,
    )
    async def read(product_id: uuid.UUID, request: Request) -> Response:
        identity = await service.authenticator.optional(request.headers)
        if identity is not None and identity.is_staff:
            product = await products.find(product_id, from_primary=True, staff=True)
            if product is None:
                raise not_found("product")
            return json_response(product, headers={"etag": version_etag(product["version"])})

        async def load(from_primary: bool) -> bytes | None:
            found = await products.find(product_id, from_primary=from_primary, staff=False)
            return None if found is None else to_json(found)

        entry = await cache.get("product", product_scope(product_id), str(product_id), load)
        if entry is None:
            raise not_found("product")
        return cached_response(request, entry, etag=version_etag(orjson.loads(entry.body)["version"]))


def _add_writing(routes: APIRouter, service: Service) -> None:
    admin = Annotated[Identity, Depends(admin_of(service))]
    products, cache = service.products, service.cache

    @routes.post(
        "",
        status_code=201,
        summary="Make a product",
        responses={201: {"model": schemas.Product}},
        openapi_extra=SECURED,
    )
    async def create(body: schemas.NewProduct, _: admin) -> Response:
        product = await products.create(body)
        await cache.invalidate(LISTS)
        headers = {"location": f"/api/v1/products/{product['id']}", "etag": version_etag(product["version"])}
        return json_response(product, 201, headers)

    @routes.patch(
        "/{product_id}",
        summary="Change a product",
        responses={200: {"model": schemas.Product}},
        openapi_extra=CONDITIONAL,
    )
    async def change(
        product_id: uuid.UUID, body: schemas.ProductChange, request: Request, _: admin
    ) -> Response:
        product = await products.change(product_id, required_version(request), body.changes())
        await cache.invalidate(product_scope(product_id), LISTS)
        return json_response(product, headers={"etag": version_etag(product["version"])})

    @routes.delete(
        "/{product_id}",
        status_code=204,
        summary="Take a product out of the catalog",
        openapi_extra=CONDITIONAL,
    )
    async def delete(product_id: uuid.UUID, request: Request, _: admin) -> Response:
        await products.delete(product_id, required_version(request))
        await cache.invalidate(product_scope(product_id), LISTS)
        return Response(status_code=204)


def search_parameters() -> list[dict[str, Any]]:
    """The parameters of a search for the API description, from the model that checks them."""
    model = SearchQuery.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": _parameter_schema(schema, model["$defs"]),
            **({"description": schema["description"]} if "description" in schema else {}),
        }
        for name, schema in model["properties"].items()
    ]


def _parameter_schema(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    # A query string knows no null: a parameter is there or not.
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind = definitions[kinds[0]["$ref"].rsplit("/", 1)[1]] if "$ref" in kinds[0] else kinds[0]
    return {key: value for key, value in kind.items() if key not in {"description", "title"}}
