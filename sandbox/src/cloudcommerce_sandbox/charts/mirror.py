"""Where charts come from: a folder, an OCI registry, or each release's own repository."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cloudcommerce_sandbox.charts.helm import Helm, HelmError
from cloudcommerce_sandbox.errors import SandboxError

VARIABLE: Final = "CLOUDCOMMERCE_CHARTS"
"""A folder of charts, an `oci://` registry, or `repositories` for each release's own; unset: recordings."""

REPOSITORIES: Final = "repositories"
NOWHERE: Final = "nowhere"
"""Nothing is looked for: for the preview that tells which releases are to be recorded."""

_OCI: Final = "oci://"
_METADATA: Final = "Chart.yaml"
_ARCHIVE: Final = re.compile(r"^(?P<name>.+?)-(?P<version>v?\d+\.\d+\.\d+[^/]*)\.tgz$")
_ABSENT: Final = re.compile(r"not found|no such|404|name unknown|manifest unknown", re.IGNORECASE)


@dataclass(frozen=True)
class Chart:
    """A chart that Helm can install.

    Attributes:
        name: Its name.
        version: Its exact version.
        arguments: How Helm's command line names it.
    """

    name: str
    version: str
    arguments: tuple[str, ...]


class Mirror:
    """A folder or an OCI registry with charts.

    Args:
        location: The folder, or `oci://host/path`.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        if not location.startswith(_OCI) and not Path(location).is_dir():
            raise SandboxError(
                f"The chart mirror {location!r} is neither a folder nor an oci:// address.",
                f"Correct {VARIABLE}, or make one: `cloudcommerce-sandbox charts mirror DIR CHART_SOURCE…`.",
            )

    @property
    def _folder(self) -> Path:
        return Path(self.location).resolve()

    def find(self, helm: Helm, name: str, version: str) -> Chart | None:
        """Return a chart, or None when the mirror does not have it at that version.

        Args:
            helm: The command; a registry is asked through it.
            name: The chart's name.
            version: Its exact version; empty: the newest there is.

        Raises:
            HelmError: The registry can't be asked.
        """
        if self.location.startswith(_OCI):
            return self._in_registry(helm, name, version)
        found = [
            chart
            for chart in self.charts()
            if chart.name == name and (not version or same_version(chart.version, version))
        ]
        return max(found, key=lambda chart: _order(chart.version), default=None)

    def charts(self) -> list[Chart]:
        """Return the charts of a folder: archives, and folders with a `Chart.yaml`."""
        archives = [
            Chart(match["name"], match["version"], (str(path),))
            for path in sorted(self._folder.glob("*.tgz"))
            if (match := _ARCHIVE.match(path.name))
        ]
        return archives + [unpacked(path.parent) for path in sorted(self._folder.glob(f"*/{_METADATA}"))]

    def add(self, helm: Helm, source: Path, version: str = "") -> Chart:
        """Package a chart from its source folder; nothing is downloaded.

        Charts that it depends on come from its `charts/` folder, from the local folders that it names, or
        from this mirror.

        Args:
            helm: The command.
            source: The folder with its `Chart.yaml`.
            version: The version to give it, where the release process stamps one; empty: its own.

        Returns:
            The chart in the mirror.

        Raises:
            SandboxError: It is no chart, or one that it depends on is nowhere.
            HelmError: Helm can't package it.
        """
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / source.resolve().name
            metadata = _metadata(source)
            shutil.copytree(source, copy)
            (copy / "Chart.lock").unlink(missing_ok=True)
            for dependency in metadata.get("dependencies") or ():
                self._vendor(helm, dependency, source, copy / "charts")
            stamp = ["--version", version] if version else []
            helm.run("package", str(copy), "--destination", str(self._folder), *stamp)
        name, made = str(metadata["name"]), version or str(metadata["version"])
        return Chart(name, made, (str(self._folder / f"{name}-{made}.tgz"),))

    def _vendor(self, helm: Helm, dependency: Mapping[str, Any], source: Path, charts: Path) -> None:
        name, wanted = str(dependency["name"]), str(dependency.get("version", ""))
        if (charts / name / _METADATA).is_file() or list(charts.glob(f"{name}-*.tgz")):
            return
        charts.mkdir(exist_ok=True)
        repository = str(dependency.get("repository", ""))
        if repository.startswith("file://"):
            beside = Mirror(str(charts))
            beside.add(helm, source / repository.removeprefix("file://"))
            return
        held = [chart for chart in self.charts() if chart.name == name]
        fitting = [chart for chart in held if chart.version == wanted] or held
        if len(fitting) != 1:
            has = ", ".join(chart.version for chart in held) or "none"
            raise SandboxError(
                f"{source} depends on chart {name} {wanted}; {self.location} has {has}.",
                f"Add one fitting version first: `cloudcommerce-sandbox charts mirror {self.location} …`.",
            )
        archive = Path(fitting[0].arguments[0])
        if archive.is_dir():
            shutil.copytree(archive, charts / name)
        else:
            shutil.copy(archive, charts)

    def _in_registry(self, helm: Helm, name: str, version: str) -> Chart | None:
        reference = f"{self.location.rstrip('/')}/{name}"
        arguments = (reference, *(("--version", version) if version else ()))
        try:
            metadata = yaml.safe_load(helm.run("show", "chart", *arguments))
        except HelmError as error:
            if _ABSENT.search(str(error)):
                return None
            raise
        found = str(metadata["version"])
        return Chart(name, found, (reference, "--version", found))


def configured(environment: Mapping[str, str] = os.environ) -> str:
    """Return where the user wants charts to come from; empty: recordings only."""
    return environment.get(VARIABLE, "").strip()


def unpacked(folder: Path) -> Chart:
    """Return the chart in a folder.

    Raises:
        SandboxError: There is none.
    """
    metadata = _metadata(folder)
    return Chart(str(metadata["name"]), str(metadata["version"]), (str(folder.resolve()),))


def packaged(archive: Path, helm: Helm) -> Chart:
    """Return the chart in an archive.

    Raises:
        HelmError: It is none.
    """
    metadata = yaml.safe_load(helm.run("show", "chart", str(archive)))
    return Chart(str(metadata["name"]), str(metadata["version"]), (str(archive.resolve()),))


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        metadata = yaml.safe_load((folder / _METADATA).read_text())
        return {**metadata, "name": metadata["name"], "version": metadata["version"]}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise SandboxError(
            f"{folder} is no chart ({error}).", f"A chart's folder has a {_METADATA} with name and version."
        ) from error


def same_version(one: str, other: str) -> bool:
    """Whether two versions are one; some charts write a `v` before theirs."""
    return one.removeprefix("v") == other.removeprefix("v")


def _order(version: str) -> tuple[tuple[int, ...], int, str]:
    """Return a key by which versions sort: a pre-release before its release."""
    core, _, suffix = version.removeprefix("v").partition("+")[0].partition("-")
    return tuple(int(part) for part in core.split(".") if part.isdigit()), int(not suffix), suffix
