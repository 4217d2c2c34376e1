"""Which kind of stack a stack file describes, and the settings that it takes.

`python -m infra.environment --schema` writes the JSON Schemas of stack files, for editors.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from infra.settings import Settings
from infra.settings_document import NAMESPACE, SettingsError, read_settings, render_schema, shown
from infra.staging_settings import StagingSettings

_KEY = f"{NAMESPACE}:environment"
_HERE = Path(__file__).parent

MODELS: Mapping[str, type[Settings | StagingSettings]] = MappingProxyType(
    {"production": Settings, "staging": StagingSettings}
)
"""The settings model of each kind of stack."""

SCHEMA_FILES: Mapping[str, Path] = MappingProxyType(
    {"production": _HERE / "settings.schema.json", "staging": _HERE / "settings.staging.schema.json"}
)
"""Where the schema of each kind of stack file is committed."""


def read_stack_settings(config: Mapping[str, str]) -> Settings | StagingSettings:
    """Read a stack's configuration into the settings of its kind.

    Args:
        config: Raw configuration as the engine hands it over.

    Raises:
        SettingsError: It does not say which kind of stack it is, or the settings of that kind are wrong.
    """
    given = config.get(_KEY)
    model = MODELS.get(given or "")
    if model is None:
        said = "missing" if given is None else f"got {shown(given)}"
        raise SettingsError(f"{_KEY}: {said}. It takes: {' or '.join(MODELS)}, the kind of stack")
    return read_settings(model, config)


def write_schemas() -> None:
    """Write the committed schemas anew."""
    for environment, model in MODELS.items():
        SCHEMA_FILES[environment].write_text(render_schema(model), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m infra.environment")
    parser.add_argument("--schema", action="store_true", required=True, help="write the JSON Schemas")
    parser.parse_args()
    write_schemas()
