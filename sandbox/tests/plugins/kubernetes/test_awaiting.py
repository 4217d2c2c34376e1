"""Waiting for readiness on a cluster with one played node."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider
from cloudcommerce_sandbox.plugins.provider import InitializationError

from sandbox.tests.plugins.kubernetes import kubelet
from sandbox.tests.plugins.kubernetes.conftest import Kubectl, Make
from sandbox.tests.plugins.kubernetes.resource import Messages
from sandbox.tests.plugins.kubernetes.test_lifecycle import deployment

pytestmark = pytest.mark.xdist_group("kubernetes-plugin")


@pytest.fixture
def _node(provider: KubernetesProvider) -> Iterator[None]:
    with kubelet.node(provider.cluster):
        yield


def workload(kind: str, namespace: str, image: str = "cart:1") -> dict[str, Any]:
    program = deployment(namespace, replicas=2, image=image)
    if kind == "DaemonSet":
        del program["spec"]["replicas"]
    if kind == "StatefulSet":
        program["spec"]["serviceName"] = "cart"
    return program


@pytest.mark.usefixtures("_node")
@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_workload_is_awaited_made_and_changed(make: Make, namespace: str, kind: str) -> None:
    thing = make(f"apps/v1:{kind}")
    wanted = 1 if kind == "DaemonSet" else 2
    field = "numberAvailable" if kind == "DaemonSet" else "readyReplicas"
    assert thing.up(workload(kind, namespace))["status"][field] == wanted
    state = thing.up(workload(kind, namespace, image="cart:2"))
    assert state["status"]["observedGeneration"] == 2
    assert state["status"].get("updatedReplicas", wanted) == wanted
    assert thing.refresh()
    thing.destroy()


@pytest.mark.usefixtures("_node")
def test_an_image_that_can_not_be_pulled_is_the_reason(
    make: Make, messages: Messages, namespace: str
) -> None:
    thing = make("apps/v1:Deployment")
    with pytest.raises(InitializationError, match=r'(?s)ImagePullBackOff: no such image "broken"') as caught:
        thing.up(workload("Deployment", namespace, "broken"), timeout=8.0)
    assert "0 of 2 replicas are available" in str(caught.value)
    assert "ImagePullBackOff" in messages, "the status column says it while waiting"
    with pytest.raises(InitializationError, match="not ready"):
        thing.refresh()
    assert thing.up(workload("Deployment", namespace))["status"]["readyReplicas"] == 2


def test_pod_security_and_quota_of_a_workloads_pods_are_the_reason(
    make: Make, kubectl: Kubectl, namespace: str
) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    thing = make("apps/v1:Deployment")
    with pytest.raises(InitializationError, match=r"(?s)cart is not ready after 3 s.*violates PodSecurity"):
        thing.up(workload("Deployment", namespace), timeout=3.0)
    thing.destroy()


@pytest.mark.usefixtures("_node")
def test_jobs_end_well_or_badly(make: Make, namespace: str) -> None:
    def job(name: str, image: str, **more: Any) -> dict[str, Any]:
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]}
        metadata = {"namespace": namespace, "name": name, "annotations": more.pop("annotations", {})}
        return {"metadata": metadata, "spec": {"backoffLimit": 0, "template": {"spec": pod}, **more}}

    good = make("batch/v1:Job", "good")
    assert good.up(job("good", "migrate:1"))["status"]["succeeded"] == 1
    bad = make("batch/v1:Job", "bad")
    unready = {"pulumi.com/replaceUnready": "true"}
    with pytest.raises(InitializationError, match="BackoffLimitExceeded"):
        bad.up(job("bad", "failing", annotations=unready))
    found = bad.diff(job("bad", "failing", annotations=unready))
    assert [change.replace for change in found.changes.values()] == [True]
    make("batch/v1:Job", "asleep").up(job("asleep", "x", suspend=True))


@pytest.mark.usefixtures("_node")
def test_a_service_waits_for_a_pod_behind_it(make: Make, messages: Messages, namespace: str) -> None:
    service = make("core/v1:Service", "service")
    program: dict[str, Any] = {
        "metadata": {"namespace": namespace, "name": "cart"},
        "spec": {"selector": {"app": "cart"}, "ports": [{"port": 80}]},
    }
    later = threading.Timer(1.0, lambda: make("apps/v1:Deployment").up(workload("Deployment", namespace)))
    later.start()
    try:
        assert service.up(program)["spec"]["clusterIP"]
        assert "no ready pod matches its selector" in messages
    finally:
        later.join()
    headless: dict[str, Any] = {**program, "metadata": {"namespace": namespace, "name": "none"}}
    headless["spec"] = {**program["spec"], "clusterIP": "None", "selector": {"app": "nobody"}}
    make("core/v1:Service", "headless").up(headless)


def test_a_claim_of_a_patient_class_is_ready_at_once(make: Make, kubectl: Kubectl, namespace: str) -> None:
    patient = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": f"{namespace}-patient"},
        "provisioner": "example.com/none",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    kubectl("apply", "-f", "-", given=patient)
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": f"{namespace}-patient",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    make("core/v1:PersistentVolumeClaim").up(
        {"metadata": {"namespace": namespace, "name": "a"}, "spec": spec}
    )
    missing = {
        "metadata": {"namespace": namespace, "name": "b"},
        "spec": {**spec, "storageClassName": "none"},
    }
    with pytest.raises(InitializationError, match="storage class none does not exist"):
        make("core/v1:PersistentVolumeClaim", "b").up(missing, timeout=0.5)
    kubectl("delete", "storageclass", f"{namespace}-patient")


def test_annotations_steer_the_waiting(make: Make, kubectl: Kubectl, namespace: str) -> None:
    def waiting(name: str, **annotations: str) -> dict[str, Any]:
        notes = {f"pulumi.com/{key}": value for key, value in annotations.items()}
        return {"metadata": {"namespace": namespace, "name": name, "annotations": notes}, "data": {"a": "1"}}

    late = ("annotate", "configmap", "late", "-n", namespace, "done=yes")
    timer = threading.Timer(1.0, lambda: kubectl(*late))
    timer.start()
    condition = "jsonpath={.metadata.annotations.done}=yes"
    state = make("core/v1:ConfigMap").up(waiting("late", waitFor=condition))
    timer.join()
    assert state["metadata"]["annotations"]["done"] == "yes"
    with pytest.raises(InitializationError, match="not ready after 1 s"):
        make("core/v1:ConfigMap", "b").up(waiting("never", waitFor=condition, timeoutSeconds="1"))
    program = workload("Deployment", namespace)
    program["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    make("apps/v1:Deployment").up(program)


def test_cancel_ends_the_waiting(make: Make, provider: KubernetesProvider, namespace: str) -> None:
    timer = threading.Timer(1.0, provider.cancel)
    timer.start()
    with pytest.raises(InitializationError, match="cancelled"):
        make("apps/v1:Deployment").up(workload("Deployment", namespace))
    timer.join()
