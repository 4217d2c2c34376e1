"""What the API server would refuse is refused in preview already."""

from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import kubeconfig
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider
from cloudcommerce_sandbox.plugins.provider import ProviderError

from sandbox.tests.control_planes import until
from sandbox.tests.plugins.kubernetes.conftest import Kubectl, Make
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource

pytestmark = pytest.mark.xdist_group("kubernetes-plugin")


def pod(namespace: str, **container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "cart", "image": "cart:1", **container}]}
    return {"metadata": {"namespace": namespace, "name": "cart"}, "spec": spec}


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"imagePullPolici": "Always"}, "imagePullPolici"),
        ({"ports": "80"}, "ports"),
        ({"imagePullPolicy": "Sometimes"}, r"supported values"),
        ({"resources": {"limits": {"memory": "1Gb"}}}, "quantities"),
        ({"name": "Not A Name"}, "DNS|RFC 1123"),
    ],
)
def test_wrong_fields(make: Make, namespace: str, container: dict[str, Any], message: str) -> None:
    with pytest.raises(ProviderError, match=rf"(?s)kubernetes:core/v1:Pod 'thing'.*({message})"):
        make("core/v1:Pod").preview(pod(namespace, **container))


@pytest.mark.mission_M35
def test_pod_security(make: Make, messages: Messages, kubectl: Kubectl, namespace: str) -> None:
    label = "pod-security.kubernetes.io"
    kubectl("label", "namespace", namespace, f"{label}/warn=restricted")
    make("core/v1:Pod").preview(pod(namespace))
    assert "would violate PodSecurity" in messages, "what the server warns of is passed on"
    kubectl("label", "namespace", namespace, f"{label}/enforce=restricted")
    with pytest.raises(ProviderError, match="violates PodSecurity"):
        make("core/v1:Pod").preview(pod(namespace))


@pytest.mark.mission_M35
def test_quota(make: Make, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "quota", "few", "-n", namespace, "--hard=configmaps=1")
    until(lambda: kubectl.read("quota", "few", "-n", namespace)["status"].get("used") == {"configmaps": "1"})
    with pytest.raises(ProviderError, match="exceeded quota: few"):  # kube-root-ca.crt is the first
        make("core/v1:ConfigMap").preview({"metadata": {"namespace": namespace, "name": "second"}})


@pytest.mark.mission_M35
def test_permissions(plane: ControlPlane, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "serviceaccount", "reader", "-n", namespace)
    kubectl(
        "create",
        "rolebinding",
        "r",
        "-n",
        namespace,
        "--clusterrole=view",
        f"--serviceaccount={namespace}:reader",
    )
    config = kubeconfig.load(str(plane.kubeconfig))
    token = kubectl("create", "token", "reader", "-n", namespace).strip()
    for user in config["users"]:
        user["user"] = {"token": token}
    provider = KubernetesProvider()
    provider.configure({"kubeconfig": config})
    with pytest.raises(ProviderError, match=r"(?s)forbidden.*cannot create resource \"configmaps\""):
        Resource(provider, "kubernetes:core/v1:ConfigMap").preview(
            {"metadata": {"namespace": namespace, "name": "a"}}
        )


def test_what_the_same_update_makes_is_not_missed(make: Make, messages: Messages, namespace: str) -> None:
    program = pod("made-later")
    for name in ("one", "two", "three"):
        assert make("core/v1:Pod", name).preview(program)["spec"] == program["spec"]
    told = [message for message in messages.shown if "previewed from their inputs alone" in message]
    assert len(told) == 1, "a namespace that is still to be made is told of once"
    account = pod(namespace)
    account["spec"]["serviceAccountName"] = "made-later"
    assert make("core/v1:Pod").preview(account)["spec"]["serviceAccountName"] == "made-later"


def test_unknown_values_are_not_sent(make: Make, namespace: str) -> None:
    program = {"metadata": {"namespace": namespace, "name": "a"}, "data": {"a": wire.UNKNOWN}}
    thing = make("core/v1:ConfigMap")
    assert thing.preview(program)["data"]["a"] is wire.UNKNOWN
    thing.up({**program, "data": {"a": "1"}})
    assert thing.preview(program)["data"]["a"] is wire.UNKNOWN
    assert thing.diff(program).changes["data.a"].replace


def test_a_refused_update(make: Make, namespace: str) -> None:
    thing = make("core/v1:LimitRange")
    limit = {"type": "Container", "max": {"cpu": "1"}}
    metadata = {"namespace": namespace, "name": "limits"}
    thing.up({"metadata": metadata, "spec": {"limits": [limit]}})
    wrong = {"metadata": metadata, "spec": {"limits": [{**limit, "min": {"cpu": "2"}}]}}
    with pytest.raises(ProviderError, match=r"(?s)'thing'.*min.*max"):
        thing.preview(wrong)
