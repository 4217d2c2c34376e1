"""Search: from a query string to one SQL statement that an index answers."""

import hashlib
import re
import uuid
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import count, islice
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSQUERY, asyncpg

from cloudcommerce_product.catalog.cursors import Position
from cloudcommerce_product.database.tables import Category, Product, StockLevel
from cloudcommerce_product.fields import MAX_MINOR, Currency, Printable, to_json
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
FIELDS = tuple(column.name for column in COLUMNS)
_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]


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

    @cached_property
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a search makes its SQL; the values apart. Searches of one shape share a prepared statement.

    Attributes:
        order: What sorts the page.
        parameters: The names of its values.
        attributes: How many values each attribute may have, attribute by attribute.
        in_stock: Whether a product must be in stock.
        include_inactive: Whether inactive products count.
    """

    order: Sort
    parameters: frozenset[str]
    attributes: tuple[int, ...]
    in_stock: bool
    include_inactive: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A page's SQL as PostgreSQL gets it, and the names of its parameters $1, $2, … in their order."""

    sql: str
    parameters: tuple[str, ...]


def prepare(query: SearchQuery, after: Position | None) -> tuple[str, tuple[Any, ...]]:
    """The SQL of one page and its parameters.

    It fetches one row more than the page has, which tells whether another page follows. The columns are
    those of a product (`FIELDS`) and, last, what the page is sorted by.
    """
    values, attributes = _values(query, after)
    shape = Shape(query.order, frozenset(values), attributes, query.in_stock, query.include_inactive)
    compiled = _compiled(shape)
    return compiled.sql, tuple(map(values.__getitem__, compiled.parameters))


def _values(query: SearchQuery, after: Position | None) -> tuple[dict[str, Any], tuple[int, ...]]:
    words, begun = _words(query)
    wanted: dict[str, list[str]] = defaultdict(list)
    for attribute in query.attribute:
        name, _, value = attribute.partition(":")
        wanted[name].append(value)
    values: dict[str, Any] = {
        "words": words,
        "begun": begun,
        "category_id": query.category_id and [query.category_id],
        "currency": query.currency,
        "min_price": query.min_price_minor,
        "max_price": query.max_price_minor,
        "after_id": after and after.id,
        "after_value": after and after.value,
        "rows": query.limit + 1,
    }
    documents = [to_json({name: value}).decode() for name, all_ in wanted.items() for value in all_]
    values |= {f"attribute_{number}": document for number, document in enumerate(documents)}
    present = {name: value for name, value in values.items() if value is not None}
    return present, tuple(len(all_) for all_ in wanted.values())


def _words(query: SearchQuery) -> tuple[str | None, str | None]:
    """What must be there as web search engines read it, and the beginning of a word."""
    if query.q is None or not query.prefix:
        return query.q, None
    # Only the letters of the begun word reach to_tsquery, whose own syntax knows no other quoting.
    *whole, begun = re.findall(r"\w+", query.q) or [""]
    return " ".join(whole) or None, f"{begun}:*" if begun else ""


@lru_cache(maxsize=512)
def _compiled(shape: Shape) -> Statement:
    compiled = statement(shape).compile(dialect=_DIALECT)
    return Statement(compiled.string, tuple(compiled.positiontup or ()))


def statement(shape: Shape) -> Select[Any]:
    """The statement of a shape, its values still open."""
    key, descending = _sort_key(shape)
    chosen = select(*COLUMNS, key.label("sort_value")).where(*_conditions(shape))
    if "after_id" in shape.parameters:
        chosen = chosen.where(_beyond(key, shape, descending=descending))
    id_order = _P.id.desc() if descending else _P.id.asc()
    rows = bindparam("rows", type_=BigInteger)
    if shape.order is Sort.NEWEST:
        return chosen.order_by(id_order).limit(rows)
    return chosen.order_by(key.desc() if descending else key.asc(), id_order).limit(rows)


def _sort_key(shape: Shape) -> tuple[ColumnElement[Any], bool]:
    match shape.order:
        case Sort.RELEVANCE:
            # 1: a long text does not win by length alone. float8, so that the cursor holds it exactly.
            return cast(func.ts_rank_cd(_P.search, _text_query(shape), literal_column("1")), Double), True
        case Sort.NEWEST:
            # UUIDv7 grows with time: the primary key is the order of creation.
            return literal_column("null"), True
        case Sort.NAME:
            return _P.name_sort, False
        case order:
            return _P.price_minor, order is Sort.PRICE_DESC


def _beyond(key: ColumnElement[Any], shape: Shape, *, descending: bool) -> ColumnElement[bool]:
    after_id = bindparam("after_id", type_=Uuid())
    if shape.order is Sort.NEWEST:
        return _P.id < after_id
    row, last = tuple_(key, _P.id), tuple_(bindparam("after_value", type_=key.type), after_id)
    return row < last if descending else row > last


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_P.deleted_at.is_(None)]
    if not shape.include_inactive:
        # Not IS TRUE: the planner would not see that the partial indexes fit.
        conditions.append(_P.active)
    if shape.parameters & {"words", "begun"}:
        conditions.append(_P.search.bool_op("@@")(_text_query(shape)))
    below = select(_C.id).where(_C.path.contains(bindparam("category_id", type_=ARRAY(Uuid()))))
    by_parameter = {
        "category_id": _P.category_id.in_(below),
        "currency": _P.currency == bindparam("currency", type_=Text()),
        "min_price": _P.price_minor >= bindparam("min_price", type_=BigInteger()),
        "max_price": _P.price_minor <= bindparam("max_price", type_=BigInteger()),
    }
    conditions += [condition for name, condition in by_parameter.items() if name in shape.parameters]
    if shape.in_stock:
        conditions.append(exists().where(_S.product_id == _P.id, _S.on_hand > _S.reserved))
    return conditions + _attribute_conditions(shape.attributes)


def _attribute_conditions(attributes: tuple[int, ...]) -> list[ColumnElement[bool]]:
    numbers = count()
    return [
        or_(
            *(
                _P.attributes.bool_op("@>")(cast(bindparam(f"attribute_{number}", type_=Text()), JSONB))
                for number in islice(numbers, values)
            )
        )
        for values in attributes
    ]


def _text_query(shape: Shape) -> ColumnElement[Any]:
    words = func.websearch_to_tsquery(_ENGLISH, bindparam("words", type_=Text()), type_=TSQUERY)
    begun = func.to_tsquery(_ENGLISH, bindparam("begun", type_=Text()), type_=TSQUERY)
    if "begun" not in shape.parameters:
        return words
    return words.op("&&", return_type=TSQUERY())(begun) if "words" in shape.parameters else begun


def _digest(query: SearchQuery) -> str:
    return hashlib.blake2b(query.model_dump_json().encode(), digest_size=16).hexdigest()
