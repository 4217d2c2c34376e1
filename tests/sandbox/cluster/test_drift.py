"""What somebody does with kubectl to the objects of a stack, and objects that come under Pulumi."""

import json

import pytest

from tests.sandbox.cluster.standing import StackBench, Standing
from tests.sandbox.workbench import steps_of

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M70]

PROGRAM = """
k8s.core.v1.ConfigMap("edited", metadata=meta("edited"), data={"color": "red"}, opts=options())
k8s.core.v1.ConfigMap("deleted", metadata=meta("deleted"), data={"color": "red"}, opts=options())
k8s.core.v1.ConfigMap("steady", metadata=meta("steady"), data={"color": "red"}, opts=options())
deployment("cart")
"""


def test_refresh_sees_what_a_person_did_and_up_puts_it_right(standing: Standing, objects: StackBench) -> None:
    objects.program(PROGRAM)
    objects.must_up()
    here = ("-n", objects.stack)
    standing.kubectl("patch", "configmap", "edited", *here, "-p", json.dumps({"data": {"color": "blue"}}))
    standing.kubectl("delete", "configmap", "deleted", *here)
    standing.kubectl("set", "image", "deployment/cart", *here, "app=evil:1")
    standing.kubectl("label", "deployment", "cart", *here, "example.com/by-hand=1")
    label = ("label", "deployment", "cart", "example.com/theirs=1", "--field-manager=controller")
    standing.kubectl(*label, *here)

    refreshed = objects.engine("refresh", "--skip-preview")
    drifted = objects.state_text()
    repaired = objects.must_up()

    assert refreshed.exit_code == 0
    assert "evil:1" in drifted
    assert "blue" in drifted
    steps = steps_of(repaired)
    assert {name for _, name in steps} == {"edited", "deleted", "cart"}
    assert {("create", "deleted"), ("update", "cart")} <= set(steps)
    assert ("create-replacement", "edited") in steps, "to Pulumi, other data is another ConfigMap"
    assert standing.read("configmap", "edited", *here)["data"] == {"color": "red"}
    assert standing.read("configmap", "deleted", *here)["data"] == {"color": "red"}
    cart = standing.read("deployment", "cart", *here)
    assert cart["spec"]["template"]["spec"]["containers"][0]["image"] == "app:1"
    assert cart["metadata"]["labels"] == {"example.com/theirs": "1"}, "what a controller added is its own"
    assert not objects.must_up("--refresh").progress.changed()


def test_an_object_made_by_hand_comes_under_pulumi_as_it_is(standing: Standing, objects: StackBench) -> None:
    annotations = {"pulumi.com/skipAwait": "true"}  # it has no pods
    made = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": objects.stack, "annotations": annotations},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    standing.kubectl("create", "-f", "-", given=made)
    uid = standing.read("service", "web", "-n", objects.stack)["metadata"]["uid"]
    declared = """
k8s.core.v1.Service(
    "web",
    metadata=meta("web", annotations={"pulumi.com/skipAwait": "true"}),
    spec={"selector": {"app": "web"}, "ports": [{"port": 80, "target_port": 8080}]},
    opts=OPTIONS,
)
"""
    objects.program(declared.replace("OPTIONS", "options(import_=f'{space}/web')"))

    imported = objects.must_up()
    objects.program(declared.replace("OPTIONS", "options()"))
    afterwards = objects.must_up()

    assert ("import", "web") in steps_of(imported)
    assert steps_of(afterwards) == []
    assert objects.resource("web")["outputs"]["metadata"]["uid"] == uid
