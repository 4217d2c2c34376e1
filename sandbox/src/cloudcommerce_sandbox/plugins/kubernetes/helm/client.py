"""Helm against the provider's cluster: one method an operation on a release."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cloudcommerce_sandbox.charts.helm import Helm, HelmError, Tell
from cloudcommerce_sandbox.charts.mirror import Chart
from cloudcommerce_sandbox.charts.rendering import objects_of
from cloudcommerce_sandbox.kubernetes.commands import NODE_LABEL
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster

Values = Mapping[str, Any]

_ABSENT: Final = "release: not found"
_PENDING: Final = "pending-"
_VARIABLES: Final = {
    "driver": "HELM_DRIVER",
    "pluginsPath": "HELM_PLUGINS",
    "registryConfigPath": "HELM_REGISTRY_CONFIG",
    "repositoryConfigPath": "HELM_REPOSITORY_CONFIG",
    "repositoryCache": "HELM_REPOSITORY_CACHE",
}
"""https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/#helmreleasesettings"""

WITHOUT_CALLBACKS: Final = (
    "--post-renderer", sys.executable,
    "--post-renderer-args", "-m", "--post-renderer-args", "cloudcommerce_sandbox.charts.playable",
)  # fmt: skip
"""Options that leave out what no played pod answers. A post-renderer is one executable and its arguments."""


class HelmClient:
    """Runs Helm on releases of one cluster.

    Args:
        helm: The command.
        cluster: The cluster.
    """

    def __init__(self, helm: Helm, cluster: Cluster) -> None:
        self._helm = helm
        self._cluster = cluster

    def metadata(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return chart, version, revision and status of a release; None when there is none.

        Raises:
            HelmError: Helm can't tell.
        """
        try:
            return dict(json.loads(self._run("get", "metadata", name, "-o", "json", namespace=namespace)))
        except HelmError as error:
            if _ABSENT in str(error):
                return None
            raise

    def objects(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """Return the objects of a release as Helm made them."""
        return objects_of(self._run("get", "manifest", name, namespace=namespace))

    def values(self, namespace: str, name: str) -> dict[str, Any]:
        """Return the values that the user gave to a release."""
        return dict(json.loads(self._run("get", "values", name, "-o", "json", namespace=namespace)) or {})

    def deploy(
        self, command: Sequence[str], namespace: str, chart: Chart, values: Values, tell: Tell | None = None
    ) -> None:
        """Install a chart, or bring a release to a chart and values.

        Args:
            command: `install` or `upgrade` with the release's name and options.
            namespace: The release's namespace.
            chart: The chart.
            values: All values.
            tell: Takes what Helm waits for.

        Raises:
            HelmError: It failed; the release may be there nevertheless.
        """
        left_out = WITHOUT_CALLBACKS if self.has_played_nodes() else ()
        self._run(
            *command, *chart.arguments, *left_out, "--values", "-",
            namespace=namespace, stdin=json.dumps(values), tell=tell,
        )  # fmt: skip

    def lint(self, chart: Chart, values: Values) -> None:
        """Examine a chart on this machine.

        Raises:
            HelmError: It is malformed.
        """
        self._run("lint", chart.arguments[0], "--values", "-", stdin=json.dumps(values))

    def uninstall(self, namespace: str, name: str, options: Sequence[str], tell: Tell | None = None) -> None:
        """Take a release away; that it is gone already is no failure.

        Raises:
            HelmError: It failed.
        """
        self._run("uninstall", name, *options, namespace=namespace, tell=tell)

    def recover(self, namespace: str, name: str, found: Mapping[str, Any]) -> bool:
        """Free a release from an operation that was killed; Helm itself would wait for its end forever.

        A first installation is taken away, so that the next one begins anew. Of an upgrade, the revision
        goes, and the next upgrade continues from the one before it.

        Args:
            namespace: The release's namespace.
            name: The release's name.
            found: Its metadata.

        Returns:
            Whether there was anything to do.

        Raises:
            HelmError: The remains of an installation can't be taken away.
        """
        status, revision = str(found.get("status")), int(found.get("revision") or 0)
        if not status.startswith(_PENDING):
            return False
        if status == "pending-install":
            self.uninstall(namespace, name, ["--no-hooks", "--wait", "--ignore-not-found"])
            return True
        kind = "ConfigMap" if (self._cluster.settings.helm or {}).get("driver") == "configmap" else "Secret"
        self._cluster.delete("v1", kind, namespace, f"sh.helm.release.v1.{name}.v{revision}")
        return True

    def has_played_nodes(self) -> bool:
        """Whether the cluster's pods are played by kwok, so that nothing answers in them."""
        nodes = self._cluster.find_all("v1", "Node")
        return not nodes or bool(self._cluster.find_all("v1", "Node", labels=NODE_LABEL))

    def _run(self, *arguments: str, namespace: str = "", stdin: str = "", tell: Tell | None = None) -> str:
        placed = ["--namespace", namespace] if namespace else []
        with self._environment() as environment:
            return self._helm.run(*arguments, *placed, stdin=stdin, environment=environment, tell=tell)

    @contextmanager
    def _environment(self) -> Iterator[dict[str, str]]:
        given = self._cluster.settings.helm or {}
        settings = {variable: str(given[key]) for key, variable in _VARIABLES.items() if given.get(key)}
        with tempfile.TemporaryDirectory(prefix="kubeconfig-") as folder:  # only its owner may enter it
            path = Path(folder) / "config"
            path.write_text(json.dumps(self._config()))
            yield {**settings, "KUBECONFIG": str(path)}

    def _config(self) -> dict[str, Any]:
        config, settings = dict(self._cluster.kubeconfig), self._cluster.settings
        if settings.context:
            config["current-context"] = settings.context
        if settings.cluster:
            config["contexts"] = [
                {**item, "context": {**(item.get("context") or {}), "cluster": settings.cluster}}
                if item.get("name") == config.get("current-context")
                else item
                for item in config.get("contexts") or ()
            ]
        return config
