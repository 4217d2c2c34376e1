"""Reading the control API's document, whatever is in it."""

from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.folders import folder_of
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Document
from cloudcommerce_sandbox.kubernetes.parsing import DocumentError
from hypothesis import given
from hypothesis import strategies as st

CLUSTER: dict[str, Any] = {
    "name": "shop",
    "arn": "arn:aws:eks:us-east-1:123456789012:cluster/shop",
    "account": "123456789012",
    "region": "us-east-1",
    "version": "1.35",
    "status": "ACTIVE",
    "createdAt": "2026-01-01T00:00:00+00:00",
    "nodegroups": [
        {
            "name": "main",
            "status": "ACTIVE",
            "version": "1.35",
            "maxPods": None,
            "rootVolumeGiB": 30,
            "taints": [{"key": "spot", "effect": "NO_SCHEDULE"}],
            "instances": [
                {
                    "id": "i-1",
                    "type": "t3.medium",
                    "vcpus": 2,
                    "memoryMiB": 4096,
                    "zone": "us-east-1a",
                    "privateIp": "10.0.0.4",
                    "privateDnsName": "ip-10-0-0-4.ec2.internal",
                }
            ],
        }
    ],
}
DOCUMENT: dict[str, Any] = {"generation": 3, "incarnation": "abc", "clusters": [CLUSTER], "news": "unknown"}


def test_document_is_read_with_defaults_for_what_is_absent_or_null() -> None:
    cluster = Document.parse(DOCUMENT).clusters[0]

    group = cluster.nodegroups[0]
    assert (group.max_pods, group.root_volume_gib, group.capacity_type) == (None, 30, "ON_DEMAND")
    assert group.instances[0].memory_mib == 4096
    assert group.taints[0].value == ""
    assert cluster.addons == ()
    assert not cluster.creator_is_admin


def test_local_cluster_is_one_of_the_clusters() -> None:
    local = {"name": "kind", "nodes": [{"name": "a", "vcpus": 2, "memoryMiB": 4096}]}

    (cluster,) = Document.parse({"generation": 1, "incarnation": "abc", "local": [local]}).clusters

    assert (cluster.name, cluster.status, cluster.region) == ("kind", "ACTIVE", "")
    assert cluster.local is not None
    assert cluster.local.nodes[0].memory_mib == 4096


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ([], r"document is \[\], not an object"),
        ({**DOCUMENT, "generation": True}, r"document\.generation is True, not int"),
        ({**DOCUMENT, "clusters": {}}, r"document\.clusters is \{\}, not a list"),
        ({**DOCUMENT, "clusters": [{**CLUSTER, "name": 5}]}, r"document\.clusters\[0\]\.name is 5, not str"),
        (
            {**DOCUMENT, "clusters": [{**CLUSTER, "nodegroups": ["x"]}]},
            r"nodegroups\[0\] is 'x', not an object",
        ),
        (
            {**DOCUMENT, "clusters": [{**CLUSTER, "accessEntries": [{"principalArn": "a", "groups": [1]}]}]},
            r"accessEntries\[0\]\.groups\[0\] is 1, not str",
        ),
        (
            {**DOCUMENT, "local": [{"name": "l", "nodes": [{"name": "n", "vcpus": "2", "memoryMiB": 1}]}]},
            r"local\[0\]\.nodes\[0\]\.vcpus is '2', not int",
        ),
    ],
)
def test_document_of_another_shape_is_refused_with_the_place(change: Any, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        Document.parse(change)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*DOCUMENT, *CLUSTER]), inner)
    ),
    max_leaves=20,
)


@given(_json)
def test_no_document_does_more_than_be_refused(content: Any) -> None:
    try:
        read = Document.parse(content)
    except DocumentError:
        return
    assert isinstance(read, Document)


@given(st.text(max_size=30), st.text(max_size=30))
def test_each_cluster_has_a_folder_of_its_own_in_the_root(one: str, other: str) -> None:
    root = Path("/clusters")
    folders = {
        folder_of(root, ClusterSpec(name=name, region=region, version="1.35", status="ACTIVE"))
        for name in (one, other)
        for region in ("us-east-1", "us-west-2", "")
    }

    assert {folder.parent for folder in folders} == {root}
    assert len(folders) == 3 * len({one, other})
