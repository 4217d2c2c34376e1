"""The subnet plan is pure arithmetic: its promises are checked for any network, not for examples."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.network.cidr import Tier, ZoneSubnets, default_prefixes, plan_subnets

ZONES = [f"us-east-1{letter}" for letter in "abcdefgh"]

zone_sets = st.lists(st.sampled_from(ZONES), min_size=1, max_size=8, unique=True)


@st.composite
def vpcs(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(st.integers(16, 21))
    parent = IPv4Network(draw(st.sampled_from(["10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10"])))
    index = draw(st.integers(0, 2 ** (prefix - parent.prefixlen) - 1))
    return IPv4Network((int(parent.network_address) + index * 2 ** (32 - prefix), prefix))


def all_subnets(plan: tuple[ZoneSubnets, ...]) -> list[IPv4Network]:
    return [network for zone in plan for network in (zone.private, zone.public, zone.data)]


@given(vpcs(), zone_sets)
def test_subnets_lie_in_the_vpc_and_never_overlap(vpc: IPv4Network, zones: list[str]) -> None:
    subnets = all_subnets(plan_subnets(str(vpc), zones))

    assert len(subnets) == 3 * len(zones)
    assert all(subnet.subnet_of(vpc) for subnet in subnets)
    assert not any(a.overlaps(b) for a, b in combinations(subnets, 2))


@given(vpcs(), zone_sets, zone_sets)
def test_a_zone_keeps_its_subnets_whatever_other_zones_do(
    vpc: IPv4Network, before: list[str], after: list[str]
) -> None:
    first = {zone.zone: zone for zone in plan_subnets(str(vpc), before)}
    second = {zone.zone: zone for zone in plan_subnets(str(vpc), after)}

    assert all(first[zone] == second[zone] for zone in first.keys() & second.keys())


@given(vpcs(), st.data())
def test_any_sizes_that_fit_are_laid_out_without_overlap(vpc: IPv4Network, data: st.DataObject) -> None:
    slot = vpc.prefixlen + 3
    prefixes = {
        tier: data.draw(st.integers(slot + 2, 27 if tier is Tier.PUBLIC else 28), label=tier) for tier in Tier
    }

    plan = plan_subnets(str(vpc), ZONES, prefixes)

    assert {zone.private.prefixlen for zone in plan} == {prefixes[Tier.PRIVATE]}
    assert not any(a.overlaps(b) for a, b in combinations(all_subnets(plan), 2))


def test_defaults_leave_a_quarter_of_each_slot_free() -> None:
    sizes = default_prefixes(IPv4Network("10.0.0.0/16"))

    assert sizes == {Tier.PRIVATE: 20, Tier.PUBLIC: 22, Tier.DATA: 22}


@pytest.mark.parametrize(
    ("cidr", "zones", "prefixes", "message"),
    [
        ("ten", ZONES[:3], {}, "'ten' is not an IPv4 network"),
        ("10.0.0.1/16", ZONES[:3], {}, "10.0.0.1/16 has host bits set"),
        ("8.0.0.0/16", ZONES[:3], {}, "8.0.0.0/16 is not private address space: take a part of 10.0.0.0/8"),
        ("10.0.0.0/15", ZONES[:3], {}, "10.0.0.0/15 is a /15: AWS takes nothing larger than /16"),
        ("10.0.0.0/22", ZONES[:3], {}, "need a /21 or larger"),
        ("10.0.0.0/16", [], {}, "no zones"),
        ("10.0.0.0/16", ["us-east-1"], {}, "'us-east-1' is not an availability zone"),
        ("10.0.0.0/16", ["us-east-1z"], {}, r"letter \(a to h\)"),
        ("10.0.0.0/16", ["us-east-1a", "us-east-1a"], {}, "share a letter"),
        ("10.0.0.0/16", ["us-east-1a", "us-west-2a"], {}, "share a letter"),
        ("10.0.0.0/16", ZONES[:3], {Tier.PRIVATE: 19}, "private subnets of /19 do not work.*take /20 to /28"),
        ("10.0.0.0/16", ZONES[:3], {Tier.DATA: 29}, "data subnets of /29 do not work"),
        ("10.0.0.0/16", ZONES[:3], {Tier.PUBLIC: 28}, "public subnets of /28.*to /27"),
        ("10.0.0.0/16", ZONES[:3], {Tier.DATA: 20}, "need 9216 addresses a zone, but .* has 8192"),
    ],
)
def test_errors_name_the_value_the_limit_and_the_remedy(
    cidr: str, zones: list[str], prefixes: dict[Tier, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plan_subnets(cidr, zones, prefixes)
