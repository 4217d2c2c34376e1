"""Comparing, naming and marking, without a cluster."""

from typing import Any

import pytest
from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import crd_fields, diff, drift, immutable, objects
from cloudcommerce_sandbox.plugins.kubernetes.awaiting import expressions
from cloudcommerce_sandbox.plugins.kubernetes.awaiting.status import Look
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster
from cloudcommerce_sandbox.plugins.kubernetes.configuration import Settings
from cloudcommerce_sandbox.plugins.kubernetes.equality import parse_quantity, same
from cloudcommerce_sandbox.plugins.kubernetes.secret_marks import mark, masked
from cloudcommerce_sandbox.plugins.provider import ProviderError
from hypothesis import given
from hypothesis import strategies as st

_SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
_TREES = st.dictionaries(
    st.text(min_size=1, max_size=3),
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner),
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1000m", "1"),
        ("1", 1),
        ("0.5", "500m"),
        ("1Gi", "1024Mi"),
        ("1e3", "1k"),
        ("1E3", "1000"),
        ("2E", "2000P"),
    ],
)
def test_quantities_of_one_amount_are_the_same(left: Any, right: Any) -> None:
    assert same(left, right, ("spec", "hard", "cpu"))
    assert not same(left, right, ("metadata", "labels", "cpu")), "elsewhere they are just texts"


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1Gb", "--1", True, None, [], "1e"])
def test_no_quantity(text: Any) -> None:
    assert parse_quantity(text) is None


@given(_TREES)
def test_nothing_differs_from_itself(tree: Any) -> None:
    assert diff.compare(tree, tree) == {}
    assert drift.live_inputs(tree, tree, tree) == tree


@given(_TREES, _TREES)
def test_fields_of_others_are_no_drift(tree: Any, others: Any) -> None:
    live = {**others, **tree}
    assert drift.live_inputs(tree, {}, live) == tree


def test_difference_paths_are_the_engines() -> None:
    old = {"data": {"app.conf": "a", "x": "1"}, "spec": {"ports": [{"port": 80}]}}
    new = {"data": {"app.conf": "b"}, "spec": {"ports": [{"port": 81}, {"port": 82}]}, "type": "Opaque"}
    kinds = {path: change.kind.value for path, change in diff.compare(old, new).items()}
    assert kinds == {
        'data["app.conf"]': "UPDATE",
        "data.x": "DELETE",
        "spec.ports[0].port": "UPDATE",
        "spec.ports[1]": "ADD",
        "type": "ADD",
    }


def test_empty_values_are_as_good_as_none_but_unknown_ones_differ() -> None:
    assert diff.compare({}, {"hostNetwork": False, "nodeSelector": {}, "args": [], "note": ""}) == {}
    assert set(diff.compare({"a": "1"}, {"a": wire.UNKNOWN})) == {"a"}


def test_drift_follows_named_items_and_ignores_what_the_server_always_wrote() -> None:
    given_ = {"containers": [{"name": "app", "image": "a:1", "cpu": "1000m"}], "stringData": {"p": "x"}}
    before = {"containers": [{"name": "app", "image": "proxy/a:1", "cpu": "1"}], "data": {"p": "eA=="}}
    now = {
        "containers": [
            {"name": "sidecar", "image": "s:1"},
            {"name": "app", "image": "proxy/a:1", "cpu": "1"},
        ],
        "data": {"p": "eA=="},
    }
    assert drift.live_inputs(given_, before, now) == given_
    now["containers"][1]["image"] = "evil:1"  # type: ignore[index]
    assert drift.live_inputs(given_, before, now)["containers"][0]["image"] == "evil:1"


def test_drift_shows_what_was_taken_away() -> None:
    labels = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    found = drift.live_inputs(labels, labels, {"metadata": {"labels": {"a": "1", "c": "3"}}})
    assert found == {"metadata": {"labels": {"a": "1"}}}
    assert drift.live_inputs({"args": ["a"]}, {"args": ["a"]}, {"args": ["a", "b"]}) == {"args": ["a", "b"]}


@pytest.mark.parametrize(
    ("kind", "path", "replaces"),
    [
        ("v1/Pod", "spec.containers[0].image", True),
        ("v1/Pod", "metadata.labels.app", False),
        ("apps/v1/Deployment", "spec.selector.matchLabels.app", True),
        ("apps/v1/Deployment", "spec.template.spec.containers[0].image", False),
        ("apps/v1/StatefulSet", "spec.volumeClaimTemplates[0].spec.resources.requests.storage", True),
        ("v1/ConfigMap", 'data["app.conf"]', True),
        ("v1/ConfigMap", "metadata.name", True),
        ("example.com/v1/Cart", "spec.size", False),
        ("batch/v1/Job", "spec", True),
    ],
)
def test_replacing_fields(kind: str, path: str, replaces: bool) -> None:
    api_version, _, name = kind.rpartition("/")
    fields = immutable.replacing_fields({"apiVersion": api_version, "kind": name}, Settings(), patch=False)
    assert immutable.replaces(path, fields) is replaces


def test_mutable_data_changes_in_place_unless_the_object_is_frozen() -> None:
    config_map = {"apiVersion": "v1", "kind": "ConfigMap"}
    settings = Settings(config_map_mutable=True)
    assert "data" not in immutable.replacing_fields(config_map, settings, patch=False)
    assert "data" in immutable.replacing_fields({**config_map, "immutable": True}, settings, patch=False)


def test_secrets_are_marked_with_kubectls_copy_of_them() -> None:
    note = "kubectl.kubernetes.io/last-applied-configuration"
    live = {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {"p": "eA=="},
        "metadata": {"name": "s", "annotations": {note: '{"data":{"p":"eA=="}}'}},
    }
    marked = mark(live, {})
    assert "eA==" not in repr(marked)
    assert marked["metadata"]["name"] == "s"
    assert wire.reveal(marked) == live


def test_secrecy_of_inputs_is_inherited() -> None:
    marked = mark(
        {"spec": {"env": [{"value": "x"}], "open": "y"}}, {"spec": {"env": [{"value": wire.Secret("x")}]}}
    )
    assert wire.has_secret(marked["spec"]["env"])
    assert marked["spec"]["open"] == "y"


def test_schema_extensions_have_two_spellings() -> None:
    typed = {"schema": [{"x_kubernetes_list_map_keys": ["a"], "x_other": 1}]}
    assert crd_fields.to_server(typed) == {"schema": [{"x-kubernetes-list-map-keys": ["a"], "x_other": 1}]}
    assert crd_fields.to_sdk(crd_fields.to_server(typed)) == typed


@pytest.mark.parametrize("text", ["", "a/b/c", "/a", "a/"])
def test_ids_that_are_none(text: str) -> None:
    with pytest.raises(ProviderError, match="namespace/name"):
        objects.parse_id(text)


_LIVE: dict[str, Any] = {
    "metadata": {"generation": 2},
    "status": {
        "phase": "Bound",
        "count": 3,
        "observedGeneration": 2,
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Sick", "status": "False"}],
    },
}


@pytest.mark.parametrize(
    ("expression", "ready"),
    [
        ("jsonpath={.status.phase}", True),
        ("jsonpath={.status.phase}=Bound", True),
        ("jsonpath={.status.phase}=Lost", False),
        ("jsonpath={.status.count}=3", True),
        ("jsonpath={.status.missing}", False),
        ("jsonpath={.status.conditions[0].status}=True", True),
        ('jsonpath={.status.conditions[?(@.type=="Sick")].status}=False', True),
        ("jsonpath={.status.conditions[*].type}=Ready", True),
        ("condition=Ready", True),
        ("condition=Sick", False),
        ("condition=Sick=False", True),
        ('["condition=Ready", "jsonpath={.status.phase}=Lost"]', False),
    ],
)
def test_wait_for_expressions(expression: str, ready: bool) -> None:
    look = Look(_LIVE, Cluster(Settings()))
    assert expressions.parse(expression)(look).ready is ready


@pytest.mark.parametrize(
    "text", ["Ready", "[]", "jsonpath=.status.phase", "jsonpath={.a}=", "jsonpath={.a[}", "jsonpath={.a b}"]
)
def test_wait_for_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ProviderError, match="waitFor"):
        expressions.parse(text)


def test_a_jsonpath_of_an_older_generation_does_not_count() -> None:
    stale = {**_LIVE, "metadata": {"generation": 3}}
    assert not expressions.parse("jsonpath={.status.phase}=Bound")(Look(stale, Cluster(Settings()))).ready


_PARTS = st.text(alphabet='ab.[]"/', min_size=1, max_size=5) | st.integers(0, 9)


@given(st.lists(_PARTS, min_size=1, max_size=4))
def test_a_path_comes_back_from_its_text(path: list[str | int]) -> None:
    assert diff.path_of(diff.text_of(("root", *path))) == ("root", *path)


def test_a_path_that_stands_for_several_is_none() -> None:
    assert diff.path_of("spec.containers[*].image") is None
    assert diff.path_of("spec.*.image") is None


def test_secrets_are_masked_however_a_server_writes_them() -> None:
    tree = {
        "data": wire.Secret({"a": 'line one\n"two"', "b": 123456, "c": True, "d": "up"}),
        "open": "visible",
    }
    message = 'bad "line one\\n\\"two\\"" and bGluZSBvbmUKInR3byI= and 123456: visible, True, up'
    assert masked(message, tree) == 'bad "[secret]" and [secret] and [secret]: visible, True, up'
