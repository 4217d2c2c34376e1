"""Releases whose charts are not at hand: stand-ins of the recorded shape, on a real API server."""

from typing import Any

import pytest
from cloudcommerce_sandbox.charts import definitions
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.inventory import Inventory, Recordings
from cloudcommerce_sandbox.charts.mirror import Chart
from cloudcommerce_sandbox.charts.recording import record
from cloudcommerce_sandbox.plugins.provider import InitializationError, ProviderError

from sandbox.tests.charts.examples import release as declared
from sandbox.tests.charts.test_definitions import PUBLISHED, wanted
from sandbox.tests.control_planes import until
from sandbox.tests.plugins.kubernetes.conftest import Kubectl
from sandbox.tests.plugins.kubernetes.helm.program import Release, program
from sandbox.tests.plugins.kubernetes.resource import Messages, Resource

pytestmark = [
    pytest.mark.mission_M70,
    pytest.mark.mission_M35,
    pytest.mark.xdist_group("kubernetes-plugin"),
    pytest.mark.usefixtures("nodes", "without_mirror"),
]

_VALUES = {"monitor": False, "migrate": False, "replicas": 2}


@pytest.fixture
def thing(release: Release, recordings: Recordings, helm: Helm, shop: Chart) -> Resource:
    recordings.save(record(helm, shop, declared(_VALUES)))
    return release()


def test_a_recorded_release_has_the_chart_s_workloads(
    thing: Resource, kubectl: Kubectl, namespace: str
) -> None:
    state = thing.up(program(namespace, "cart", values=_VALUES))
    assert state["status"]["status"] == "deployed"
    assert (state["status"]["chart"], state["status"]["appVersion"]) == ("shop", "7")
    web = kubectl.read("deployment", "cart-web", "-n", namespace)
    assert web["status"]["readyReplicas"] == 2
    assert web["metadata"]["annotations"]["meta.helm.sh/release-name"] == "cart"
    assert web["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    pod = web["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "cart-web"
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "50m", "memory": "64Mi"}
    claim = kubectl.read("pvc", "data-cart-store-0", "-n", namespace)
    assert claim["status"]["phase"] == "Bound"
    assert kubectl.read("pdb", "cart-web", "-n", namespace)["status"]["expectedPods"] == 2
    assert kubectl.read("daemonset", "cart-agent", "-n", namespace)["status"]["numberReady"] == 2
    assert kubectl.read("orders.shop.example", "cart-first", "-n", namespace)["spec"] == {"items": 3}
    assert thing.refresh()
    assert thing.diff(program(namespace, "cart", values=_VALUES)).changes == {}
    thing.destroy()
    assert kubectl.read("deployments,statefulsets", "-n", namespace)["items"] == []


def test_pod_security_and_quotas_meet_the_recorded_shape(
    thing: Resource,
    recordings: Recordings,
    kubectl: Kubectl,
    namespace: str,
) -> None:
    (found,) = [inventory for _, inventory in recordings.all()]
    document = found.document()
    for item in document["objects"]:
        if item["kind"] == "DaemonSet":
            item["spec"]["template"]["spec"]["hostNetwork"] = True
    recordings.save(Inventory.of(document))
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    with pytest.raises(InitializationError, match=r"violates PodSecurity .*host namespaces"):
        thing.up(program(namespace, values=_VALUES, timeout=8))


def test_changed_values_warn_and_what_was_never_recorded_is_refused(
    thing: Resource, messages: Messages, namespace: str
) -> None:
    thing.check(program(namespace, values=_VALUES))
    assert messages.shown == []
    thing.check(program(namespace, values={**_VALUES, "replicas": 5}))
    assert "values.replicas is 5 now and was 2" in messages
    assert "`cloudcommerce-sandbox charts record --mirror DIR shop`" in messages
    wanted = program(namespace, version="9.9.9")
    _, (failure,) = thing.provider.check(thing.request(inputs=wanted))
    assert failure.path == "chart"
    assert "shop 9.9.9 was never recorded; recorded are 1.2.3. Record it: " in failure.reason


def test_a_stale_recording_still_stands_in(thing: Resource, kubectl: Kubectl, namespace: str) -> None:
    thing.up(program(namespace, values={**_VALUES, "replicas": 5}, skipAwait=True))
    assert kubectl.read("deployment", "shop-web", "-n", namespace)["spec"]["replicas"] == 2


def test_kinds_that_a_recording_brings_check_their_objects(
    thing: Resource,
    recordings: Recordings,
    kubectl: Kubectl,
    namespace: str,
) -> None:
    """The operator's chart brings `ServiceMonitor` with the schema that its project publishes."""
    group = {"group": "monitoring.coreos.com", "scope": "Namespaced", "versions": ["v1"], "bundled": True}
    kinds = {
        "ServiceMonitor": "servicemonitors",
        "PodMonitor": "podmonitors",
        "PrometheusRule": "prometheusrules",
    }
    (found,) = [inventory for _, inventory in recordings.all()]
    defined = [{**group, "kind": kind, "plural": plural} for kind, plural in kinds.items()]
    document = {**found.document(), "objects": [], "release": "operator", "definitions": defined}
    recordings.save(Inventory.of({**document, "values": {"operator": True}}))
    thing.up({**program(namespace, "operator"), "values": {"operator": True}})
    monitor: dict[str, Any] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "endpoints": [{"port": "http", "interval": "30s"}],
        },
    }
    kubectl("create", "-n", namespace, "-f", "-", given=monitor)
    for wrong, told in (
        ({"endpoints": [{"port": "http", "interval": "soon"}]}, "spec.endpoints[0].interval"),
        ({"endpoints": [{"port": 80}]}, "spec.endpoints[0].port"),
        ({"selector": None}, "spec.selector: Required value"),
        ({"endpointz": []}, 'unknown field "spec.endpointz"'),
    ):
        bad = {**monitor, "metadata": {"name": "bad"}, "spec": {**monitor["spec"], **wrong}}
        with pytest.raises(AssertionError) as caught:
            kubectl("create", "--validate=strict", "-n", namespace, "-f", "-", given=bad)
        assert told in str(caught.value)
    rule = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "bad"}}
    with pytest.raises(AssertionError, match=r"spec.groups\[0\].name: Required value"):
        kubectl("create", "-n", namespace, "-f", "-", given={**rule, "spec": {"groups": [{"rules": []}]}})


@pytest.mark.parametrize(("group", "kind", "plural", "version"), PUBLISHED)
def test_the_server_takes_every_published_definition(
    group: str, kind: str, plural: str, version: str, kubectl: Kubectl
) -> None:
    asked = wanted(group, kind, plural, version)
    kubectl("apply", "--server-side", "-f", "-", given=definitions.definitions([asked])[asked.name])

    def conditions() -> dict[str, str]:
        status = kubectl.read("crd", asked.name).get("status") or {}
        return {item["type"]: item["status"] for item in status.get("conditions") or ()}

    until(lambda: conditions().get("Established") == "True", conditions)
    assert "NonStructuralSchema" not in conditions()


def test_on_real_nodes_nothing_stands_in(thing: Resource, kubectl: Kubectl, namespace: str) -> None:
    kubectl("label", "node", "helm-a", "helm-b", "sandbox.cloudcommerce.dev/node-")
    try:
        with pytest.raises(ProviderError, match=r"the cluster's nodes are real.*CLOUDCOMMERCE_CHARTS"):
            thing.up(program(namespace, values=_VALUES))
    finally:
        kubectl("label", "node", "helm-a", "helm-b", "sandbox.cloudcommerce.dev/node=true")


def test_the_recordings_of_the_sandbox_are_whole() -> None:
    for path, inventory in Recordings().all():
        assert path.name == f"{inventory.release}-{inventory.key}.json", f"{path} was edited: record it again"
        assert inventory.objects
