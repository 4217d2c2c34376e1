"""What a Kubernetes object is called and says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.provider import ProviderError, Request, Tree

PREFIX: Final = "pulumi.com/"
AUTONAMED: Final = PREFIX + "autonamed"
SKIP_AWAIT: Final = PREFIX + "skipAwait"
WAIT_FOR: Final = PREFIX + "waitFor"
TIMEOUT: Final = PREFIX + "timeoutSeconds"
REPLACE_UNREADY: Final = PREFIX + "replaceUnready"
PATCH_FORCE: Final = PREFIX + "patchForce"
PATCH_MANAGER: Final = PREFIX + "patchFieldManager"
PROPAGATION: Final = PREFIX + "deletionPropagationPolicy"
"""Annotations that steer the provider, as the official one reads them:
https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"""

READ_ONLY: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
"""Metadata that only the server writes:
https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/"""

_COMPONENTS: Final = ("yaml/v2", "helm.sh/v4", "kustomize/v2")
_CORE: Final = "core/"
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_REVISION: Final = "deployment.kubernetes.io/revision"


def type_of(request: Request) -> tuple[str, str]:
    """Return API version and kind that a type token stands for.

    Raises:
        ProviderError: The token is none of a Kubernetes object.
    """
    _, module, kind = request.type.split(":")
    if module in _COMPONENTS:
        raise ProviderError(component_refusal(request.type))
    if module.count("/") != 1:
        message = (
            f"{request.type} is no kind of Kubernetes; tokens have the form kubernetes:GROUP/VERSION:Kind"
        )
        raise ProviderError(message)
    return module.removeprefix(_CORE), kind


def component_refusal(token: str) -> str:
    """Return why a component that renders manifests inside the plugin is refused."""
    return (
        f"{token} is rendered inside the official plugin, which the sandbox's does not do; "
        "use kubernetes.helm.v3.Release for a chart and kubernetes.yaml.ConfigGroup for manifests"
    )


def is_list(kind: str) -> bool:
    """Whether a kind is a list of objects."""
    return kind.endswith("List")


def is_patch(request: Request, inputs: Mapping[str, Any]) -> bool:
    """Whether the resource only owns some fields of an object that somebody else makes."""
    kind = request.type.rpartition(":")[2]
    return kind.endswith("Patch") and inputs.get("kind") != kind


def metadata(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's metadata; empty while unknown."""
    found = value.get("metadata")
    return found if isinstance(found, dict) else {}


def name(value: Mapping[str, Any]) -> str:
    """Return an object's name; empty while unknown."""
    found = metadata(value).get("name")
    return found if isinstance(found, str) else ""


def namespace(value: Mapping[str, Any]) -> str:
    """Return an object's namespace; empty for one without."""
    found = metadata(value).get("namespace")
    return found if isinstance(found, str) else ""


def annotation(value: Mapping[str, Any], key: str) -> str:
    """Return an annotation's text; empty when it is missing or unknown."""
    found = metadata(value).get("annotations")
    text = found.get(key) if isinstance(found, dict) else None
    return text if isinstance(text, str) else ""


def is_true(value: Mapping[str, Any], key: str) -> bool:
    """Whether an annotation says `true`."""
    return annotation(value, key) == "true"


def id_of(value: Mapping[str, Any]) -> str:
    """Return the resource id: `namespace/name`, or the name alone."""
    return f"{namespace(value)}/{name(value)}" if namespace(value) else name(value)


def parse_id(text: str) -> tuple[str, str]:
    """Return namespace and name of a resource id.

    Raises:
        ProviderError: It has another form.
    """
    first, slash, second = text.partition("/")
    if not text or "/" in second or (slash and not (first and second)):
        message = f"{text!r} is no id of a Kubernetes object; it has the form namespace/name, or name alone"
        raise ProviderError(message)
    return (first, second) if slash else ("", first)


def label(value: Mapping[str, Any]) -> str:
    """Return how to speak of an object, for example `Deployment shop/cart`."""
    return f"{value.get('kind')} {id_of(value)}"


def timeout(value: Mapping[str, Any]) -> float:
    """Return the seconds that an annotation gives the object to become ready; 0 without one."""
    text = annotation(value, TIMEOUT)
    return float(text) if text.isdigit() else 0.0


def without_read_only(value: Mapping[str, Any]) -> Tree:
    """Return an object without what the server alone writes."""
    cleaned = {key: item for key, item in value.items() if key != "status"}
    own = {key: item for key, item in metadata(value).items() if key not in READ_ONLY}
    notes = own.get("annotations")
    if isinstance(notes, dict):
        own["annotations"] = {
            key: text for key, text in notes.items() if key not in (_LAST_APPLIED, _REVISION)
        }
        if not own["annotations"]:
            del own["annotations"]
    return {**cleaned, "metadata": own} if "metadata" in value else cleaned
