"""Where each subnet lies in the address range of a VPC: pure arithmetic, no Pulumi.

Every zone letter owns one fixed slot of the range, whether the zone is in use or not. So adding or removing a
zone, or listing zones in another order, never moves (which would mean: replaces) a subnet of another zone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network

# No AWS region has more than six zones (us-east-1, a to f); a power of two keeps the slots aligned.
ZONE_LETTERS = "abcdefgh"
_SLOT_BITS = 3

# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
MIN_VPC_PREFIX, MAX_SUBNET_PREFIX = 16, 28
# A load balancer needs a /27 with eight free addresses in each subnet.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
MAX_PUBLIC_PREFIX = 27
_PRIVATE_RANGES = tuple(
    IPv4Network(c) for c in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)


class Tier(StrEnum):
    """The three kinds of subnet, in the order in which equal sizes are laid out."""

    PRIVATE = "private"
    PUBLIC = "public"
    DATA = "data"


@dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    """The subnets of one zone."""

    zone: str
    private: IPv4Network
    public: IPv4Network
    data: IPv4Network

    @property
    def letter(self) -> str:
        """The zone's letter, which names its resources."""
        return self.zone[-1]


def plan_subnets(
    vpc_cidr: str, zones: Sequence[str], prefixes: Mapping[Tier, int] | None = None
) -> tuple[ZoneSubnets, ...]:
    """Lay out the subnets of every zone in the VPC's range.

    Args:
        vpc_cidr: The VPC's range, such as `10.0.0.0/16`.
        zones: Availability zones by name, such as `us-east-1a`.
        prefixes: Prefix length per tier. Unless given, half of a zone's slot is private (pods take an address
            each) and an eighth each is public and data; the rest stays free for what comes later.

    Returns:
        One entry a zone, sorted by zone.

    Raises:
        ValueError: the range, a zone or a size cannot be; says the value, the limit and the remedy.
    """
    vpc = parse_vpc_cidr(vpc_cidr)
    letters = _zone_letters(zones)
    slot_prefix = vpc.prefixlen + _SLOT_BITS
    sizes = default_prefixes(vpc) | dict(prefixes or {})
    _check_sizes(vpc, slot_prefix, sizes)
    slots = list(vpc.subnets(new_prefix=slot_prefix))
    return tuple(
        ZoneSubnets(
            zone=zone, **{t.value: n for t, n in _carve(slots[ZONE_LETTERS.index(letter)], sizes).items()}
        )
        for letter, zone in sorted(letters.items())
    )


def parse_vpc_cidr(vpc_cidr: str) -> IPv4Network:
    """Read a VPC's range and refuse one that AWS or this plan cannot use.

    Raises:
        ValueError: not a network, not private, or of a size that does not work.
    """
    try:
        vpc = IPv4Network(vpc_cidr)
    except ValueError as error:
        raise ValueError(
            f"{vpc_cidr!r} is not an IPv4 network ({error}): write it like 10.0.0.0/16"
        ) from None
    if not any(vpc.subnet_of(private) for private in _PRIVATE_RANGES):
        ranges = ", ".join(str(private) for private in _PRIVATE_RANGES)
        raise ValueError(f"{vpc} is not private address space: take a part of {ranges}")
    max_prefix = MAX_PUBLIC_PREFIX - 2 * _SLOT_BITS
    if not MIN_VPC_PREFIX <= vpc.prefixlen <= max_prefix:
        raise ValueError(
            f"{vpc} is a /{vpc.prefixlen}: AWS takes nothing larger than /{MIN_VPC_PREFIX}, and "
            f"three tiers in up to {len(ZONE_LETTERS)} zones need a /{max_prefix} or larger"
        )
    return vpc


def default_prefixes(vpc: IPv4Network) -> dict[Tier, int]:
    """Prefix lengths that give half of a zone's slot to private subnets, an eighth each to the others."""
    slot_prefix = vpc.prefixlen + _SLOT_BITS
    return {Tier.PRIVATE: slot_prefix + 1, Tier.PUBLIC: slot_prefix + 3, Tier.DATA: slot_prefix + 3}


def _zone_letters(zones: Sequence[str]) -> dict[str, str]:
    if not zones:
        raise ValueError("no zones: list the availability zones by name, such as us-east-1a")
    letters: dict[str, str] = {}
    for zone in zones:
        if not re.fullmatch(rf"[a-z]{{2}}(-[a-z]+)+-\d[{ZONE_LETTERS}]", zone):
            raise ValueError(
                f"{zone!r} is not an availability zone: write region and letter (a to {ZONE_LETTERS[-1]}), "
                "such as us-east-1a"
            )
        if zone[-1] in letters:
            raise ValueError(f"zones {letters[zone[-1]]} and {zone} share a letter: list each zone once")
        letters[zone[-1]] = zone
    return letters


def _check_sizes(vpc: IPv4Network, slot_prefix: int, sizes: Mapping[Tier, int]) -> None:
    for tier, prefix in sizes.items():
        limit = MAX_PUBLIC_PREFIX if tier is Tier.PUBLIC else MAX_SUBNET_PREFIX
        if not slot_prefix < prefix <= limit:
            raise ValueError(
                f"{tier} subnets of /{prefix} do not work in {vpc}: each zone owns a /{slot_prefix}, so take "
                f"/{slot_prefix + 1} to /{limit}"
            )
    needed, available = sum(2 ** (32 - p) for p in sizes.values()), 2 ** (32 - slot_prefix)
    if needed > available:
        listed = ", ".join(f"{tier} /{prefix}" for tier, prefix in sizes.items())
        raise ValueError(
            f"{listed} need {needed} addresses a zone, but a zone's part of {vpc} has {available}: "
            "make a tier smaller or the VPC larger"
        )


def _carve(slot: IPv4Network, sizes: Mapping[Tier, int]) -> dict[Tier, IPv4Network]:
    # Largest first: then each next block starts aligned to its own size.
    order = sorted(Tier, key=lambda tier: (sizes[tier], list(Tier).index(tier)))
    start = int(slot.network_address)
    placed = {}
    for tier in order:
        placed[tier] = IPv4Network((start, sizes[tier]))
        start += placed[tier].num_addresses
    return placed
