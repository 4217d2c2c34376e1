"""Charts from a repository of Helm's and from an OCI registry: a release's own ones, and a mirror."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.inventory import Recordings
from cloudcommerce_sandbox.charts.mirror import REPOSITORIES, Chart, Mirror
from cloudcommerce_sandbox.plugins.kubernetes.helm.sources import Sources
from cloudcommerce_sandbox.plugins.provider import ProviderError

from sandbox.tests.plugins.kubernetes.helm.chart_server import PASSWORD, USER, ChartServer, serving

pytestmark = [pytest.mark.mission_M70, pytest.mark.xdist_group("kubernetes-plugin")]

LOGIN = {"username": USER, "password": PASSWORD}


@pytest.fixture
def server(shop: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChartServer]:
    with serving(Path(shop.arguments[0]), "shop", "1.2.3", tmp_path / "certificates") as running:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        yield running


@pytest.fixture
def trusting(helm: Helm, server: ChartServer) -> Helm:
    return Helm(helm.executable, {**helm.environment, "SSL_CERT_FILE": str(server.authority)})


@pytest.fixture
def command_lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    start = subprocess.Popen.__init__

    def spy(self: Any, arguments: Any, *more: Any, **options: Any) -> None:
        seen.append(f"{arguments} {options.get('env')}")
        start(self, arguments, *more, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    return seen


def opened(helm: Helm, inputs: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Return the version that is found for a release, and the name of the chart that comes."""
    sources = Sources(helm, REPOSITORIES, Recordings(folder))
    found = sources.find({"name": "shop", "namespace": "default", **inputs}, {})
    with sources.opened(found, {"name": "shop", "namespace": "default", **inputs}) as chart:
        told = helm.run("show", "chart", *chart.arguments)
    return found.version, next(line for line in told.splitlines() if line.startswith("name: "))


@pytest.mark.parametrize("version", ["1.2.3", ""])
@pytest.mark.parametrize("form", ["repository", "oci"])
def test_a_chart_comes_from_the_release_s_own_repository(
    *, form: str, version: str, trusting: Helm, server: ChartServer, tmp_path: Path, command_lines: list[str]
) -> None:
    if form == "oci":
        inputs = {"chart": f"oci://{server.host}/charts/shop", "repositoryOpts": LOGIN}
    else:
        options = {"repo": f"https://{server.host}/repository", "caFile": str(server.authority), **LOGIN}
        inputs = {"chart": "shop", "repositoryOpts": options}
    assert opened(trusting, {**inputs, "version": version}, tmp_path) == ("1.2.3", "name: shop")
    assert command_lines
    assert not any(PASSWORD in line for line in command_lines)


@pytest.mark.parametrize("form", ["repository", "oci"])
def test_a_wrong_password_is_told_without_it(
    form: str, trusting: Helm, server: ChartServer, tmp_path: Path
) -> None:
    login = {"username": USER, "password": "wrong-77"}
    inputs: dict[str, Any] = {"chart": f"oci://{server.host}/charts/shop", "repositoryOpts": login}
    if form == "repository":
        inputs = {"chart": "shop", "repositoryOpts": {"repo": f"https://{server.host}/repository", **login}}
    with pytest.raises(ProviderError, match=r"(?i)401|unauthorized") as caught:
        opened(trusting, inputs, tmp_path)
    assert "wrong-77" not in str(caught.value)


def test_a_registry_is_a_mirror(trusting: Helm, server: ChartServer) -> None:
    trusting.run("registry", "login", server.host, "--username", USER, "--password-stdin", stdin=PASSWORD)
    mirror = Mirror(f"oci://{server.host}/charts")
    found = mirror.find(trusting, "shop", "1.2.3")
    assert found is not None
    assert found.version == "1.2.3"
    assert "kind: Deployment" in trusting.run("template", "shop", *found.arguments)
    assert mirror.find(trusting, "shop", "9.9.9") is None
    assert mirror.find(trusting, "nothing", "1.2.3") is None
