"""Objects that change their name, their namespace or what is immutable, and another way to the cluster."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.sandbox.cluster.standing import StackBench, Standing
from tests.sandbox.workbench import steps_of

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M70]

PROGRAM = """
after = bool(shop.get("after"))

def either(before, then):
    return then if after else before

k8s.core.v1.ConfigMap("steady", metadata=meta("steady"), data={"a": "1"}, opts=options())
k8s.core.v1.ConfigMap(
    either("old", "new"),
    metadata={"namespace": space},
    opts=options(aliases=[pulumi.Alias(name="old")]) if after else options(),
)
k8s.core.v1.ConfigMap(either("first", "second"), metadata={"namespace": space}, opts=options())
k8s.core.v1.ConfigMap(
    "moved",
    metadata={"name": "moved", "namespace": either(space, shop["elsewhere"])},
    data={"a": "1"},
    opts=options(),
)
deployment("cart", labels={"app": either("cart", "basket")})
k8s.core.v1.Service(
    "web",
    metadata=meta("web", annotations={"pulumi.com/skipAwait": "true"}),
    spec={"cluster_ip": either("None", "172.20.200.1"), "ports": [{"port": 80}], "selector": {"app": "web"}},
    opts=options(),
)
k8s.batch.v1.Job(
    "migrate",
    metadata=meta("migrate"),
    spec={
        "template": {
            "spec": {"restart_policy": "Never", "containers": [container(either("migrate", "migration"))]}
        }
    },
    opts=options(),
)
"""


@dataclass(frozen=True)
class Changed:
    """A stack before and after its program changed.

    Attributes:
        before: Ids by name of resource, and uids of the objects.
        after: The same.
        steps: What the engine did in between, in order.
        bench: The stack, as it is now.
        elsewhere: The other namespace.
    """

    before: dict[str, dict[str, Any]]
    after: dict[str, dict[str, Any]]
    steps: list[tuple[str, str]]
    bench: StackBench
    elsewhere: str

    def was_replaced(self, name: str) -> bool:
        return bool(self.before[name]["uid"] != self.after[name]["uid"])

    def operations(self, name: str) -> list[str]:
        return [operation for operation, of in self.steps if of == name]


@pytest.fixture(scope="module")
def changed(standing: Standing) -> Iterator[Changed]:
    with standing.opened(elsewhere="") as bench:
        elsewhere = f"{bench.stack}-elsewhere"
        standing.make_namespace(elsewhere)
        settings = standing.reached() | {"namespace": bench.stack, "elsewhere": elsewhere}
        bench.settings(**settings)
        bench.program(PROGRAM)
        bench.must_up()
        before = _objects(bench)
        # The same cluster by another kubeconfig, user and name for it.
        settings["kubeconfig"] = yaml.safe_dump(yaml.safe_load(standing.administrator.read_text()))
        bench.settings(**settings, after=True)
        outcome = bench.must_up()
        yield Changed(before, _objects(bench), steps_of(outcome), bench, elsewhere)
    standing.kubectl("delete", "namespace", elsewhere, "--wait=false")


def _objects(bench: StackBench) -> dict[str, dict[str, Any]]:
    return {
        record["urn"].rsplit("::", 1)[-1]: {"id": record["id"], **record["outputs"]["metadata"]}
        for record in bench.state().custom()
        if "metadata" in record.get("outputs", {})
    }


def test_another_kubeconfig_of_the_same_cluster_replaces_nothing(changed: Changed) -> None:
    assert changed.operations("cluster") == ["update"]
    assert changed.operations("steady") == []
    assert not changed.was_replaced("steady")


def test_a_renamed_resource_with_an_alias_is_the_same_object(changed: Changed) -> None:
    assert changed.operations("new") == []
    assert changed.after["new"] == changed.before["old"]


def test_a_renamed_resource_without_one_is_another_object(changed: Changed, standing: Standing) -> None:
    assert changed.operations("second") == ["create"]
    assert changed.operations("first") == ["delete"]
    names = standing.kubectl("get", "configmap", "-n", changed.bench.stack, "-o", "name").split()
    assert f"configmap/{changed.after['second']['name']}" in names
    assert f"configmap/{changed.before['first']['name']}" not in names


def test_another_namespace_is_another_object(changed: Changed, standing: Standing) -> None:
    assert changed.was_replaced("moved")
    assert changed.after["moved"]["id"] == f"{changed.elsewhere}/moved"
    assert standing.read("configmap", "moved", "-n", changed.elsewhere)["data"] == {"a": "1"}
    found = standing.kubectl("get", "configmap", "moved", "-n", changed.bench.stack, "--ignore-not-found")
    assert found == ""


@pytest.mark.parametrize(
    ("thing", "path", "value"),
    [
        ("deployment/cart", "{.spec.selector.matchLabels.app}", "basket"),
        ("service/web", "{.spec.clusterIP}", "172.20.200.1"),
        ("job/migrate", "{.spec.template.spec.containers[0].image}", "migration:1"),
    ],
)
def test_what_cannot_be_changed_is_replaced(
    changed: Changed, standing: Standing, thing: str, path: str, value: str
) -> None:
    """The name is fixed, so the old one goes first."""
    name = thing.rpartition("/")[2]
    assert changed.was_replaced(name)
    steps = changed.operations(name)
    assert steps.index("delete-replaced") < steps.index("create-replacement")
    assert standing.kubectl("get", thing, "-n", changed.bench.stack, "-o", f"jsonpath={path}") == value


def test_then_there_is_nothing_left_to_change(changed: Changed) -> None:
    assert steps_of(changed.bench.must_up()) == []
