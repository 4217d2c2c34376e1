"""The arithmetic of nodes against figures that people published of theirs."""

import pytest
from cloudcommerce_sandbox.kubernetes.controllers import capacity
from cloudcommerce_sandbox.kubernetes.controllers.capacity import InstanceType
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.mission_M39

SMALL = InstanceType("t3.small", 2, 2048, 3, 4)
MEDIUM = InstanceType("t3.medium", 2, 4096, 3, 6)
T3_LARGE = InstanceType("t3.large", 2, 8192, 3, 12)
M5_LARGE = InstanceType("m5.large", 2, 8192, 3, 10)
M6I_LARGE = InstanceType("m6i.large", 2, 8192, 3, 10)
M8G_LARGE = InstanceType("m8g.large", 2, 8192, 3, 10)
C5_XLARGE = InstanceType("c5.xlarge", 4, 8192, 4, 15)
G5_XLARGE = InstanceType("g5.xlarge", 4, 16384, 4, 15)
M5_24XLARGE = InstanceType("m5.24xlarge", 96, 393216, 15, 50)


@pytest.mark.parametrize(
    ("instance", "pods"),
    # https://github.com/aws/amazon-vpc-cni-k8s/blob/master/misc/eni-max-pods.txt
    [(SMALL, 11), (MEDIUM, 17), (T3_LARGE, 35), (M5_LARGE, 29), (C5_XLARGE, 58), (M5_24XLARGE, 737)],
)
def test_addresses_limit_pods_as_aws_lists_them(instance: InstanceType, pods: int) -> None:
    assert instance.default_pods == pods


@pytest.mark.parametrize(
    ("instance", "memory_kib"),
    # The allocatable memory that `kubectl describe node` showed on nodes of Amazon Linux 2023.
    [
        (SMALL, 1_394_088),
        (MEDIUM, 3_376_720),
        (T3_LARGE, 7_248_300),
        (M6I_LARGE, 7_291_828),
        (M8G_LARGE, 7_257_988),
    ],
)
def test_memory_for_pods_is_within_one_and_a_half_percent_of_real_nodes(
    instance: InstanceType, memory_kib: int
) -> None:
    has = capacity.capacity(instance, 20)

    assert capacity.allocatable(instance, has).memory_kib == pytest.approx(memory_kib, rel=0.015)


def test_what_is_reserved_is_exact() -> None:
    """3931728Ki of capacity gave 3376720Ki on a t3.medium, 8006060Ki gave 7248300Ki on a t3.large."""
    assert capacity.reserved_memory_mib(17) + 100 == (3_931_728 - 3_376_720) / 1024
    assert capacity.reserved_memory_mib(35) + 100 == (8_006_060 - 7_248_300) / 1024


@pytest.mark.parametrize(
    ("vcpus", "left"), [(1, 940), (2, 1930), (4, 3920), (8, 7910), (16, 15890), (36, 35840), (96, 95690)]
)
def test_cpu_for_pods(vcpus: int, left: int) -> None:
    assert vcpus * 1000 - capacity.reserved_cpu_millicores(vcpus * 1000) == left


@pytest.mark.parametrize(
    ("gib", "has_kib", "left"),
    # Nodes with root volumes of 20, 50 and 100 GiB.
    [(20, 20_893_676, 18_181_869_946), (50, 52_350_956, 47_172_899_146), (100, 104_779_756, 95_491_281_146)],
)
def test_ephemeral_storage_is_exact(gib: int, has_kib: int, left: int) -> None:
    has = capacity.capacity(MEDIUM, gib)

    assert has.quantities()["ephemeral-storage"] == f"{has_kib}Ki"
    assert capacity.allocatable(MEDIUM, has).quantities()["ephemeral-storage"] == str(left)


def test_more_pods_by_prefix_delegation_do_not_reserve_more_memory() -> None:
    """A real m6i.large kept 7291828Ki at 110 pods: nodeadm reserves by the type's addresses."""
    few, many = (capacity.capacity(M6I_LARGE, 20, pods) for pods in (None, 110))

    assert (few.pods, many.pods) == (29, 110)
    assert capacity.allocatable(M6I_LARGE, many).memory_kib == capacity.allocatable(M6I_LARGE, few).memory_kib


def test_an_amount_in_the_kubelets_configuration_is_reserved_instead() -> None:
    has = capacity.capacity(MEDIUM, 20, 30)

    assert has.memory_kib - capacity.allocatable(MEDIUM, has, 585).memory_kib == (585 + 100) * 1024


def test_a_node_says_it_in_kubernetes_words() -> None:
    has = capacity.capacity(MEDIUM, 20)

    assert has.quantities()["cpu"] == "2"
    assert capacity.allocatable(MEDIUM, has).quantities()["cpu"] == "1930m"
    assert capacity.allocatable(MEDIUM, has).quantities()["pods"] == "17"


@given(vcpus=st.integers(1, 448), memory_gib=st.integers(1, 24_576), interfaces=st.integers(2, 15))
def test_pods_get_less_than_there_is_and_something_of_it(
    vcpus: int, memory_gib: int, interfaces: int
) -> None:
    instance = InstanceType("x", vcpus, memory_gib * 1024, interfaces, 4)
    has = capacity.capacity(instance, 20)
    left = capacity.allocatable(instance, has)

    assert 0 < left.cpu_millicores < has.cpu_millicores
    assert left.memory_kib < has.memory_kib < memory_gib * 1024 * 1024
    assert 0 < left.ephemeral_bytes < has.ephemeral_bytes
