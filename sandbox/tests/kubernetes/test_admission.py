"""What Kubernetes itself refuses is refused here."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from kubernetes.client.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("kubernetes")


@pytest.fixture
def namespace(api: ClusterApi) -> Iterator[str]:
    name = f"admission-{uuid.uuid4().hex[:8]}"  # one that is being deleted refuses everything
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    quota = {"hard": {"pods": "1", "requests.cpu": "1"}}
    metadata = {"name": "small", "namespace": name}
    api.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": quota})
    yield name
    api.delete("v1", "Namespace", name)


def pod(namespace: str, name: str, **container: Any) -> dict[str, Any]:
    secure = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    requests = {"requests": {"cpu": "100m"}}
    runs = {"name": "it", "image": "it:1", "securityContext": secure, "resources": requests, **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [runs]},
    }


def test_restricted_namespace_refuses_what_is_not(api: ClusterApi, namespace: str) -> None:
    with pytest.raises(ApiException, match="violates PodSecurity") as raised:
        api.apply(pod(namespace, "bad", securityContext={"privileged": True}))
    assert raised.value.status == 403


def test_quota_refuses_what_is_too_much(api: ClusterApi, namespace: str) -> None:
    too_large = {"requests": {"cpu": "1500m"}}
    with pytest.raises(ApiException, match="exceeded quota"):
        api.apply(pod(namespace, "large", resources=too_large))


def test_object_of_another_shape_is_refused(api: ClusterApi, namespace: str) -> None:
    with pytest.raises(ApiException, match="containerz"):
        api.apply({**pod(namespace, "odd"), "spec": {"containerz": []}})
