"""From a release's inputs to the options of Helm's commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Tree = Mapping[str, Any]

DEFAULT_TIMEOUT: Final = 300
"""Seconds; https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/#timeout_python"""

_BOTH: Final = {
    "atomic": "--atomic",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "forceUpdate": "--force",
    "renderSubchartNotes": "--render-subchart-notes",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
    "verify": "--verify",
}
_INSTALL: Final = {"disableWebhooks": "--no-hooks", "replace": "--replace"}
_UPGRADE: Final = {
    "cleanupOnFail": "--cleanup-on-fail",
    "disableCRDHooks": "--no-hooks",
    "recreatePods": "--recreate-pods",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}


def install(inputs: Tree, timeout: float) -> list[str]:
    """Return the command of a first installation.

    Args:
        inputs: The release's inputs in plain values.
        timeout: The user's customTimeouts in seconds; 0: none given.
    """
    return ["install", str(inputs["name"]), *_common(inputs, timeout), *_flags(inputs, _INSTALL)]


def upgrade(inputs: Tree, timeout: float) -> list[str]:
    """Return the command of an upgrade; see `install`."""
    history = [] if inputs.get("maxHistory") is None else ["--history-max", str(inputs["maxHistory"])]
    command = ["upgrade", str(inputs["name"]), "--install"]
    return [*command, *_common(inputs, timeout), *_flags(inputs, _UPGRADE), *history]


def dry_run(inputs: Tree) -> list[str]:
    """Return the command of a dry run on the server, which renders and validates but applies nothing."""
    kept = {
        key: inputs.get(key)
        for key in ("createNamespace", "disableOpenapiValidation", "skipCrds", "takeOwnership")
    }
    command = ["upgrade", str(inputs["name"]), "--install"]
    return [*command, "--dry-run=server", "--hide-secret", *_flags(kept, _BOTH)]


def uninstall(inputs: Tree, timeout: float) -> list[str]:
    """Return the options of an uninstallation; see `install`."""
    waits = inputs.get("atomic") or not inputs.get("skipAwait")
    options = ["--wait"] if waits else []
    hooks = ["--no-hooks"] if inputs.get("disableWebhooks") else []
    return [*options, *hooks, "--timeout", _seconds(inputs, timeout), "--ignore-not-found"]


def _common(inputs: Tree, timeout: float) -> list[str]:
    options = [*_flags(inputs, _BOTH), "--timeout", _seconds(inputs, timeout)]
    if not inputs.get("skipAwait"):
        options += ["--wait", *(["--wait-for-jobs"] if inputs.get("waitForJobs") else [])]
    if inputs.get("description"):
        options += ["--description", str(inputs["description"])]
    if inputs.get("verify") and inputs.get("keyring"):
        options += ["--keyring", str(inputs["keyring"])]
    return options


def _flags(inputs: Tree, table: Mapping[str, str]) -> list[str]:
    return [flag for name, flag in table.items() if inputs.get(name) is True]


def _seconds(inputs: Tree, timeout: float) -> str:
    return f"{int(timeout or inputs.get('timeout') or DEFAULT_TIMEOUT)}s"
