"""Reading JSON into frozen dataclasses, with the place and the value in each complaint."""

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

_T = TypeVar("_T")
_SHOWN_CHARACTERS = 80


class DocumentError(Exception):
    """A document is not what it should be; the text says where and what."""


def parse(kind: type[_T], value: Any, place: str) -> _T:
    """Read an object of a document.

    A field takes its value from the key of its name in camel case, or from the key in its metadata. One that
    has a default may be missing or null. Keys that no field asks for are left alone.

    Args:
        kind: The dataclass. Its fields are strings, numbers, booleans, literals, mappings with text keys,
            tuples of one type, or dataclasses of this sort.
        value: The decoded JSON.
        place: Where in the document it is.

    Returns:
        The object.

    Raises:
        DocumentError: The document is not what it should be.
    """
    if not isinstance(value, dict):
        raise DocumentError(f"{place} is {_shown(value)}, not an object.")
    hints = typing.get_type_hints(kind)
    given: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # mypy: a TypeVar can't be bound to dataclasses
        key = field.metadata.get("key", _camel(field.name))
        required = field.default is field.default_factory is dataclasses.MISSING
        if value.get(key) is None and not required:
            continue
        given[field.name] = _read(hints[field.name], value.get(key), f"{place}.{key}")
    return kind(**given)


def _read(kind: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _read(next(item for item in arguments if item is not type(None)), value, place)
    if origin is typing.Literal:
        if value not in arguments:
            raise DocumentError(f"{place} is {_shown(value)}, none of {', '.join(arguments)}.")
        return value
    if origin is tuple:
        _require(isinstance(value, list), value, "a list", place)
        return tuple(_read(arguments[0], item, f"{place}[{index}]") for index, item in enumerate(value))
    if origin is Mapping:
        _require(isinstance(value, dict), value, "an object", place)
        return {name: _read(arguments[1], item, f"{place}.{name}") for name, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return parse(typing.cast("type[Any]", kind), value, place)
    # A boolean is an integer to Python.
    _require(kind is Any or type(value) is kind, value, getattr(kind, "__name__", str(kind)), place)
    return value


def _require(well: bool, value: Any, wanted: str, place: str) -> None:
    if not well:
        raise DocumentError(f"{place} is {_shown(value)}, not {wanted}.")


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."
