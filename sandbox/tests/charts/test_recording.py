"""From a chart to its recording: what is kept, what is not, and how it is found again."""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.charts.helm import Helm, HelmError
from cloudcommerce_sandbox.charts.inventory import Inventory, Recordings
from cloudcommerce_sandbox.charts.marks import Names
from cloudcommerce_sandbox.charts.mirror import Chart
from cloudcommerce_sandbox.charts.recording import record
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret

from sandbox.tests.charts.examples import release

pytestmark = [pytest.mark.mission_M70]

MONITORED = ("monitoring.coreos.com/v1",)


@pytest.fixture(scope="module")
def inventory(helm: Helm, shop: Chart) -> Inventory:
    values = {"greeting": UNKNOWN, "password": Secret("geheim"), "replicas": 3}
    return record(helm, shop, release(values), MONITORED)


def _one(inventory: Inventory, kind: str, name: str = "") -> dict[str, Any]:
    objects: list[dict[str, Any]] = Names("shop", "store").filled(list(inventory.objects))
    found = [item for item in objects if item["kind"] == kind and name in ("", item["metadata"]["name"])]
    assert len(found) == 1, [(item["kind"], item["metadata"]["name"]) for item in inventory.objects]
    return found[0]


def test_everything_the_chart_renders_is_there(inventory: Inventory) -> None:
    kinds = {item["kind"] for item in inventory.objects}
    assert kinds == {
        "ConfigMap", "DaemonSet", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "Order",
        "PodDisruptionBudget", "Secret", "Service", "ServiceAccount", "ServiceMonitor", "StatefulSet",
        "ValidatingWebhookConfiguration",
    }  # fmt: skip
    assert _one(inventory, "Deployment", "shop-cache"), "a subchart's objects count"


def test_what_the_scheduler_and_admission_decide_by_is_kept(inventory: Inventory) -> None:
    spec = _one(inventory, "Deployment", "shop-web")["spec"]
    pod = spec["template"]["spec"]
    assert spec["replicas"] == 3
    assert pod["securityContext"] == {"runAsNonRoot": True, "runAsUser": 1000}
    assert pod["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "50m", "memory": "64Mi"}
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    claims = _one(inventory, "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claims[0]["spec"]["resources"]["requests"]["storage"] == "1Gi"


def test_no_text_of_the_chart_and_no_secret_is_kept(inventory: Inventory) -> None:
    text = json.dumps(inventory.document())
    for told in ("geheim", "#!/bin/sh", "a text of the chart", "--greeting", "PASSWORD", "readinessProbe"):
        assert told not in text
    assert _one(inventory, "ConfigMap")["data"] == {"greeting": "", "script.sh": ""}
    assert _one(inventory, "Secret")["data"] == {"password": ""}


def test_only_the_names_of_the_release_are_marked(inventory: Inventory) -> None:
    """The release is called as its chart is: the word alone does not tell which of them is meant."""
    moved = Names("cart", "elsewhere").filled(list(inventory.objects))
    web = next(
        item for item in moved if item["metadata"]["name"] == "cart-web" and item["kind"] == "Deployment"
    )
    pod = web["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "registry.example/shop/web:7"
    assert pod["serviceAccountName"] == "cart-web"
    assert web["spec"]["selector"]["matchLabels"] == {"app": "cart-web"}
    assert {item["apiVersion"] for item in moved if item["kind"] == "Order"} == {"shop.example/v1"}
    hook = next(item for item in moved if item["kind"] == "ValidatingWebhookConfiguration")
    assert hook["webhooks"][0]["name"] == "orders.shop.example"
    assert hook["webhooks"][0]["clientConfig"]["service"] == {"namespace": "elsewhere", "name": "cart-web"}


def test_hooks_and_definitions_are_told_apart(inventory: Inventory) -> None:
    assert [(hook.kind, list(hook.events)) for hook in inventory.hooks] == [
        ("Job", ["pre-install", "pre-upgrade"])
    ]
    assert [(item.name, item.bundled, list(item.versions)) for item in inventory.definitions] == [
        ("orders.shop.example", True, ["v1"])
    ]


def test_a_recording_comes_back_from_its_file_and_replaces_the_release_s_older_one(
    inventory: Inventory, tmp_path: Path
) -> None:
    store = Recordings(tmp_path)
    older = Inventory.of({**inventory.document(), "values": {"replicas": 1}})
    store.save(older)
    path = store.save(inventory)
    assert path.parent.name == "shop-1.2.3"
    assert [found for _, found in store.all()] == [Inventory.of(json.loads(path.read_text()))]
    assert path.name == f"shop-{inventory.key}.json"


def test_the_recording_that_fits_best_is_found(inventory: Inventory, tmp_path: Path) -> None:
    store = Recordings(tmp_path)
    store.save(inventory)
    store.save(Inventory.of({**inventory.document(), "release": "other", "values": {"replicas": 1}}))
    exact = store.find("shop", "1.2.3", "shop", {"greeting": "hi", "password": Secret("x"), "replicas": 3})
    assert exact is not None
    assert exact.inventory.release == "shop"
    assert not exact.differences
    near = store.find("shop", "1.2.3", "shop", {"replicas": 2})
    assert near is not None
    assert near.inventory.release == "other"
    assert list(near.differences) == ["values.replicas is 2 now and was 1"]
    assert store.find("shop", "9.9.9", "shop", {}) is None


def test_a_damaged_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop-1.2.3").mkdir()
    (tmp_path / "shop-1.2.3" / "shop-abc.json").write_text('{"chart": "shop"}')
    with pytest.raises(ValueError, match=r"shop-abc.json is no recording .*record the release again"):
        Recordings(tmp_path).find("shop", "1.2.3", "shop", {})


def test_values_that_the_chart_refuses_are_told_in_its_words(helm: Helm, shop: Chart) -> None:
    with pytest.raises(HelmError, match="replicas"):
        record(helm, shop, release({"replicas": -1}))
