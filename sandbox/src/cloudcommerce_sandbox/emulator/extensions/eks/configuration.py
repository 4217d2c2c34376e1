"""Reads what callers write as text: configuration values of add-ons and user data of nodes."""

from __future__ import annotations

import base64
import email
import json
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

# The same few texts are read again with each change of a cluster.
_REMEMBERED = 128
_MOST_BRACKETS = 1000
_NODE_CONFIG = "application/node.eks.aws"


@lru_cache(maxsize=_REMEMBERED)
def parse_configuration(text: str | None) -> dict[str, Any]:
    """Returns an add-on's configuration values, which are JSON or YAML; leave them as they are.

    Raises:
        ValueError: the text is neither, holds no object, or holds what JSON cannot say.
    """
    if not text:
        return {}
    _require_flat(text)
    try:
        # A few lines of aliases become gigabytes of JSON.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ValueError("ConfigurationValue uses YAML aliases; write out what they stand for")
        values = yaml.safe_load(text)
        json.dumps(values, allow_nan=False)
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        raise ValueError(f"ConfigurationValue is not in valid JSON or YAML format: {error}") from error
    if values is None or isinstance(values, dict):
        return values or {}
    raise ValueError(f"ConfigurationValue is a {type(values).__name__}; it must be an object")


def is_node_user_data(user_data: str) -> bool:
    """Whether EKS can merge its own part into user data: a MIME multi-part archive, or Bottlerocket's TOML.

    https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html

    Args:
        user_data: in base64.

    Raises:
        ValueError: it is not base64.
    """
    content = _decode(user_data)
    if email.message_from_bytes(content).is_multipart():
        return True
    try:
        return "settings" in tomllib.loads(content.decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError:
        return False


@lru_cache(maxsize=_REMEMBERED)
def max_pods(user_data: str | None) -> int | None:
    """Returns the kubelet's `maxPods` in user data, or None where it says nothing of it.

    It is in nodeadm's NodeConfig, plain or in parts of a MIME archive of which a later one wins, or in
    Bottlerocket's settings: https://awslabs.github.io/amazon-eks-ami/nodeadm/ and
    https://bottlerocket.dev/en/os/latest/#/api/settings/kubernetes/

    Args:
        user_data: in base64.

    Raises:
        ValueError: it cannot be read.
    """
    if not user_data:
        return None
    found = None
    for text in _node_configs(_decode(user_data)):
        value = _max_pods_in(text)
        found = value if value is not None else found
    return found


def _decode(user_data: str) -> bytes:
    try:
        return base64.b64decode(user_data, validate=True)
    except ValueError as error:
        raise ValueError(f"User data is not in base64: {error}") from error


def _node_configs(content: bytes) -> Iterator[str]:
    message = email.message_from_bytes(content)
    if not message.is_multipart():
        yield content.decode("utf-8", "replace")
        return
    for part in message.walk():
        if part.get_content_type() == _NODE_CONFIG:
            payload = part.get_payload(decode=True)
            yield payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _max_pods_in(text: str) -> int | None:
    if text.lstrip().startswith("#!"):
        return None
    _require_flat(text)
    try:
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, RecursionError):
        return _bottlerocket_max_pods(text)
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "NodeConfig":
            return _kubelet_max_pods(document)
    return _bottlerocket_max_pods(text)


def _kubelet_max_pods(document: dict[str, Any]) -> int | None:
    kubelet = (document.get("spec") or {}).get("kubelet") or {}
    for flag in kubelet.get("flags") or ():
        name, _, value = str(flag).partition("=")
        if name == "--max-pods":
            return _number(value)
    wanted = (kubelet.get("config") or {}).get("maxPods")
    return None if wanted is None else _number(wanted)


def _bottlerocket_max_pods(text: str) -> int | None:
    try:
        settings = tomllib.loads(text).get("settings", {})
    except tomllib.TOMLDecodeError:
        return None
    value = settings.get("kubernetes", {}).get("max-pods") if isinstance(settings, dict) else None
    return None if value is None else _number(value)


def _require_flat(text: str) -> None:
    # The YAML parser's time grows with the square of the nesting.
    if text.count("[") + text.count("{") > _MOST_BRACKETS:
        raise ValueError(f"the text opens more than {_MOST_BRACKETS} lists and objects")


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"maxPods is {value!r}; it must be a number") from error
