"""Reads what callers write as text: configuration values of add-ons and user data of nodes."""

from __future__ import annotations

import base64
import email
import json
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

# The same few texts are read again with each change of a cluster.
_REMEMBERED = 128
_MOST_BRACKETS = 1000
_NODE_CONFIG = "application/node.eks.aws"
_MIB = 1024**2
_BYTES = {"": 1, "Ki": 1024, "Mi": _MIB, "Gi": 1024**3}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|)")


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


@lru_cache(maxsize=_REMEMBERED)
def reserved_memory_mib(user_data: str | None) -> int | None:
    """Returns the memory that a NodeConfig has the kubelet reserve, in MiB; None leaves it to nodeadm.

    Args:
        user_data: in base64.

    Raises:
        ValueError: it cannot be read.
    """
    found = None
    for text in _node_configs(_decode(user_data)) if user_data else ():
        config = _kubelet(_node_config(text) or {}).get("config") or {}
        value = (config.get("kubeReserved") or {}).get("memory")
        found = _mebibytes(value) if value is not None else found
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
    document = _node_config(text)
    return _bottlerocket_max_pods(text) if document is None else _kubelet_max_pods(document)


def _node_config(text: str) -> dict[str, Any] | None:
    _require_flat(text)
    try:
        documents = list(yaml.safe_load_all(text))
    except (yaml.YAMLError, RecursionError):
        return None
    return next((d for d in documents if isinstance(d, dict) and d.get("kind") == "NodeConfig"), None)


def _kubelet(document: dict[str, Any]) -> dict[str, Any]:
    return (document.get("spec") or {}).get("kubelet") or {}


def _kubelet_max_pods(document: dict[str, Any]) -> int | None:
    kubelet = _kubelet(document)
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


def _mebibytes(value: Any) -> int:
    read = _QUANTITY.fullmatch(str(value))
    if read is None:
        raise ValueError(f"kubeReserved.memory is {value!r}; it must be an amount such as 585Mi")
    return int(float(read[1]) * _BYTES[read[2]]) // _MIB
