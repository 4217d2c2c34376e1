"""Routes of the internal API: reservations for the order service."""

import uuid

from fastapi import APIRouter, Depends, Response

from cloudcommerce_product.fields import json_response
from cloudcommerce_product.service import Service
from cloudcommerce_product.stock import schemas
from cloudcommerce_product.stock.reservations import Outcome
from cloudcommerce_product.web.access import internal_of


def router(service: Service) -> APIRouter:
    """The routes below /internal/v1/reservations."""
    routes = APIRouter(
        prefix="/internal/v1/reservations",
        tags=["reservations"],
        dependencies=[Depends(internal_of(service))],
        responses={200: {"model": schemas.Reservation}},
    )
    reservations = service.reservations

    @routes.post(
        "",
        status_code=201,
        summary="Hold stock for an order",
        responses={201: {"model": schemas.Reservation}},
    )
    async def reserve(body: schemas.NewReservation) -> Response:
        outcome = await reservations.reserve(body)
        return await answer(outcome, 201 if outcome.created else 200)

    @routes.post("/{order_id}/confirm", summary="Take the held stock: the order is paid")
    async def confirm(order_id: uuid.UUID) -> Response:
        return await answer(await reservations.confirm(order_id))

    @routes.post("/{order_id}/release", summary="Give the stock back")
    async def release(order_id: uuid.UUID) -> Response:
        return await answer(await reservations.release(order_id))

    async def answer(outcome: Outcome, status: int = 200) -> Response:
        if outcome.flipped:
            await service.lists_changed()
        return json_response(outcome.reservation, status)

    return routes
