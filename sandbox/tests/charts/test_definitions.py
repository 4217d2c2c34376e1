"""Definitions of kinds with the schemas that their projects publish."""

import dataclasses

import pytest
from cloudcommerce_sandbox.charts import definitions
from cloudcommerce_sandbox.charts.inventory import Definition
from cloudcommerce_sandbox.errors import SandboxError

pytestmark = [pytest.mark.mission_M70]

PUBLISHED = (
    ("monitoring.coreos.com", "ServiceMonitor", "servicemonitors", "v1"),
    ("monitoring.coreos.com", "PodMonitor", "podmonitors", "v1"),
    ("monitoring.coreos.com", "PrometheusRule", "prometheusrules", "v1"),
    ("external-secrets.io", "ExternalSecret", "externalsecrets", "v1"),
    ("keda.sh", "ScaledObject", "scaledobjects", "v1alpha1"),
    ("networking.istio.io", "VirtualService", "virtualservices", "v1"),
    ("security.istio.io", "AuthorizationPolicy", "authorizationpolicies", "v1"),
    ("argoproj.io", "Rollout", "rollouts", "v1alpha1"),
    ("gateway.networking.k8s.io", "HTTPRoute", "httproutes", "v1"),
    ("snapshot.storage.k8s.io", "VolumeSnapshot", "volumesnapshots", "v1"),
)


def wanted(group: str, kind: str, plural: str, version: str) -> Definition:
    return Definition(
        group=group, kind=kind, plural=plural, scope="Namespaced", versions=[version], bundled=True
    )


@pytest.mark.parametrize(("group", "kind", "plural", "version"), PUBLISHED)
def test_a_published_kind_has_its_schema(group: str, kind: str, plural: str, version: str) -> None:
    asked = wanted(group, kind, plural, version)
    found = definitions.definitions([asked])[asked.name]
    assert definitions.has_schema(found)
    assert found["spec"]["names"]["kind"] == kind
    assert version in [item["name"] for item in found["spec"]["versions"] if item["served"]]
    assert found["spec"]["conversion"] == {"strategy": "None"}, "nobody answers a conversion webhook"


def test_every_group_that_is_pinned_is_tried_here() -> None:
    first = {source.groups[0] for source in definitions.sources()}
    tried = {group for group, *_ in PUBLISHED}
    assert {source.module for source in definitions.sources() if not tried & {*source.groups}} == set(), first


def test_what_nobody_publishes_takes_anything() -> None:
    asked = wanted("shop.example", "Order", "orders", "v1")
    found = definitions.definitions([asked])["orders.shop.example"]
    assert not definitions.has_schema(found)
    assert definitions.reference(found, bundled=True) == asked


def test_other_content_than_what_is_pinned_is_refused() -> None:
    source = dataclasses.replace(definitions.sources()[0], sum="h1:other")
    with pytest.raises(SandboxError, match=r"has the checksum .*; h1:other is pinned"):
        source.download()


def test_without_the_module_proxy_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    source = dataclasses.replace(definitions.sources()[0], version="v0.0.1")
    with pytest.raises(SandboxError, match=r"(?s)can't be had from .*make tools"):
        source.download()
