"""Between the stack file and a settings model: reading, telling what is wrong, and the schema for editors."""

import difflib
import json
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

NAMESPACE = "cloudcommerce"

Model = TypeVar("Model", bound=BaseModel)
_Location = Sequence[int | str]

# Characters of a wrong value that a message repeats.
_MAX_SHOWN = 100

# What a value has to be, by the type of pydantic's error and with the names that its context has
# (https://docs.pydantic.dev/latest/errors/validation_errors/).
_DEMANDS: Mapping[str, str] = MappingProxyType(
    {
        "model_type": "it has to be a section with keys",
        "dict_type": "it has to be a section with keys",
        "tuple_type": "it has to be a list",
        "bool_type": "it has to be true or false",
        "int_type": "it has to be a whole number, not in quotes",
        "string_type": "it has to be text",
        "string_pattern_mismatch": "it does not have the form of one",
        "literal_error": "it has to be {expected}",
        "too_short": "{min_length} or more are needed, not {actual_length}",
        "greater_than_equal": "it has to be {ge} or more",
        "less_than_equal": "it has to be {le} or less",
    }
)
_TEXTS = ("string_type", "literal_error")


class SettingsError(ValueError):
    """The stack file says something that cannot be; the message lists every key that is wrong."""


def read_settings(model: type[Model], config: Mapping[str, str]) -> Model:
    """Read a stack's configuration into its settings model.

    Args:
        model: The settings model; its fields are the keys of the project's namespace.
        config: Raw configuration as the engine hands it over: values by full key, structured ones as JSON.
            Keys of other namespaces are left alone.

    Returns:
        The validated settings.

    Raises:
        SettingsError: a key is unknown or missing, or a value cannot be.
    """
    document: dict[str, object] = {}
    for key, text in config.items():
        namespace, _, name = key.partition(":")
        if namespace != NAMESPACE:
            continue
        try:
            document[name] = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            # The engine passes plain strings as they are.
            document[name] = text
    try:
        # From JSON, because only there a strict model still takes an array for a tuple.
        return model.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problems = [_describe(model, problem) for problem in _own(model, error.errors())]
    listed = "\n".join(f"  - {problem}" for problem in problems)
    count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    raise SettingsError(f"{count} in the stack's settings:\n{listed}")


def render_schema(model: type[BaseModel]) -> str:
    """The JSON Schema of a stack file whose settings are the given model, for editors.

    Only the keys of the project's own namespace are constrained: the engine and providers have theirs.
    """
    settings = model.model_json_schema()
    keys = {f"{NAMESPACE}:{name}": schema for name, schema in settings["properties"].items()}
    others = {"not": {"pattern": f"^{NAMESPACE}:"}}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Stack file of {NAMESPACE}",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "properties": keys,
                "required": [f"{NAMESPACE}:{name}" for name in settings.get("required", [])],
                "propertyNames": {"anyOf": [{"enum": sorted(keys)}, others]},
            }
        },
        "$defs": settings["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"


def _own(model: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows from another mistake."""
    meant = {
        (*error["loc"][:-1], _closest(error["loc"][-1], _keys(model, error["loc"][:-1])))
        for error in errors
        if error["type"] == "extra_forbidden"
    }
    return [error for error in errors if not (_is_misspelled(error, meant) or _lacks_wrong_items_only(error))]


def _is_misspelled(error: ErrorDetails, meant: Container[_Location]) -> bool:
    return error["type"] == "missing" and error["loc"] in meant


def _lacks_wrong_items_only(error: ErrorDetails) -> bool:
    """Say whether a list is too short only because the items that are wrong themselves were not counted."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _describe(model: type[BaseModel], problem: ErrorDetails) -> str:
    location: _Location = problem["loc"]
    path = _path(location)
    match problem["type"]:
        case "extra_forbidden":
            takes = _keys(model, location[:-1])
            return f"{path}: unknown key{_did_you_mean(location[-1], takes)}; it takes {', '.join(takes)}"
        case "missing":
            return f"{path}: missing{_takes(model, location)}"
        case "value_error":
            return f"{path}: {problem['ctx']['error']}"
        case _:
            return f"{path}: got {shown(problem['input'])}; {_demand(problem)}{_takes(model, location)}"


def _demand(problem: ErrorDetails) -> str:
    given, kind = problem["input"], problem["type"]
    demand = _DEMANDS[kind].format(**problem.get("ctx", {})) if kind in _DEMANDS else problem["msg"]
    # YAML reads 1.35 as a number, and 1.30 as 1.3: only quotes keep it as it is written.
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return f"{demand}: put it in quotes" if is_number and kind in _TEXTS else demand


def shown(value: object) -> str:
    """A wrong value as messages repeat it: quoted, and cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _path(location: _Location) -> str:
    if not location:
        return NAMESPACE
    head, *rest = location
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
    return f"{NAMESPACE}:{head}{''.join(steps)}"


def _did_you_mean(wrong: int | str, known: Sequence[str]) -> str:
    meant = _closest(wrong, known)
    return f", did you mean {meant}" if meant else ""


def _closest(wrong: int | str, known: Sequence[str]) -> str:
    """The known key that is most like the wrong one; "" when none is like it."""
    close = difflib.get_close_matches(str(wrong).lower(), [key.lower() for key in known], n=1)
    return next(key for key in known if key.lower() == close[0]) if close else ""


def _keys(model: type[BaseModel], location: _Location) -> list[str]:
    owner = _model_at(model, location)
    return [field.alias or name for name, field in owner.model_fields.items()] if owner else []


def _takes(model: type[BaseModel], location: _Location) -> str:
    """What the field at a location takes, in the words of its description or of its section."""
    while location and isinstance(location[-1], int):
        location = location[:-1]
    owner = _model_at(model, location[:-1]) if location else None
    field = _field(owner, location[-1]) if owner else None
    if field is None:
        return ""
    section = _as_model(field.annotation)
    described = field.description or (section.__doc__ if section else None)
    return f". It takes: {described}" if described else ""


def _model_at(model: type[BaseModel], location: _Location) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    for step in location:
        field = _field(found, step) if found else None
        found = _as_model(field.annotation) if field else None
    return found


def _field(model: type[BaseModel], alias: int | str) -> FieldInfo | None:
    return next((field for field in model.model_fields.values() if field.alias == alias), None)


def _as_model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
