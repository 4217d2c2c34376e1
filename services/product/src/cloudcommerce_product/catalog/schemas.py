"""What the catalog's requests and answers look like."""

import uuid
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from cloudcommerce_product.fields import (
    Answer,
    Attributes,
    Body,
    Currency,
    Line,
    Minor,
    Paragraphs,
    Sku,
    Timestamps,
)

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]


def _without_defaults(schema: dict[str, Any]) -> None:
    for member in schema["properties"].values():
        member.pop("default", None)


class Change(Body):
    """A partial change: what it does not name stays. The defaults only mark what was not named."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_without_defaults)

    @model_validator(mode="after")
    def _names_something(self) -> "Change":
        if not self.model_fields_set:
            raise ValueError("must name at least one member to change")
        return self

    def changes(self) -> dict[str, Any]:
        """What it names."""
        return self.model_dump(exclude_unset=True)


class NewProduct(Body):
    """A product to be made."""

    sku: Sku
    name: Line
    description: Paragraphs = ""
    price_minor: Minor
    currency: Currency
    category_id: uuid.UUID | None = None
    attributes: Attributes = Field(default_factory=dict)
    active: bool = True


class ProductChange(Change):
    """What may change of a product; `attributes` replaces all of them."""

    sku: Sku = ""
    name: Line = ""
    description: Paragraphs = ""
    price_minor: Minor = 0
    currency: Currency = ""
    category_id: uuid.UUID | None = None
    attributes: Attributes = Field(default_factory=dict)
    active: bool = True


class Product(Timestamps):
    """A product."""

    id: uuid.UUID
    sku: str
    name: str
    description: str
    price_minor: int
    currency: str
    category_id: uuid.UUID | None
    attributes: dict[str, str]
    active: bool
    version: int


class ProductPage(Answer):
    """One page of products."""

    items: list[Product]
    next_cursor: str | None


class NewCategory(Body):
    """A category to be made."""

    slug: Slug
    name: Line
    parent_id: uuid.UUID | None = None


class CategoryChange(Change):
    """What may change of a category; `parent_id` moves it with all below it."""

    slug: Slug = ""
    name: Line = ""
    parent_id: uuid.UUID | None = None


class Category(Timestamps):
    """A category; `path` holds the ids from the root down to itself."""

    id: uuid.UUID
    parent_id: uuid.UUID | None
    path: list[uuid.UUID]
    slug: str
    name: str
    version: int


class CategoryTree(Answer):
    """All categories, parents before their children, siblings by name."""

    items: list[Category]
    next_cursor: None
