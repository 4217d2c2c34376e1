"""The sandbox's own copy of a stack file.

A backend writes its encryption salt into the stack file, and `pulumi config set` changes it; neither may
reach the tracked file. The tracked file's settings must reach the copy, without undoing what was set in the
sandbox only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.workspace.documents import read_mapping, require_text_keys

# What ties a stack file to a backend's way with secrets. The sandbox has its own.
_SECRETS_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")

Settings = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What became of a copy.

    Attributes:
        changed: Settings that came from the tracked file since the last time.
        local: Settings that differ from the tracked file because they were set in the sandbox.
        restored: Settings that were removed in the sandbox and are back, as the tracked file has them.
        encrypted: Settings of the tracked file that only its own backend can decrypt, and that were left out.
    """

    changed: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()


def refresh_copy(tracked: Path, copy: Path) -> Refreshed:
    """Bring the copy of a stack file up to date.

    It is a merge of three: the copy, the tracked file, and the tracked file as it was the last time (kept
    beside the copy). A setting that changed in the tracked file arrives; one that was changed in the sandbox
    only stays, until it is removed there (`pulumi config rm`): then the tracked file's is back.

    Args:
        tracked: The stack file under version control; it may be missing.
        copy: The sandbox's copy; it may be missing or damaged.

    Returns:
        What changed.

    Raises:
        SandboxError: The tracked file is not a stack file.
    """
    base_file = copy.with_name(f".{copy.name}.base")
    theirs = _load(tracked)
    encrypted = tuple(sorted(key for key, value in _config(theirs).items() if _is_encrypted(value)))
    upstream = {key: value for key, value in _config(theirs).items() if key not in encrypted}
    base = _config(_load_or_nothing(base_file))
    ours = _load_or_nothing(copy)

    local = _local_changes(base=base, ours=_config(ours), upstream=upstream)
    restored = sorted(key for key in base if _config(ours) and key not in _config(ours) and key in upstream)

    content = {key: value for key, value in theirs.items() if key not in (*_SECRETS_KEYS, "config")}
    content |= {key: ours[key] for key in _SECRETS_KEYS if key in ours}
    content["config"] = {**upstream, **local}
    write_atomically(copy, yaml.safe_dump(content, sort_keys=False))
    write_atomically(base_file, yaml.safe_dump({"config": upstream}, sort_keys=False))
    changed = tuple(sorted(key for key in {*base, *upstream} if base.get(key) != upstream.get(key)))
    return Refreshed(
        changed=changed, local=tuple(sorted(local)), restored=tuple(restored), encrypted=encrypted
    )


def _local_changes(*, base: Settings, ours: Settings, upstream: Settings) -> Settings:
    """Return what was set in the sandbox and not changed in the tracked file since."""
    return {
        key: value
        for key, value in ours.items()
        if value != base.get(key) and base.get(key) == upstream.get(key)
    }


def _load(path: Path) -> Settings:
    if not path.is_file():
        return {}
    content = read_mapping(path)
    config = content.get("config") or {}
    if not isinstance(config, dict):
        raise SandboxError(
            f"{path} is not a Pulumi stack file.", "It needs a mapping with a `config` mapping in it."
        )
    require_text_keys(path, config)
    return content


def _load_or_nothing(path: Path) -> Settings:
    """Load a file of our own; a damaged one is as good as none, as it is made anew."""
    try:
        return _load(path)
    except SandboxError:
        return {}


def _config(content: Settings) -> Settings:
    return dict(content.get("config") or {})


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_is_encrypted(item) for item in value.values())
    return isinstance(value, list) and any(_is_encrypted(item) for item in value)
