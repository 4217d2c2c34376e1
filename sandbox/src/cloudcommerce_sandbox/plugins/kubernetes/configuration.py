"""The provider's configuration, from its arguments and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.provider import Failure

_FLAGS: Final = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "suppressHelmHookWarnings": "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
}
"""https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/"""

_TEXTS: Final = ("context", "cluster", "namespace", "clusterIdentifier")
_OTHERS: Final = ("kubeconfig", "kubeClientSettings", "helmReleaseSettings", "strictMode", "alwaysRender")
_REFUSED: Final = {
    "renderYamlToDirectory": "the sandbox's kubernetes plugin applies objects to a cluster; "
    "rendering them to files takes the official plugin",
}
_INTERNAL: Final = ("version", "pluginDownloadURL")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The provider's arguments.

    Attributes:
        kubeconfig: Contents, object or path; empty: from the environment.
        context: Context of the kubeconfig; empty: the current one.
        cluster: Cluster of the kubeconfig in the place of the context's.
        namespace: Where objects go that name no namespace.
        delete_unreachable: Drop from the state what can't be asked for.
        skip_update_unreachable: Leave alone what can't be asked for.
        force: Take fields from other managers.
        upsert: A create may take over an object that is there.
        config_map_mutable: A change of a ConfigMap's data is an update, not a replacement.
        secret_mutable: The same for Secrets.
        suppress_deprecation_warnings: Do not warn of deprecated versions.
        helm: Settings of Helm releases, as given.
    """

    kubeconfig: Any = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    force: bool = False
    upsert: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    suppress_deprecation_warnings: bool = False
    helm: Mapping[str, Any] | None = None


def check(inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what is wrong with the arguments."""
    known = {*_FLAGS, *_TEXTS, *_OTHERS, *_REFUSED, *_INTERNAL}
    failures = [
        Failure(name, f"is no argument of the kubernetes provider; it takes {', '.join(sorted(known))}")
        for name in inputs
        if name not in known and not name.startswith("__")
    ]
    given = {name: value for name, value in inputs.items() if value not in (None, "", wire.UNKNOWN)}
    failures += [Failure(name, reason) for name, reason in _REFUSED.items() if name in given]
    if _flag(given, "enableServerSideApply", default=True) is False:
        failures.append(
            Failure(
                "enableServerSideApply",
                "the sandbox's kubernetes plugin has server-side apply only; leave it on",
            )
        )
    return failures


def read(inputs: Mapping[str, Any]) -> Settings:
    """Return the settings; arguments win over the environment."""
    given = {name: value for name, value in wire.reveal(dict(inputs)).items() if value is not None}
    return Settings(
        kubeconfig=given.get("kubeconfig") or "",
        context=str(given.get("context") or ""),
        cluster=str(given.get("cluster") or ""),
        namespace=str(given.get("namespace") or ""),
        delete_unreachable=_flag(given, "deleteUnreachable"),
        skip_update_unreachable=_flag(given, "skipUpdateUnreachable"),
        force=_flag(given, "enablePatchForce"),
        upsert=_flag(given, "upsertExistingObjects"),
        config_map_mutable=_flag(given, "enableConfigMapMutable"),
        secret_mutable=_flag(given, "enableSecretMutable"),
        suppress_deprecation_warnings=_flag(given, "suppressDeprecationWarnings"),
        helm=given.get("helmReleaseSettings"),
    )


def _flag(given: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = given.get(name)
    if value is None:
        value = os.environ.get(_FLAGS[name], default)
    return value is True or str(value).lower() == "true"
