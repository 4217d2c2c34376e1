"""Objects made, changed, replaced, adopted and removed against a real API server."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider
from cloudcommerce_sandbox.plugins.provider import InitializationError, ProviderError

from sandbox.tests.plugins.kubernetes.conftest import Kubectl, Make
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource

pytestmark = pytest.mark.xdist_group("kubernetes-plugin")


def config_map(namespace: str, name: str = "settings", **data: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, "data": data or {"a": "1"}}


def deployment(namespace: str, replicas: int = 0, **container: Any) -> dict[str, Any]:
    labels = {"app": "cart"}
    return {
        "metadata": {"namespace": namespace, "name": "cart"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "cart", "image": "cart:1", **container}]},
            },
        },
    }


def definition(kind: str = "Cart", group: str = "shop.example.com") -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    spec = {"type": "object", "properties": {"size": {"type": "integer", "maximum": 9}}}
    schema = {"type": "object", "properties": {"spec": spec}}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }


def test_a_name_is_made_once_and_is_the_same_in_preview_and_update(make: Make, namespace: str) -> None:
    thing = make("core/v1:ConfigMap", "settings")
    program = {"metadata": {"namespace": namespace}, "data": {"a": "1"}}
    foretold = thing.preview(program)["metadata"]["name"]
    made = thing.up(program)["metadata"]["name"]
    assert foretold == made
    assert made.startswith("settings-")
    assert thing.id == f"{namespace}/{made}"
    assert thing.check({**program, "data": {}})["metadata"]["name"] == made, "an update keeps the name"
    assert not thing.diff(program).changes


def test_a_preview_changes_nothing_and_leaves_open_what_only_the_creation_tells(
    make: Make, kubectl: Kubectl, namespace: str
) -> None:
    service = make("core/v1:Service")
    outputs = service.preview(
        {"metadata": {"namespace": namespace, "name": "cart"}, "spec": {"ports": [{"port": 80}]}}
    )
    assert outputs["spec"]["clusterIP"] is wire.UNKNOWN
    assert outputs["metadata"]["uid"] is wire.UNKNOWN
    assert outputs["spec"]["ports"][0]["protocol"] == "TCP", "the server's defaults are known"
    assert "status" not in outputs
    assert kubectl.read("service", "-n", namespace)["items"] == []


def test_an_update_removes_what_the_program_dropped_and_keeps_what_others_added(
    make: Make, kubectl: Kubectl, namespace: str
) -> None:
    thing = make("core/v1:ServiceAccount")
    metadata = {"namespace": namespace, "name": "cart"}
    thing.up({"metadata": {**metadata, "labels": {"a": "1", "b": "2"}}})
    controller = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {**metadata, "labels": {"theirs": "3"}},
    }
    kubectl("apply", "--server-side", "--field-manager", "controller", "-f", "-", given=controller)
    thing.up({"metadata": {**metadata, "labels": {"a": "9"}}})
    live = kubectl.read("serviceaccount", "cart", "-n", namespace)
    assert live["metadata"]["labels"] == {"a": "9", "theirs": "3"}


def test_foreign_owners_are_reported_and_overruled_only_on_demand(
    make: Make, kubectl: Kubectl, namespace: str
) -> None:
    thing = make("apps/v1:Deployment")
    thing.up(deployment(namespace))
    scaler = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": namespace},
        "spec": {"replicas": 0, "minReadySeconds": 7},
    }
    kubectl("apply", "--server-side", "--field-manager", "tuner", "-f", "-", given=scaler)
    program = deployment(namespace)
    program["spec"]["minReadySeconds"] = 3
    with pytest.raises(ProviderError, match=r"(?s)'thing'.*tuner.*minReadySeconds.*patchForce"):
        thing.preview(program)
    with pytest.raises(ProviderError, match="ignoreChanges"):
        thing.up(program)
    program["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    assert thing.up(program)["spec"]["minReadySeconds"] == 3


def test_ignored_fields_stay_with_whoever_has_them(make: Make, kubectl: Kubectl, namespace: str) -> None:
    thing = make("apps/v1:Deployment")
    thing.up(deployment(namespace, replicas=0))
    kubectl("scale", "deployment", "cart", "-n", namespace, "--replicas=2")
    program = deployment(namespace, replicas=0, image="cart:2")
    program["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    thing.up(program, ignore_changes=("spec.replicas",))
    live = kubectl.read("deployment", "cart", "-n", namespace)
    assert live["spec"]["replicas"] == 2
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "cart:2"


def test_ignored_fields_may_have_dots_in_their_names_and_stand_in_lists(
    make: Make, kubectl: Kubectl, namespace: str
) -> None:
    key, image = "shop.example.com/owner", "spec.template.spec.containers[0].image"
    program = deployment(namespace)
    program["metadata"]["annotations"] = {key: "ours"}
    thing = make("apps/v1:Deployment")
    thing.up(program)
    kubectl("annotate", "deployment", "cart", "-n", namespace, f"{key}=theirs", "--overwrite")
    kubectl("set", "image", "deployment/cart", "-n", namespace, "cart=cart:theirs")
    ignored = (f'metadata.annotations["{key}"]', image, "spec.template.spec.containers[*].resources")
    changed = deployment(namespace, ports=[{"containerPort": 80}])
    changed["metadata"]["annotations"] = {key: "ours"}
    thing.up(changed, ignore_changes=ignored)
    live = kubectl.read("deployment", "cart", "-n", namespace)
    assert live["metadata"]["annotations"][key] == "theirs"
    container = live["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["ports"][0]["containerPort"]) == ("cart:theirs", 80)


def test_an_existing_object_is_not_taken_over(make: Make, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "configmap", "settings", "-n", namespace, "--from-literal=a=theirs")
    thing = make("core/v1:ConfigMap")
    thing.preview(config_map(namespace))
    with pytest.raises(ProviderError, match=rf"(?s)kubectl-create.*alias.*import.*{namespace}/settings"):
        thing.up(config_map(namespace))
    assert kubectl.read("configmap", "settings", "-n", namespace)["data"] == {"a": "theirs"}


def test_an_object_of_an_interrupted_creation_is_taken_up(
    make: Make, messages: Messages, namespace: str
) -> None:
    lost = make("core/v1:ConfigMap")
    lost.up(config_map(namespace, a="1", b="2"))
    again = make("core/v1:ConfigMap")
    again.up(config_map(namespace, a="3"))
    assert again.state["metadata"]["uid"] == lost.state["metadata"]["uid"]
    assert again.state["data"] == {"a": "3"}, "what the first attempt gave and the second does not is gone"
    assert "interrupted" in messages
    other = make("core/v1:ConfigMap", "another")
    with pytest.raises(ProviderError, match="exists already"):
        other.up(config_map(namespace))


def test_a_stack_of_the_same_name_with_another_state_takes_nothing_over(
    make: Make, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///home/ada/state")
    make("core/v1:ConfigMap").up(config_map(namespace, a="ada's"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///home/bob/state")
    with pytest.raises(ProviderError, match="exists already"):
        make("core/v1:ConfigMap").up(config_map(namespace, a="bob's"))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///home/ada/state")
    assert make("core/v1:ConfigMap").up(config_map(namespace, a="ada's"))["data"] == {"a": "ada's"}


def test_upsert_is_a_choice_of_the_provider(plane: ControlPlane, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "configmap", "settings", "-n", namespace, "--from-literal=theirs=1")
    provider = KubernetesProvider()
    provider.configure({"kubeconfig": str(plane.kubeconfig), "upsertExistingObjects": "true"})
    thing = Resource(provider, "kubernetes:core/v1:ConfigMap")
    assert thing.up(config_map(namespace))["data"] == {"a": "1", "theirs": "1"}


def test_a_secret_is_secret_in_state_and_messages(make: Make, namespace: str) -> None:
    thing = make("core/v1:Secret")
    program = {
        "metadata": {"namespace": namespace, "name": "token"},
        "stringData": {"password": wire.Secret("hunter2")},
    }
    state = thing.up(program)
    assert "hunter2" not in repr(state)
    assert "aHVudGVyMg==" not in repr(state), "neither is its base64 form"
    assert thing.refresh()
    assert "hunter2" not in repr(thing.inputs)
    assert not thing.diff(program).changes
    changed = {**program, "stringData": {"password": wire.Secret("other")}}
    found = thing.diff(changed)
    assert found.changes["stringData.password"].replace
    assert found.delete_before_replace


def test_what_the_server_quotes_of_a_secret_is_masked(make: Make, messages: Messages, namespace: str) -> None:
    program = config_map(namespace)
    program["metadata"]["labels"] = {"key": wire.Secret("no label, hunter2")}
    with pytest.raises(ProviderError, match=r"metadata\.labels.*\[secret\]") as caught:
        make("core/v1:ConfigMap").preview(program)
    assert "hunter2" not in str(caught.value)

    token = make("core/v1:Secret", "token")
    metadata = {
        "namespace": namespace,
        "name": "token",
        "annotations": {"pulumi.com/waitFor": "jsonpath={.data.password}=never"},
    }
    with pytest.raises(InitializationError, match=r"is \[secret\], wanted never") as unready:
        token.up({"metadata": metadata, "stringData": {"password": "hunter2"}}, timeout=0.5)
    assert "aHVudGVyMg" not in str(unready.value)
    assert "hunter2" not in repr(messages.shown)
    assert "aHVudGVyMg" not in repr(messages.shown)


def test_drift_by_kubectl_is_seen_and_put_right(make: Make, kubectl: Kubectl, namespace: str) -> None:
    thing = make("core/v1:ResourceQuota")
    program = {
        "metadata": {"namespace": namespace, "name": "quota", "labels": {"team": "a", "tier": "1"}},
        "spec": {"hard": {"requests.cpu": "4000m"}},
    }
    thing.up(program)
    assert thing.refresh()
    assert not thing.diff(program).changes, "a quantity in another spelling is no drift"
    kubectl("label", "resourcequota", "quota", "-n", namespace, "team=b", "tier-", "extra=x", "--overwrite")
    patch = json.dumps({"spec": {"hard": {"requests.cpu": "8"}}})
    kubectl("patch", "resourcequota", "quota", "-n", namespace, "--type=merge", "-p", patch)
    assert thing.refresh()
    kinds = {path: change.kind.value for path, change in thing.diff(program).changes.items()}
    assert kinds == {
        "metadata.labels.team": "UPDATE",
        "metadata.labels.tier": "ADD",
        'spec.hard["requests.cpu"]': "UPDATE",
    }
    thing.up(program)
    live = kubectl.read("resourcequota", "quota", "-n", namespace)
    assert live["metadata"]["labels"]["team"] == "a"
    assert live["spec"]["hard"] == {"requests.cpu": "4"}


def test_a_refresh_finds_nothing_wrong_with_a_claim_that_waits(make: Make, namespace: str) -> None:
    claim = make("core/v1:PersistentVolumeClaim")
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "none",
    }
    with pytest.raises(InitializationError, match="storage class none does not exist"):
        claim.up({"metadata": {"namespace": namespace, "name": "data"}, "spec": spec}, timeout=0.5)
    assert claim.refresh()


def test_gone_is_gone(make: Make, kubectl: Kubectl, namespace: str) -> None:
    thing = make("core/v1:ConfigMap")
    thing.up(config_map(namespace))
    kubectl("delete", "configmap", "settings", "-n", namespace)
    with pytest.raises(ProviderError, match="pulumi refresh"):
        thing.up(config_map(namespace, a="2"))
    assert not thing.refresh()
    thing.destroy()


def test_import_takes_what_people_set_and_no_defaults(make: Make, kubectl: Kubectl, namespace: str) -> None:
    program = {"apiVersion": "apps/v1", "kind": "Deployment", **deployment(namespace)}
    kubectl("apply", "-f", "-", given=program)
    applied = make("apps/v1:Deployment")
    applied.adopt(f"{namespace}/cart")
    assert not applied.diff(deployment(namespace)).changes
    applied.up(deployment(namespace, image="cart:2"))
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "cart", "namespace": namespace, "labels": {"a": "1"}},
    }
    kubectl("apply", "--server-side", "-f", "-", given=account)
    owned = make("core/v1:ServiceAccount")
    owned.adopt(f"{namespace}/cart")
    assert wire.reveal(owned.inputs) == account


def test_immutable_fields_replace_by_our_list_and_by_the_servers_word(make: Make, namespace: str) -> None:
    thing = make("apps/v1:Deployment")
    thing.up(deployment(namespace))
    program = deployment(namespace)
    program["spec"]["selector"]["matchLabels"]["tier"] = "web"
    program["spec"]["template"]["metadata"]["labels"]["tier"] = "web"
    found = thing.diff(program)
    assert found.changes["spec.selector.matchLabels.tier"].replace
    assert found.delete_before_replace

    claim = make("core/v1:PersistentVolumeClaim")
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "volumeMode": "Filesystem",
    }
    metadata = {
        "namespace": namespace,
        "name": "data",
        "annotations": {"pulumi.com/skipAwait": "true"},
    }
    claim.up({"metadata": metadata, "spec": spec})
    block = claim.diff({"metadata": metadata, "spec": {**spec, "volumeMode": "Block"}})
    assert block.changes["spec.volumeMode"].replace, "no list names it, the server refuses it"
    label = claim.diff({"metadata": {**metadata, "labels": {"a": "b"}}, "spec": spec})
    assert not label.changes["metadata.labels"].replace


def test_another_name_or_namespace_is_another_object(make: Make, namespace: str) -> None:
    thing = make("core/v1:ConfigMap")
    thing.up(config_map(namespace))
    renamed = thing.diff(config_map(namespace, "other"))
    assert renamed.changes["metadata.name"].replace
    assert not renamed.delete_before_replace
    moved = thing.diff(config_map("elsewhere"))
    assert moved.changes["metadata.namespace"].replace
    assert not moved.delete_before_replace


def test_another_version_is_the_same_object(make: Make, namespace: str) -> None:
    thing = make("autoscaling/v1:HorizontalPodAutoscaler")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3}
    program = {"metadata": {"namespace": namespace, "name": "cart"}, "spec": spec}
    uid = thing.up(program)["metadata"]["uid"]
    thing.token = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
    newer = {**program, "apiVersion": "autoscaling/v2"}
    found = thing.diff(newer)
    assert {path: change.replace for path, change in found.changes.items()} == {"apiVersion": False}
    state = thing.up(newer)
    assert (state["apiVersion"], state["metadata"]["uid"]) == ("autoscaling/v2", uid)


def test_a_custom_resource_waits_for_its_definition(make: Make, kubectl: Kubectl, namespace: str) -> None:
    crd = make("apiextensions.k8s.io/v1:CustomResourceDefinition")
    cart = make("shop.example.com/v1:Cart")
    program = {"metadata": {"namespace": namespace, "name": "mine"}, "spec": {"size": 3}}
    assert cart.preview(program)["spec"] == {"size": 3}, "nobody can tell yet, so the inputs are shown"
    late = threading.Timer(1.5, lambda: crd.up(definition()))
    late.start()
    try:
        assert cart.up(program)["metadata"]["uid"]
        with pytest.raises(ProviderError, match=r"(?s)spec.size.*9"):
            cart.preview({**program, "spec": {"size": 10}})
        with pytest.raises(ProviderError, match=r"spec\.colour"):
            cart.preview({**program, "spec": {"colour": "red"}})
        kubectl("delete", "crd", "carts.shop.example.com")
        assert not cart.refresh(), "with its definition goes the object"
        cart.destroy()
    finally:
        late.join()
        crd.destroy()


def test_a_dropped_property_leaves_a_definition(make: Make, kubectl: Kubectl) -> None:
    crd = make("apiextensions.k8s.io/v1:CustomResourceDefinition")
    program = definition("Basket")
    crd.up(program)
    try:
        program = definition("Basket")
        version = program["spec"]["versions"][0]
        version["schema"]["openAPIV3Schema"] = {
            "type": "object",
            "x_kubernetes_preserve_unknown_fields": True,
        }
        assert crd.preview(program)["spec"]["versions"]
        state = crd.up(program)
        schema = state["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert schema == {"type": "object", "x_kubernetes_preserve_unknown_fields": True}
        live = kubectl.read("crd", "baskets.shop.example.com")
        stored = live["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        assert stored == {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        assert not crd.diff(program).changes
    finally:
        crd.destroy()


def test_a_patch_owns_its_fields_only(make: Make, kubectl: Kubectl, namespace: str) -> None:
    program = {"apiVersion": "apps/v1", "kind": "Deployment", **deployment(namespace)}
    kubectl("apply", "--server-side", "--field-manager", "owner", "-f", "-", given=program)
    patch = make("apps/v1:DeploymentPatch")
    wanted = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": namespace, "labels": {"patched": "yes"}},
    }
    patch.preview(wanted)
    patch.up(wanted)
    live = kubectl.read("deployment", "cart", "-n", namespace)
    assert live["metadata"]["labels"] == {"patched": "yes"}
    patch.destroy()
    live = kubectl.read("deployment", "cart", "-n", namespace)
    assert "labels" not in live["metadata"], "the field is released, the object stays"
    with pytest.raises(ProviderError, match=r"metadata\.name"):
        patch.check({"kind": "Deployment", "metadata": {}})


def test_lists_and_rendering_components_are_refused(make: Make, provider: KubernetesProvider) -> None:
    with pytest.raises(ProviderError, match="each of their items"):
        make("core/v1:ConfigMapList").check({"items": []})
    for token in ("yaml/v2:ConfigFile", "helm.sh/v4:Chart", "kustomize/v2:Directory"):
        with pytest.raises(ProviderError, match=r"helm\.v3\.Release"):
            provider.construct(f"kubernetes:{token}")


def test_manifests_are_taken_apart(provider: KubernetesProvider) -> None:
    text = """
    {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]}
---
---
    apiVersion: v1
    kind: Namespace
    metadata: {name: b}
"""
    found, _ = provider.invoke("kubernetes:yaml:decode", {"text": text, "defaultNamespace": "shop"})
    assert [item["metadata"] for item in found["result"]] == [
        {"name": "a", "namespace": "shop"},
        {"name": "b"},
    ]
    with pytest.raises(ProviderError, match="no YAML"):
        provider.invoke("kubernetes:yaml:decode", {"text": "a: [b"})
    with pytest.raises(ProviderError, match="apiVersion"):
        provider.invoke("kubernetes:yaml:decode", {"text": "just text"})


def test_a_finalizer_that_holds_is_named(make: Make, kubectl: Kubectl, namespace: str) -> None:
    thing = make("core/v1:ConfigMap")
    program = config_map(namespace)
    program["metadata"]["finalizers"] = ["shop.example.com/hold"]
    thing.up(program)
    with pytest.raises(ProviderError, match=r"still there.*shop\.example\.com/hold"):
        thing.destroy(timeout=1.0)
    again = make("core/v1:ConfigMap")
    with pytest.raises(ProviderError, match="still being deleted"):
        again.up(program)
    patch = json.dumps({"metadata": {"finalizers": None}})
    kubectl("patch", "configmap", "settings", "-n", namespace, "--type=merge", "-p", patch)
    thing.destroy()


def test_a_huge_object_and_one_too_huge(make: Make, namespace: str) -> None:
    make("core/v1:ConfigMap").up(config_map(namespace, "huge", a="x" * 900_000))
    with pytest.raises(ProviderError, match=r"(?i)too long|too large"):
        make("core/v1:ConfigMap", "more").preview(config_map(namespace, "too-huge", a="x" * 2_000_000))
    with pytest.raises(ProviderError, match="253"):
        make("core/v1:ConfigMap", "long").preview(config_map(namespace, "n" * 254))


def test_five_hundred_objects_take_milliseconds_each(make: Make, namespace: str) -> None:
    things = [make("core/v1:ConfigMap", f"thing-{number}") for number in range(500)]
    begun = time.monotonic()

    def work(part: list[Resource]) -> None:
        for thing in part:
            program = config_map(namespace, thing.name)
            thing.preview(program)
            thing.up(program)
            assert not thing.diff(program).changes

    threads = [threading.Thread(target=work, args=(things[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    each = (time.monotonic() - begun) / len(things) * 1000
    assert all(thing.id for thing in things)
    print(f"{each:.1f} ms an object")  # noqa: T201 - the measure
    assert each < 100


def test_half_made_state_is_kept(make: Make, namespace: str, tmp_path: Path) -> None:
    del tmp_path
    pod = make("core/v1:Pod")
    spec = {"containers": [{"name": "cart", "image": "cart:1"}]}
    with pytest.raises(InitializationError, match=r"(?s)not ready after 1 s.*scheduled") as caught:
        pod.up({"metadata": {"namespace": namespace, "name": "cart"}, "spec": spec}, timeout=1.0)
    assert caught.value.resource_id == f"{namespace}/cart"
    assert pod.state["metadata"]["uid"]
    pod.destroy()
