"""Mirrors that are built from charts' sources, without downloading anything."""

import shutil
from pathlib import Path

import pytest
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.mirror import Mirror
from cloudcommerce_sandbox.errors import SandboxError

from sandbox.tests.charts.examples import EXAMPLES

pytestmark = [pytest.mark.mission_M70]


def test_a_chart_brings_what_it_depends_on(helm: Helm, mirror: Mirror) -> None:
    chart = mirror.find(helm, "shop", "1.2.3")
    assert chart is not None
    assert "shop-cache" in helm.run("template", "shop", *chart.arguments)


def test_a_dependency_of_a_remote_repository_comes_from_the_mirror(helm: Helm, tmp_path: Path) -> None:
    source = tmp_path / "source" / "shop"
    shutil.copytree(EXAMPLES / "shop", source)
    metadata = source / "Chart.yaml"
    metadata.write_text(metadata.read_text().replace("file://../cache", "https://charts.example"))
    (tmp_path / "mirror").mkdir()
    mirror = Mirror(str(tmp_path / "mirror"))
    with pytest.raises(SandboxError, match=r"depends on chart cache 0.1.0; .* has none"):
        mirror.add(helm, source)
    mirror.add(helm, EXAMPLES / "cache")
    made = mirror.add(helm, source, "2.0.0")
    assert "shop-cache" in helm.run("template", "shop", *made.arguments)


def test_versions_are_told_apart(helm: Helm, tmp_path: Path) -> None:
    mirror = Mirror(str(tmp_path))
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1"):
        mirror.add(helm, EXAMPLES / "cache", version)
    newest, exact = mirror.find(helm, "cache", ""), mirror.find(helm, "cache", "v1.9.0")
    assert newest is not None
    assert exact is not None
    assert (newest.version, exact.version) == ("2.0.0-rc.1", "1.9.0")
    assert mirror.find(helm, "cache", "1.9.1") is None
    assert mirror.find(helm, "cach", "") is None


def test_a_mirror_that_is_nowhere_is_an_error_with_the_way_out() -> None:
    with pytest.raises(SandboxError, match="neither a folder nor an oci:// address"):
        Mirror("/nowhere/at/all")


def test_a_folder_without_a_chart_is_an_error(helm: Helm, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="is no chart"):
        Mirror(str(tmp_path)).add(helm, tmp_path)
