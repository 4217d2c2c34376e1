"""Where the chart of a release comes from: a path, the user's mirror, its own repository, or a recording."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cloudcommerce_sandbox.charts import mirror, standin
from cloudcommerce_sandbox.charts.declared import chart_name, missing, stale
from cloudcommerce_sandbox.charts.helm import Helm, HelmError
from cloudcommerce_sandbox.charts.inventory import Inventory, Recordings
from cloudcommerce_sandbox.charts.mirror import Chart
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.plugins.provider import ProviderError

_OCI = "oci://"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A release's chart, found but not fetched.

    Attributes:
        version: Its exact version.
        chart: The chart, where Helm can read it as it is.
        inventory: The recording that stands in for it.
        repository: The `repositoryOpts` to pull it with.
        warning: What the user has to know about it.
    """

    version: str
    chart: Chart | None = None
    inventory: Inventory | None = None
    repository: Mapping[str, Any] | None = None
    warning: str = ""


class Sources:
    """Finds charts.

    Args:
        helm: The command.
        location: The user's choice (`charts.mirror.VARIABLE`).
        recordings: The recordings.
    """

    def __init__(self, helm: Helm, location: str, recordings: Recordings) -> None:
        self._helm = helm
        self._location = location
        self._recordings = recordings

    def find(self, inputs: Mapping[str, Any], values: Mapping[str, Any]) -> Source:
        """Find the chart of a release.

        Args:
            inputs: The release's inputs in plain values.
            values: Its merged values as the engine has them, for the recordings.

        Raises:
            ProviderError: It is nowhere.
        """
        try:
            return self._find(inputs, values)
        except (HelmError, SandboxError, ValueError) as error:
            raise ProviderError(str(error)) from error

    @contextmanager
    def opened(self, source: Source, inputs: Mapping[str, Any]) -> Iterator[Chart]:
        """Bring the chart to where Helm can read it.

        Args:
            source: The chart.
            inputs: The release's inputs in plain values.

        Raises:
            ProviderError: It can't be had.
        """
        if source.chart is not None:
            yield source.chart
            return
        with tempfile.TemporaryDirectory(prefix="chart-") as folder:
            try:
                yield self._fetched(source, inputs, Path(folder))
            except SandboxError as error:
                raise ProviderError(str(error)) from error

    def _find(self, inputs: Mapping[str, Any], values: Mapping[str, Any]) -> Source:
        wanted, version = str(inputs["chart"]), str(inputs.get("version") or "")
        options = inputs.get("repositoryOpts") or {}
        local = Path(wanted)
        if local.is_file():
            chart = mirror.packaged(local, self._helm)
            return Source(version=chart.version, chart=chart)
        if (local / "Chart.yaml").is_file():
            chart = mirror.unpacked(local)
            return Source(version=chart.version, chart=chart)
        if self._location == mirror.NOWHERE:
            return Source(version=version)
        if self._location == mirror.REPOSITORIES:
            return Source(version=self._published(wanted, version, options), repository=options)
        if self._location:
            found = mirror.Mirror(self._location).find(self._helm, chart_name(wanted), version)
            if found is not None:
                return Source(version=found.version, chart=found)
        return self._recorded(chart_name(wanted), version, str(inputs["name"]), values)

    def _recorded(self, name: str, version: str, release: str, values: Mapping[str, Any]) -> Source:
        match = self._recordings.find(name, version, release, dict(values))
        if match is None:
            elsewhere = f" The mirror {self._location} does not have it either." if self._location else ""
            raise ProviderError(missing(release, name, version, self._recordings) + elsewhere)
        warning = stale(release, name, version, match.differences) if match.differences else ""
        return Source(version=version, inventory=match.inventory, warning=warning)

    def _published(self, wanted: str, version: str, options: Mapping[str, Any]) -> str:
        with _access(self._helm, wanted, options) as (reference, environment):
            pin = ["--version", version] if version else []
            told = self._helm.run("show", "chart", reference, *pin, environment=environment)
        return str(yaml.safe_load(told)["version"])

    def _fetched(self, source: Source, inputs: Mapping[str, Any], folder: Path) -> Chart:
        if source.inventory is not None:
            release, namespace = str(inputs["name"]), str(inputs["namespace"])
            return standin.write(source.inventory, folder, release=release, namespace=namespace)
        wanted = str(inputs["chart"])
        try:
            with _access(self._helm, wanted, source.repository or {}) as (reference, environment):
                self._helm.run(
                    "pull", reference, "--version", source.version, "--destination", str(folder),
                    environment=environment,
                )  # fmt: skip
        except HelmError as error:
            raise ProviderError(str(error)) from error
        archive = next(folder.glob("*.tgz"))
        return Chart(chart_name(wanted), source.version, (str(archive),))


@contextmanager
def _access(helm: Helm, wanted: str, options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield how Helm names a chart of a repository, and the variables by which it gets in.

    Credentials go into files that only their owner reads and that end with the call, never on a command line.
    """
    with tempfile.TemporaryDirectory(prefix="helm-") as folder:
        if wanted.startswith(_OCI) or str(options.get("repo") or "").startswith(_OCI):
            reference = wanted if wanted.startswith(_OCI) else f"{options['repo'].rstrip('/')}/{wanted}"
            yield reference, _logged_in(helm, reference, options, Path(folder))
        elif options.get("repo"):
            entry = {
                "name": "release",
                "url": options["repo"],
                **{
                    name: options[name]
                    for name in ("username", "password", "caFile", "certFile", "keyFile")
                    if options.get(name)
                },
            }
            config = Path(folder) / "repositories.yaml"
            config.touch(mode=0o600)
            config.write_text(yaml.safe_dump({"apiVersion": "", "repositories": [entry]}))
            environment = {
                "HELM_REPOSITORY_CONFIG": str(config),
                "HELM_REPOSITORY_CACHE": str(Path(folder) / "cache"),
            }
            _update(helm, environment)
            yield f"release/{wanted}", environment
        else:
            yield wanted, {}  # `repository/chart` of the user's own Helm configuration


def _update(helm: Helm, environment: Mapping[str, str]) -> None:
    try:
        helm.run("repo", "update", "--fail-on-repo-update-fail", environment=environment)
    except HelmError as error:
        # Why it failed, Helm prints among its progress.
        message = f"{error}: {' '.join(error.output.split())}"
        raise HelmError(message) from error


def _logged_in(helm: Helm, reference: str, options: Mapping[str, Any], folder: Path) -> dict[str, str]:
    if not options.get("password"):
        return {}
    environment = {"HELM_REGISTRY_CONFIG": str(folder / "registry.json")}
    host = reference.removeprefix(_OCI).partition("/")[0]
    helm.run(
        "registry", "login", host, "--username", str(options.get("username") or ""), "--password-stdin",
        stdin=str(options["password"]), environment=environment,
    )  # fmt: skip
    return environment
