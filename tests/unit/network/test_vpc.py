"""The VPC's promises, on the resources that it registers."""

import pytest

from components.network.vpc import Vpc, VpcArgs
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M20

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def vpc(*, zones: tuple[str, ...] = ZONES, nat_per_zone: bool = True, preview: bool = False) -> Deployment:
    args = VpcArgs(cidr="10.0.0.0/16", zones=zones, nat_per_zone=nat_per_zone)
    return deploy(lambda: Vpc("core", args).data_subnet_ids, preview=preview)


def subnets_of_table(deployment: Deployment, table: str) -> set[str]:
    table_id = deployment.named(table, "RouteTable").name + "-id"
    associations = deployment.all("RouteTableAssociation")
    return {a.inputs["subnetId"] for a in associations if a.inputs["routeTableId"] == table_id}


def test_three_tiers_in_each_zone() -> None:
    subnets = vpc().all("Subnet")

    assert {(s.inputs["tags"]["Tier"], s.inputs["availabilityZone"]) for s in subnets} == {
        (tier, zone) for tier in ("public", "private", "data") for zone in ZONES
    }
    assert not any(s.inputs["mapPublicIpOnLaunch"] for s in subnets)


def test_data_subnets_have_no_route_out() -> None:
    deployment = vpc()

    assert subnets_of_table(deployment, "core-data") == {f"core-data-{zone}-id" for zone in "abc"}
    assert set(deployment.result) == subnets_of_table(deployment, "core-data")
    assert not [r for r in deployment.all("Route") if r.inputs["routeTableId"] == "core-data-id"]


def test_no_subnet_is_left_to_the_main_route_table() -> None:
    deployment = vpc()

    assert {a.inputs["subnetId"] for a in deployment.all("RouteTableAssociation")} == {
        f"{subnet.name}-id" for subnet in deployment.all("Subnet")
    }


def test_only_public_subnets_reach_the_internet_gateway() -> None:
    deployment = vpc()
    to_internet = [r for r in deployment.all("Route") if "gatewayId" in r.inputs]

    assert [r.inputs["routeTableId"] for r in to_internet] == ["core-public-id"]
    assert subnets_of_table(deployment, "core-public") == {f"core-public-{zone}-id" for zone in "abc"}


def test_each_zone_has_a_nat_gateway_of_its_own() -> None:
    deployment = vpc()

    for zone in "abc":
        route = deployment.named(f"core-private-{zone}-nat", "Route")
        assert route.inputs["natGatewayId"] == f"core-nat-{zone}-id"
        nat = deployment.named(f"core-nat-{zone}", "NatGateway")
        assert nat.inputs["subnetId"] == f"core-public-{zone}-id"
        assert subnets_of_table(deployment, f"core-private-{zone}") == {f"core-private-{zone}-id"}


def test_one_nat_gateway_serves_all_zones_by_setting() -> None:
    deployment = vpc(nat_per_zone=False)

    assert [n.name for n in deployment.all("NatGateway")] == ["core-nat-a"]
    nats = {r.inputs["natGatewayId"] for r in deployment.all("Route") if "natGatewayId" in r.inputs}
    assert nats == {"core-nat-a-id"}


def test_default_security_group_allows_nothing() -> None:
    group = vpc().one("DefaultSecurityGroup")

    assert (group.inputs["ingress"], group.inputs["egress"]) == ([], [])


def test_load_balancers_of_the_cluster_find_their_subnets() -> None:
    deployment = vpc()

    for zone in "abc":
        public, private, data = (
            deployment.named(f"core-{tier}-{zone}", "Subnet").inputs["tags"]
            for tier in ("public", "private", "data")
        )
        assert public["kubernetes.io/role/elb"] == "1"
        assert private["kubernetes.io/role/internal-elb"] == "1"
        assert not [key for key in data if key.startswith("kubernetes.io")]


@pytest.mark.parametrize("added", ["us-east-1d", "us-east-1f"])
def test_adding_a_zone_changes_nothing_that_exists(added: str) -> None:
    def shape(deployment: Deployment) -> dict[str, object]:
        return {r.urn: r.inputs for r in deployment.resources}

    before, after = shape(vpc()), shape(vpc(zones=(*ZONES, added)))

    assert before.items() <= after.items()


def test_a_single_zone_can_grow_without_renames() -> None:
    assert {r.urn for r in vpc(zones=ZONES[:1]).resources} <= {r.urn for r in vpc().resources}


def test_preview_knows_the_plan_before_anything_exists() -> None:
    subnets = vpc(preview=True).all("Subnet")

    assert len({s.inputs["cidrBlock"] for s in subnets}) == 9
