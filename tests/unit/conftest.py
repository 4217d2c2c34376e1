"""What every unit test of components, stacks and the program shares."""

from collections.abc import Callable

import pytest

from tests.unit.mock_engine import Deployment
from tests.unit.mock_engine import deploy as run_deployment


@pytest.fixture
def deploy() -> Callable[..., Deployment]:
    """Run a program under the recording engine: `deploy(lambda: Vpc("core", args)).named("core")`."""
    return run_deployment
