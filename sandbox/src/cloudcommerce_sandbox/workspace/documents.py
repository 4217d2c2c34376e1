"""Reading YAML files that people write."""

from pathlib import Path
from typing import Any

import yaml

from cloudcommerce_sandbox.errors import SandboxError

_MAX_BYTES = 2**20
# Far more than settings need, and far less than what Python's stack takes to read and write them.
_MAX_DEPTH = 50


class _PlainLoader(yaml.SafeLoader):
    """Reads documents without aliases: with them, a few lines grow to gigabytes or contain themselves."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = parent.start_mark if parent else None
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (`*name`) are not taken here", mark)
        if self._depth >= _MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {_MAX_DEPTH} levels", mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping.

    Args:
        path: The file.

    Returns:
        The mapping; it is empty when the file is.

    Raises:
        SandboxError: The file is too large, not UTF-8, not YAML, has aliases, or holds something else.
        OSError: It can't be read.
    """
    if (size := path.stat().st_size) > _MAX_BYTES:
        raise SandboxError(f"{path} has {size} bytes; the limit is {_MAX_BYTES}.", "Correct the file.")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _PlainLoader)  # noqa: S506 - a SafeLoader
    # The library's own conversions of a value with an explicit tag fail in any of these ways.
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise SandboxError(f"{path} is not valid YAML: {error}", "Correct the file.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SandboxError(f"{path} holds no mapping but a {type(content).__name__}.", "Correct the file.")
    require_text_keys(path, content)
    return content


def require_text_keys(path: Path, mapping: dict[Any, Any]) -> None:
    """Refuse keys that are not text; YAML reads `1`, `null`, `yes` and `2026-01-01` as something else.

    Args:
        path: The file, for the message.
        mapping: A mapping in it.

    Raises:
        SandboxError: There is such a key.
    """
    for key in mapping:
        if not isinstance(key, str):
            raise SandboxError(f"{path} has the key {key!r}, which is not text.", "Put it in quotes.")
