"""One control plane for the tests that do not harm it."""

from collections.abc import Iterator

import pytest
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane

from sandbox.tests.control_planes import api_of, control_plane


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that is shared: tests leave it running and clean up after themselves.

    Mark them with `pytest.mark.xdist_group("kubernetes")`, so that there is one of it.
    """
    with control_plane(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def api(plane: ControlPlane) -> Iterator[ClusterApi]:
    """The shared control plane, as controllers see it."""
    made = api_of(plane)
    yield made
    made.close()
