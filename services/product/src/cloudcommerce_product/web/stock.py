"""Routes of stock levels."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from cloudcommerce_product.fields import json_response
from cloudcommerce_product.identity import Identity
from cloudcommerce_product.problems import not_found
from cloudcommerce_product.service import Service
from cloudcommerce_product.stock import schemas
from cloudcommerce_product.web.access import OPTIONAL, SECURED, admin_of


def router(service: Service) -> APIRouter:
    """The routes of a product's stock."""
    routes = APIRouter(prefix="/api/v1/products/{product_id}/stock", tags=["stock"])
    admin = Annotated[Identity, Depends(admin_of(service))]
    levels = service.levels
    stock: dict[int | str, dict[str, Any]] = {200: {"model": schemas.Stock}}

    @routes.get("", summary="Read how much there is", responses=stock, openapi_extra=OPTIONAL)
    async def read(product_id: uuid.UUID, request: Request) -> Response:
        identity = await service.authenticator.optional(request.headers)
        staff = identity is not None and identity.is_staff
        level = await levels.find(product_id, from_primary=staff, staff=staff)
        if level is None:
            raise not_found("product")
        return json_response(level)

    @routes.put("", summary="Set what was counted", responses=stock, openapi_extra=SECURED)
    async def count(product_id: uuid.UUID, body: schemas.StockCount, staff: admin) -> Response:
        level, flipped = await levels.count(product_id, body.on_hand, body.reason, staff.subject)
        return await answer(level, flipped=flipped)

    @routes.post("", summary="Add units or take them away", responses=stock, openapi_extra=SECURED)
    async def adjust(product_id: uuid.UUID, body: schemas.StockAdjustment, staff: admin) -> Response:
        level, flipped = await levels.adjust(product_id, body.delta, body.reason, staff.subject)
        return await answer(level, flipped=flipped)

    async def answer(level: dict[str, Any], *, flipped: bool) -> Response:
        if flipped:
            await service.lists_changed()
        return json_response(level)

    return routes
