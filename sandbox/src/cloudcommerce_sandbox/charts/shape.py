"""What a recording keeps of an object: all that the control plane decides by, and none of a chart's texts.

Containers keep names, images, ports, resources, security contexts and mounts; scripts, arguments,
environments, probes and the content of configuration go. Played pods need none of them.
"""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

_CONTAINER_FIELDS: Final = (
    "image", "name", "ports", "resources", "restartPolicy", "securityContext",
    "volumeDevices", "volumeMounts",
)  # fmt: skip
_ANNOTATIONS: Final = (
    "cluster-autoscaler.kubernetes.io/",
    "eks.amazonaws.com/",
    "helm.sh/",
    "kubernetes.io/service-account.name",
    "scheduler.alpha.kubernetes.io/",
    "storageclass.kubernetes.io/",
)
_CONTAINER_LISTS: Final = ("containers", "initContainers")
# The API server checks the content of this type of Secret.
_REGISTRY_LOGIN: Final = "kubernetes.io/dockerconfigjson"
_EMPTY_REGISTRY_LOGIN: Final = "eyJhdXRocyI6e319"  # {"auths":{}}


def shape(rendered: Object) -> Object:
    """Return the shape of a rendered object.

    Args:
        rendered: The object as the chart renders it.
    """
    kept = {key: value for key, value in rendered.items() if key not in ("status", "data", "binaryData")}
    kept |= _content(rendered)
    return dict(_reduced(kept))


def _content(rendered: Object) -> Object:
    """Return the keys of a ConfigMap or Secret, with nothing in them."""
    kind = rendered.get("kind")
    names = {**(rendered.get("data") or {}), **(rendered.get("binaryData") or {})}
    if kind == "ConfigMap" and names:
        return {"data": dict.fromkeys(names, "")}
    if kind == "Secret":
        names |= rendered.get("stringData") or {}
        empty = _EMPTY_REGISTRY_LOGIN if rendered.get("type") == _REGISTRY_LOGIN else ""
        return {"data": dict.fromkeys(names, empty), "stringData": {}}
    return {"data": rendered["data"]} if "data" in rendered and kind != "ConfigMap" else {}


def _reduced(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        if key == "annotations":
            return {name: text for name, text in value.items() if name.startswith(_ANNOTATIONS)}
        return {name: _reduced(item, name) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        if key in _CONTAINER_LISTS:
            return [_container(item) if isinstance(item, dict) else item for item in value]
        return [_reduced(item) for item in value]
    # Text of several lines is a script, a program's configuration or prose; nothing is decided by it.
    return "" if isinstance(value, str) and "\n" in value.strip() else value


def _container(container: Object) -> Object:
    return {name: _reduced(container[name], name) for name in _CONTAINER_FIELDS if name in container}
