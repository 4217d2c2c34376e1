"""Search: from a query string to one SQL statement that an index answers."""

import hashlib
import re
import uuid
from collections import defaultdict
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSQUERY

from cloudcommerce_product.catalog.cursors import Position
from cloudcommerce_product.database.tables import Category, Product, StockLevel
from cloudcommerce_product.fields import MAX_MINOR, Currency, Printable
from cloudcommerce_product.problems import pointers, validation

_MAX_FIELDS = 40
_ENGLISH: ColumnElement[Any] = literal_column("'english'::regconfig")

# The tables, not the mapped classes: these cost a third more for each statement.
_P = Product.__table__.c
_C = Category.__table__.c
_S = StockLevel.__table__.c

COLUMNS = (
    _P.id,
    _P.sku,
    _P.name,
    _P.description,
    _P.price_minor,
    _P.currency,
    _P.category_id,
    _P.attributes,
    _P.active,
    _P.version,
    _P.created_at,
    _P.updated_at,
)


class Sort(StrEnum):
    """The orders that a page can have; each is total, for the id breaks ties."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    PRICE_DESC = "-price"
    NAME = "name"


class SearchQuery(BaseModel):
    """What a client may ask for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Printable]
        | None
    ) = Field(None, description='Words to find; "quotes", or and - as web search engines read them.')
    prefix: bool = Field(False, description="Whether the last word of q may be only begun.")
    category_id: uuid.UUID | None = Field(None, description="A category, with all below it.")
    min_price_minor: Annotated[int, Field(ge=0, le=MAX_MINOR)] | None = None
    max_price_minor: Annotated[int, Field(ge=0, le=MAX_MINOR)] | None = None
    currency: Currency | None = Field(
        None, description="Prices of which currency; the shop's own where prices filter or sort."
    )
    in_stock: bool = Field(False, description="Only what can be ordered now.")
    attribute: tuple[
        Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}:[^\x00]{1,200}$"), Printable], ...
    ] = Field((), max_length=20, description="name:value; one name twice means either value.")
    sort: Sort | None = Field(None, description="Relevance where q is given, otherwise newest.")
    include_inactive: bool = Field(False, description="For staff: what customers do not see, too.")
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        None, description="next_cursor of the page before."
    )

    @model_validator(mode="after")
    def _consistent(self) -> "SearchQuery":
        if self.sort is Sort.RELEVANCE and self.q is None:
            raise ValueError("sort=relevance needs q")
        if self.prefix and self.q is None:
            raise ValueError("prefix needs q")
        low, high = self.min_price_minor, self.max_price_minor
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_price_minor {low} is above max_price_minor {high}")
        return self

    @property
    def order(self) -> Sort:
        """The order that the page has."""
        return self.sort or (Sort.RELEVANCE if self.q else Sort.NEWEST)

    @property
    def concerns_prices(self) -> bool:
        """Whether amounts are compared, which needs one currency."""
        asks = self.min_price_minor is not None or self.max_price_minor is not None
        return asks or self.order in {Sort.PRICE, Sort.PRICE_DESC}

    @property
    def fingerprint(self) -> str:
        """What all pages of one search share."""
        return _digest(self.model_copy(update={"cursor": None, "limit": 0}))

    @property
    def cache_key(self) -> str:
        """What tells this page from all others."""
        return _digest(self)


@lru_cache(maxsize=4096)
def parse(query_string: bytes, default_currency: str) -> tuple[SearchQuery, str]:
    """Read a query string; clients repeat theirs, so that most are read once.

    Returns:
        The query, complete with its currency, and its cache key.

    Raises:
        Problem: 422 naming each wrong parameter.
    """
    values: dict[str, Any] = {}
    repeated = defaultdict(list)
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise validation(
            [{"pointer": "/", "detail": f"not a query string of up to {_MAX_FIELDS} fields"}]
        ) from None
    for name, value in pairs:
        if name in values:
            raise validation([{"pointer": f"/{name}"[:100], "detail": "given twice"}])
        if name == "attribute":
            repeated[name].append(value)
        else:
            values[name] = value
    try:
        query = SearchQuery.model_validate(
            values | {name: tuple(sorted(all_)) for name, all_ in repeated.items()}
        )
    except ValidationError as error:
        raise validation(pointers([dict(problem) for problem in error.errors()])) from None
    if query.currency is None and query.concerns_prices:
        query = query.model_copy(update={"currency": default_currency})
    return query, query.cache_key


def statement(query: SearchQuery, after: Position | None) -> Select[Any]:
    """The statement for one page and one row more, which tells whether another page follows.

    The columns are those of a product and, last, what the page is sorted by (`sort_value`).
    """
    key, descending = _sort_key(query)
    chosen = select(*COLUMNS, key.label("sort_value")).where(*_conditions(query))
    if after is not None:
        chosen = chosen.where(_beyond(key, query, after, descending=descending))
    id_order = _P.id.desc() if descending else _P.id.asc()
    if query.order is Sort.NEWEST:
        return chosen.order_by(id_order).limit(query.limit + 1)
    return chosen.order_by(key.desc() if descending else key.asc(), id_order).limit(query.limit + 1)


def _sort_key(query: SearchQuery) -> tuple[ColumnElement[Any], bool]:
    match query.order:
        case Sort.RELEVANCE:
            # 1: a long text does not win by length alone. float8, so that the cursor holds it exactly.
            return cast(func.ts_rank_cd(_P.search, _text_query(query), 1), Double), True
        case Sort.NEWEST:
            # UUIDv7 grows with time: the primary key is the order of creation.
            return literal_column("null"), True
        case Sort.NAME:
            return _P.name_sort, False
        case order:
            return _P.price_minor, order is Sort.PRICE_DESC


def _beyond(
    key: ColumnElement[Any], query: SearchQuery, after: Position, *, descending: bool
) -> ColumnElement[bool]:
    if query.order is Sort.NEWEST:
        return _P.id < after.id
    row = tuple_(key, _P.id)
    last = tuple_(literal(after.value, key.type), literal(after.id, Uuid()))
    return row < last if descending else row > last


def _conditions(query: SearchQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_P.deleted_at.is_(None)]
    if not query.include_inactive:
        # Not IS TRUE: the planner would not see that the partial indexes fit.
        conditions.append(_P.active)
    if query.q:
        conditions.append(_P.search.bool_op("@@")(_text_query(query)))
    if query.category_id:
        below = select(_C.id).where(_C.path.contains(cast([query.category_id], ARRAY(Uuid()))))
        conditions.append(_P.category_id.in_(below))
    if query.currency:
        conditions.append(_P.currency == query.currency)
    if query.min_price_minor is not None:
        conditions.append(_P.price_minor >= query.min_price_minor)
    if query.max_price_minor is not None:
        conditions.append(_P.price_minor <= query.max_price_minor)
    if query.in_stock:
        conditions.append(exists().where(_S.product_id == _P.id, _S.on_hand > _S.reserved))
    return conditions + _attribute_conditions(query.attribute)


def _attribute_conditions(attributes: tuple[str, ...]) -> list[ColumnElement[bool]]:
    wanted: dict[str, list[str]] = defaultdict(list)
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        wanted[name].append(value)
    return [
        or_(*(_P.attributes.bool_op("@>")(literal({name: value}, JSONB)) for value in values))
        for name, values in wanted.items()
    ]


def _text_query(query: SearchQuery) -> ColumnElement[Any]:
    words = query.q or ""
    if not query.prefix:
        return func.websearch_to_tsquery(_ENGLISH, bindparam("q", words, Text), type_=TSQUERY)
    # Only the letters of the begun word reach to_tsquery, whose own syntax knows no other quoting.
    *whole, begun = re.findall(r"\w+", words) or [""]
    beginning = func.to_tsquery(
        _ENGLISH, bindparam("begun", f"{begun}:*" if begun else "", Text), type_=TSQUERY
    )
    if not whole:
        return beginning
    head = func.websearch_to_tsquery(_ENGLISH, bindparam("q", " ".join(whole), Text), type_=TSQUERY)
    return head.op("&&", return_type=TSQUERY())(beginning)


def _digest(query: SearchQuery) -> str:
    return hashlib.blake2b(query.model_dump_json().encode(), digest_size=16).hexdigest()
