"""Every Helm release of the stacks can be stood in for in the sandbox by a recording that fits its values."""

from collections.abc import Callable

import pytest
from cloudcommerce_sandbox.charts.declared import RELEASE, declared, problems
from cloudcommerce_sandbox.charts.inventory import Recordings

from tests.unit.mock_engine import Deployment
from tests.unit.stacks import program


@pytest.mark.mission_M70
@pytest.mark.parametrize("stack", [program.production, program.staging])
def test_no_recording_is_missing_or_stale(stack: Callable[..., Deployment]) -> None:
    releases = [declared(item.name, item.inputs) for item in stack(preview=True).all(RELEASE)]
    assert list(problems(releases, Recordings())) == []
