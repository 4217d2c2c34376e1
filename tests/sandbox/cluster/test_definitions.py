"""Resources of a kind that the same update brings, or takes away."""

import pytest

from tests.sandbox.cluster.standing import StackBench, Standing
from tests.sandbox.workbench import steps_of

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M70]

ORDERS = """
k8s.apiextensions.CustomResource(
    "first",
    api_version="example.com/v1",
    kind="Order",
    metadata=meta("first"),
    spec={"items": 3},
    opts=options(),
)
"""
DEFINITION = """
k8s.apiextensions.v1.CustomResourceDefinition(
    "orders",
    metadata={"name": "orders.example.com"},
    spec={
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "orders", "singular": "order", "kind": "Order"},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "schema": {"open_apiv3_schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {"items": {"type": "integer", "minimum": 1}}}
            }}},
        }],
    },
    opts=options(),
)
"""


def test_kinds_come_and_go_with_the_resources_of_theirs(standing: Standing, objects: StackBench) -> None:
    """The resource is declared first and does not depend on the definition, whose removal takes it along."""
    objects.program(ORDERS + DEFINITION)
    promised = objects.preview()
    objects.must_up()
    assert [step["op"] for step in promised["steps"] if "::first" in step["urn"]] == ["create"]
    assert standing.read("orders.example.com", "first", "-n", objects.stack)["spec"] == {"items": 3}
    assert steps_of(objects.must_up()) == []

    objects.program(ORDERS.replace("3", "0") + DEFINITION)
    refused = objects.up()
    assert "spec.items" in str(refused.failures()), "the schema holds"

    objects.program(ORDERS)
    removed = objects.must_up()
    assert ("delete", "orders") in steps_of(removed)
    assert standing.kubectl("get", "crd", "orders.example.com", "--ignore-not-found") == ""

    objects.program("")
    emptied = objects.must_up()
    assert ("delete", "first") in steps_of(emptied)
    assert [record["urn"] for record in objects.state().custom() if "::first" in record["urn"]] == []
