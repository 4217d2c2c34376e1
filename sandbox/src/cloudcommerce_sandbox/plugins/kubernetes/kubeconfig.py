"""Kubeconfigs as people hand them over: a path, several paths, YAML, JSON or an object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cloudcommerce_sandbox.plugins.kubernetes.errors import UnreachableError

_LISTS = ("clusters", "contexts", "users")


def load(given: Any) -> dict[str, Any]:
    """Return the kubeconfig as one object, with relative file names made absolute.

    Args:
        given: Its contents (text or object), its path, or several paths joined as in `KUBECONFIG`; nothing
            means the environment's `KUBECONFIG`, then `~/.kube/config`.

    Raises:
        UnreachableError: It can't be read or is no kubeconfig.
    """
    if isinstance(given, Mapping):
        return _valid(dict(given), "the given kubeconfig")
    text = str(given or os.environ.get("KUBECONFIG") or Path("~/.kube/config"))
    paths = [Path(part).expanduser() for part in text.split(os.pathsep) if part]
    if any(_is_file(path) for path in paths):
        return _merge([_read(path) for path in paths if _is_file(path)])
    if "\n" not in text and "{" not in text:
        message = f"there is no kubeconfig {text!r}; set kubernetes:kubeconfig or KUBECONFIG"
        raise UnreachableError(message)
    return _valid(_parse(text, "the given kubeconfig"), "the given kubeconfig")


def active_cluster(config: Mapping[str, Any], context: str = "", cluster: str = "") -> dict[str, Any] | None:
    """Return the cluster entry that a context leads to; None when there is none."""
    chosen = entry(config, "contexts", context or str(config.get("current-context") or ""))
    if chosen is None:
        return None
    return entry(config, "clusters", cluster or str(chosen.get("cluster") or ""))


def entry(config: Mapping[str, Any], section: str, name: str) -> dict[str, Any] | None:
    """Return a named cluster, context or user."""
    singular = section.removesuffix("s")
    for item in config.get(section) or ():
        if item.get("name") == name:
            return dict(item.get(singular) or {})
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # contents are too long for a file name
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        config = _valid(_parse(path.read_text(), str(path)), str(path))
    except (OSError, UnicodeDecodeError) as error:
        message = f"the kubeconfig {path} can't be read: {error}"
        raise UnreachableError(message) from error
    return _absolute(config, path.resolve().parent)


def _parse(text: str, label: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        # The parser's message may quote a line, and a kubeconfig holds credentials.
        message = f"{label} is neither YAML nor JSON"
        raise UnreachableError(message) from error


def _valid(config: Any, label: str) -> dict[str, Any]:
    if not isinstance(config, dict) or not all(isinstance(config.get(name) or [], list) for name in _LISTS):
        message = f"{label} is no kubeconfig: it must have lists of clusters, contexts and users"
        raise UnreachableError(message)
    return config


def _absolute(config: dict[str, Any], base: Path) -> dict[str, Any]:
    for section, keys in (
        ("clusters", ("certificate-authority",)),
        ("users", ("client-certificate", "client-key", "tokenFile")),
    ):
        for item in config.get(section) or ():
            body = item.get(section.removesuffix("s")) or {}
            for key in keys:
                if body.get(key):
                    body[key] = str(base / body[key])
    return config


def _merge(configs: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge as kubectl does: the first file to name something wins."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": ""}
    for config in configs:
        merged["current-context"] = merged["current-context"] or config.get("current-context") or ""
        for section in _LISTS:
            known = merged.setdefault(section, [])
            names = {item.get("name") for item in known}
            known.extend(item for item in config.get(section) or () if item.get("name") not in names)
    return merged
