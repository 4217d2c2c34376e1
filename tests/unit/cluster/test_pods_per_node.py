"""How many pods a node takes, against figures that can be reckoned by hand."""

import base64
import email
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cluster.instance_types import INSTANCE_TYPES, InstanceType, alike, instance_type
from components.cluster.node_config import node_config, user_data
from components.cluster.pods_per_node import (
    MIN_MIB_PER_POD,
    address_limit,
    allocatable_memory_mib,
    pods_per_node,
    reserve,
    usable_memory_mib,
)

T3_MEDIUM = INSTANCE_TYPES["t3.medium"]

INSTANCES = st.builds(
    InstanceType,
    vcpus=st.integers(1, 192),
    memory_mib=st.integers(512, 2_000_000),
    interfaces=st.integers(2, 15),
    addresses=st.integers(2, 50),
)


@pytest.mark.mission_M21
def test_a_t3_medium_keeps_three_gib_for_thirty_pods() -> None:
    """4096 MiB less 7.5 % is 3788; less 255 + 30 x 11 for the kubelet and 100 before eviction, 3103."""
    assert pods_per_node([T3_MEDIUM]) == 30
    assert reserve(T3_MEDIUM, 30).memory_mib == 585
    assert allocatable_memory_mib(T3_MEDIUM, 30) == 3103


def test_the_most_pods_by_address_would_cost_a_t3_medium_a_quarter_of_its_memory() -> None:
    assert address_limit(T3_MEDIUM) == 110
    assert allocatable_memory_mib(T3_MEDIUM, 30) - allocatable_memory_mib(T3_MEDIUM, 110) == 80 * 11


@pytest.mark.parametrize(
    ("vcpus", "millicores"), [(1, 60), (2, 70), (3, 75), (4, 80), (8, 90), (16, 110), (96, 310)]
)
def test_processors_are_held_back_as_nodeadm_does(vcpus: int, millicores: int) -> None:
    """6 % of the first processor, 1 % of the second, 0.5 % of two more, 0.25 % of each other one."""
    instance = InstanceType(vcpus=vcpus, memory_mib=4096, interfaces=3, addresses=6)

    assert reserve(instance, 10).millicores == millicores


@given(st.lists(INSTANCES, min_size=1, max_size=5))
def test_every_pod_has_its_share_on_every_type_and_one_more_would_not(instances: list[InstanceType]) -> None:
    try:
        pods = pods_per_node(instances)
    except ValueError:
        assert min(allocatable_memory_mib(each, 1) for each in instances) < MIN_MIB_PER_POD
        return
    assert all(allocatable_memory_mib(each, pods) >= pods * MIN_MIB_PER_POD for each in instances)
    assert any(
        allocatable_memory_mib(each, pods + 1) < (pods + 1) * MIN_MIB_PER_POD or address_limit(each) == pods
        for each in instances
    )


def test_a_node_without_memory_for_pods_is_refused() -> None:
    tiny = InstanceType(vcpus=2, memory_mib=400, interfaces=2, addresses=2)

    with pytest.raises(ValueError, match=r"no memory is left for pods.*355 MiB itself; take a larger"):
        pods_per_node([tiny])


def test_addresses_never_exceed_what_eks_supports() -> None:
    large = InstanceType(vcpus=64, memory_mib=262_144, interfaces=15, addresses=50)

    assert address_limit(large) == 250
    assert max(address_limit(each) for each in INSTANCE_TYPES.values()) == 110


def test_usable_memory_is_never_more_than_there_is() -> None:
    assert all(usable_memory_mib(each) < each.memory_mib for each in INSTANCE_TYPES.values())


def test_types_of_one_size_are_alike() -> None:
    assert list(alike(["m5.large", "t3.large", "m7a.large"])) == ["m5.large", "t3.large", "m7a.large"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["m5.large", "m5.xlarge"],
            "m5.xlarge: not the 2 vCPU and 8 GiB of m5.large.*take types of one size",
        ),
        (
            ["t3.medium", "t3.large", "r6i.large"],
            "t3.large, r6i.large: not the 2 vCPU and 4 GiB of t3.medium",
        ),
        (
            ["m5.large", "m5.huge"],
            "unknown instance type 'm5.huge': take one of m5.large, .*instance_types.py",
        ),
    ],
)
def test_types_that_differ_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alike(names)


def test_the_node_is_told_pods_and_reserve_in_what_eks_merges() -> None:
    decoded = base64.b64decode(user_data(node_config(30, reserve(T3_MEDIUM, 30)))).decode()
    (part,) = [each for each in email.message_from_string(decoded).walk() if not each.is_multipart()]

    assert part.get_content_type() == "application/node.eks.aws"
    document = json.loads(str(part.get_payload()))
    assert (document["apiVersion"], document["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig")
    assert document["spec"]["kubelet"]["config"] == {
        "maxPods": 30,
        "kubeReserved": {"cpu": "70m", "ephemeral-storage": "1Gi", "memory": "585Mi"},
    }


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown instance type 'db.t3'"):
        instance_type("db.t3")
