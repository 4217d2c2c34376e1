"""What Amazon ElastiCache refuses."""

from __future__ import annotations

import re
from typing import Any

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, combination, invalid, refuses

_API = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg"
_MAX_SNAPSHOT_DAYS = 35
_PASSWORD_LENGTH = (16, 128)
_MAX_NODES = 6
_ENGINES = ("valkey", "redis")
_IDENTIFIER = re.compile(r"^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,39}(?<!-)$")


def _group(request: Request) -> Any | None:
    return state.backend("elasticache", request.region).replication_groups.get(
        request.get("ReplicationGroupId")
    )


@refuses(
    "elasticache", "CreateReplicationGroup", "ModifyReplicationGroup", source=f"{_GUIDE}/engine-versions.html"
)
def engine_version_out_of_support(request: Request) -> None:
    """Only versions that can still be created."""
    group = _group(request)
    engine = request.get("Engine") or (group.engine if group else "redis")
    version = request.get("EngineVersion")
    if engine not in _ENGINES:
        raise invalid(f"{engine} is not a valid engine; take one of {', '.join(_ENGINES)}")
    if catalog.is_refused(engine, version):
        raise combination(
            f"Cannot find version {version} for {engine} ({catalog.source_of_versions(engine)})"
        )


@refuses("elasticache", "CreateReplicationGroup", source=f"{_API}/API_CreateReplicationGroup.html")
def replication_group_identifier_rules(request: Request) -> None:
    """A letter, then letters, digits and single hyphens, 40 in all."""
    identifier = str(request.get("ReplicationGroupId"))
    if not _IDENTIFIER.match(identifier):
        raise invalid(
            f"The parameter ReplicationGroupId {identifier!r} is not valid: 1 to 40 letters, "
            f"digits or hyphens, "
            "the first a letter, the last no hyphen, no two hyphens together."
        )


@refuses("elasticache", "CreateCacheParameterGroup", source=f"{_API}/API_CreateCacheParameterGroup.html")
def parameter_group_family_unknown(request: Request) -> None:
    """A family is of an engine's version that there is."""
    family = request.get("CacheParameterGroupFamily")
    known = [name for engine in ("memcached", "redis", "valkey") for name in catalog.families(engine)]
    if family not in known:
        raise invalid(f"CacheParameterGroupFamily {family} is not a valid parameter group family: {known}")


@refuses(
    "elasticache", "CreateReplicationGroup", "ModifyReplicationGroup", source=f"{_GUIDE}/AutoFailover.html"
)
def failover_without_a_replica(request: Request) -> None:
    """Automatic failover needs a replica, and Multi-AZ needs automatic failover."""
    group = _group(request)
    failover = request.get("AutomaticFailoverEnabled", bool(group and group.automatic_failover == "enabled"))
    multi_az = request.get("MultiAZEnabled", bool(group and group.multi_az == "enabled"))
    nodes = len(group.member_clusters) if group else _requested_nodes(request)
    if failover and nodes < 2:  # noqa: PLR2004 - a primary and a replica
        raise combination("Replication group with automatic failover must have at least one replica.")
    if multi_az and not failover:
        raise combination("Multi-AZ cannot be enabled unless automatic failover is.")


def _requested_nodes(request: Request) -> int:
    return int(request.get("NumCacheClusters") or 1 + int(request.get("ReplicasPerNodeGroup") or 0))


@refuses("elasticache", "CreateReplicationGroup", source=f"{_API}/API_CreateReplicationGroup.html")
def too_many_nodes(request: Request) -> None:
    """A primary and five replicas at most."""
    if _requested_nodes(request) > _MAX_NODES:
        raise invalid(f"NumCacheClusters is {_requested_nodes(request)}; the most is {_MAX_NODES}.")


@refuses(
    "elasticache", "CreateReplicationGroup", "ModifyReplicationGroup", source=f"{_GUIDE}/Clusters.RBAC.html"
)
def users_without_transit_encryption(request: Request) -> None:
    """User groups and tokens travel only over TLS, and exclude each other."""
    group = _group(request)
    engine = request.get("Engine") or (group.engine if group else "redis")
    encrypted = request.get("TransitEncryptionEnabled")
    if encrypted is None:
        encrypted = group.transit_encryption_enabled if group else engine == "valkey"
    users = request.get("UserGroupIds") or request.get("UserGroupIdsToAdd")
    if (users or request.get("AuthToken")) and not encrypted:
        raise combination("User groups and AUTH tokens need encryption in transit to be enabled.")
    if users and request.get("AuthToken"):
        raise combination("A replication group has either a user group or an AUTH token.")


@refuses("elasticache", "CreateReplicationGroup", source=f"{_GUIDE}/at-rest-encryption.html")
def unusable_key(request: Request) -> None:
    """Keys must exist and be enabled."""
    state.require_usable_key(request.region, request.get("KmsKeyId"), "InvalidParameterValue")


@refuses("elasticache", "CreateUser", "ModifyUser", source=f"{_API}/API_CreateUser.html")
def user_password_rules(request: Request) -> None:
    """16 to 128 characters."""
    passwords = request.get("Passwords") or request.get("AuthenticationMode", {}).get("Passwords") or []
    for password in passwords:
        if not _PASSWORD_LENGTH[0] <= len(password) <= _PASSWORD_LENGTH[1]:
            raise invalid("Passwords length must be between 16-128 characters.")


@refuses(
    "elasticache",
    "CreateReplicationGroup",
    "ModifyReplicationGroup",
    source=f"{_API}/API_CreateReplicationGroup.html",
)
def snapshot_retention_out_of_range(request: Request) -> None:
    """Up to 35 days."""
    days = request.get("SnapshotRetentionLimit")
    if days is not None and not 0 <= days <= _MAX_SNAPSHOT_DAYS:
        raise invalid(f"SnapshotRetentionLimit is {days}; it must be from 0 to {_MAX_SNAPSHOT_DAYS}.")


@refuses(
    "elasticache",
    "CreateReplicationGroup",
    "ModifyReplicationGroup",
    source=f"{_API}/API_CreateReplicationGroup.html",
)
def missing_security_group(request: Request) -> None:
    """Security groups must exist."""
    state.require_security_groups(request.region, request.get("SecurityGroupIds"), "InvalidParameterValue")
