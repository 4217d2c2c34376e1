"""What every section of the settings is, in production and in staging."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Section(BaseModel):
    """A section: immutable, strict in types, and closed to keys that it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, validate_default=True
    )


def unique(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list that names something twice.

    Raises:
        ValueError: It does; the message says what.
    """
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} listed more than once: list each once")
    return values
