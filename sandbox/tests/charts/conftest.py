"""Helm, and a mirror with the example charts in it."""

import pytest
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.mirror import Chart, Mirror

from sandbox.tests.charts.examples import EXAMPLES
from sandbox.tests.control_planes import tools


@pytest.fixture(scope="session")
def helm() -> Helm:
    return Helm(tools() / "helm")


@pytest.fixture(scope="session")
def mirror(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    folder = tmp_path_factory.mktemp("mirror")
    made = Mirror(str(folder))
    made.add(helm, EXAMPLES / "shop")
    return made


@pytest.fixture(scope="session")
def shop(helm: Helm, mirror: Mirror) -> Chart:
    found = mirror.find(helm, "shop", "1.2.3")
    assert found is not None
    return found
