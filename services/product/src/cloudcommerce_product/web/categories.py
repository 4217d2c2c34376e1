"""Routes of categories."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from cloudcommerce_product.catalog import schemas
from cloudcommerce_product.fields import json_response
from cloudcommerce_product.identity import Identity
from cloudcommerce_product.problems import not_found
from cloudcommerce_product.service import CATEGORIES, LISTS, Service
from cloudcommerce_product.web.access import CONDITIONAL, OPTIONAL, SECURED, admin_of
from cloudcommerce_product.web.conditions import cached_response, required_version, version_etag


def router(service: Service) -> APIRouter:
    """The routes below /api/v1/categories."""
    routes = APIRouter(prefix="/api/v1/categories", tags=["categories"])
    admin = Annotated[Identity, Depends(admin_of(service))]
    categories, cache = service.categories, service.cache

    @routes.get(
        "",
        summary="Read the whole tree",
        responses={200: {"model": schemas.CategoryTree}, 304: {"description": "Unchanged"}},
        openapi_extra=OPTIONAL,
    )
    async def tree(request: Request) -> Response:
        identity = await service.authenticator.optional(request.headers)
        if identity is not None and identity.is_staff:
            body = await categories.tree(from_primary=True)
            return Response(
                body, media_type="application/json", headers={"cache-control": "private, no-store"}
            )

        async def load(from_primary: bool) -> bytes:
            return await categories.tree(from_primary=from_primary)

        entry = await cache.get("categories", CATEGORIES, "tree", load)
        if entry is None:
            raise not_found("tree")
        return cached_response(request, entry)

    @routes.post(
        "",
        status_code=201,
        summary="Make a category",
        responses={201: {"model": schemas.Category}},
        openapi_extra=SECURED,
    )
    async def create(body: schemas.NewCategory, _: admin) -> Response:
        category = await categories.create(body)
        await cache.invalidate(CATEGORIES)
        headers = {
            "location": f"/api/v1/categories/{category['id']}",
            "etag": version_etag(category["version"]),
        }
        return json_response(category, 201, headers)

    @routes.get(
        "/{category_id}",
        summary="Read a category",
        responses={200: {"model": schemas.Category}},
        openapi_extra=OPTIONAL,
    )
    async def read(category_id: uuid.UUID, request: Request) -> Response:
        identity = await service.authenticator.optional(request.headers)
        staff = identity is not None and identity.is_staff
        category = await categories.find(category_id, from_primary=staff)
        if category is None:
            raise not_found("category")
        return json_response(category, headers={"etag": version_etag(category["version"])})

    @routes.patch(
        "/{category_id}",
        summary="Rename or move a category",
        responses={200: {"model": schemas.Category}},
        openapi_extra=CONDITIONAL,
    )
    async def change(
        category_id: uuid.UUID, body: schemas.CategoryChange, request: Request, _: admin
    ) -> Response:
        category = await categories.change(category_id, required_version(request), body.changes())
        await cache.invalidate(CATEGORIES, LISTS)
        return json_response(category, headers={"etag": version_etag(category["version"])})

    @routes.delete(
        "/{category_id}", status_code=204, summary="Delete an empty category", openapi_extra=CONDITIONAL
    )
    async def delete(category_id: uuid.UUID, request: Request, _: admin) -> Response:
        await categories.delete(category_id, required_version(request))
        await cache.invalidate(CATEGORIES)
        return Response(status_code=204)

    return routes
