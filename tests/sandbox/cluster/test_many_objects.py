"""Five hundred objects in one stack."""

import sys

import pytest

from tests.sandbox.cluster.standing import StackBench, Standing
from tests.sandbox.workbench import steps_of

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M70]

COUNT = 500
# What a busy machine of two cores may take; a quiet one takes a third.
MOST_SECONDS = 120
PROGRAM = f"""
for number in range({COUNT}):
    k8s.core.v1.ConfigMap(
        f"thing-{{number}}", metadata=meta(f"thing-{{number}}"), data={{"n": str(number)}}, opts=options()
    )
"""


def test_five_hundred_objects(standing: Standing, objects: StackBench) -> None:
    objects.program(PROGRAM)

    first = objects.must_up()
    second = objects.must_up()

    sys.stdout.write(f"{COUNT} objects: {first.seconds:.1f} s, unchanged {second.seconds:.1f} s\n")
    assert steps_of(second) == []
    assert second.progress.done["unchanged"] >= COUNT
    names = standing.kubectl("get", "configmap", "-n", objects.stack, "-o", "name").split()
    assert {f"configmap/thing-{number}" for number in range(COUNT)} <= set(names)
    assert first.seconds < MOST_SECONDS
    assert second.seconds < first.seconds
