"""What Amazon RDS and Amazon DocumentDB refuse about parameter groups, subnet groups and proxies."""

from __future__ import annotations

import re
from typing import Any

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.rule import Request, combination, invalid, refuses
from cloudcommerce_sandbox.emulator.wire import ApiError

_API = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide"
_DOCUMENTDB = "https://docs.aws.amazon.com/documentdb/latest/developerguide"
_MIN_ZONES = 2


@refuses(
    "rds",
    "CreateDBParameterGroup",
    "CreateDBClusterParameterGroup",
    source=f"{_API}/API_CreateDBParameterGroup.html",
)
def parameter_group_family_unknown(request: Request) -> None:
    """A family is of an engine's major version that there is."""
    family = str(request.get("DBParameterGroupFamily"))
    for engine in ("postgres", "docdb"):
        if re.fullmatch(rf"{engine}[\d.]+", family) and family not in catalog.families(engine):
            raise invalid(
                f"ParameterGroupFamily {family} is not a valid parameter group family "
                f"({catalog.source_of_versions(engine)})"
            )


@refuses(
    "rds", "ModifyDBParameterGroup", source=f"{_GUIDE}/Appendix.PostgreSQL.CommonDBATasks.Parameters.html"
)
def static_instance_parameter_applied_at_once(request: Request) -> None:
    """Static parameters wait for a reboot."""
    group = state.backend("rds", request.region).db_parameter_groups.get(request.get("DBParameterGroupName"))
    if group:
        _check_apply_methods(str(group.family), request.get("Parameters", []))


@refuses(
    "rds",
    "ModifyDBClusterParameterGroup",
    source=f"{_DOCUMENTDB}/cluster_parameter_groups-list_of_parameters.html",
)
def static_cluster_parameter_applied_at_once(request: Request) -> None:
    """Static parameters wait for a reboot."""
    groups = state.backend("rds", request.region).db_cluster_parameter_groups
    group = groups.get(request.get("DBClusterParameterGroupName"))
    if group:
        _check_apply_methods(group.db_parameter_group_family, request.get("Parameters", []))


def _check_apply_methods(family: str, parameters: list[dict[str, Any]]) -> None:
    static = catalog.static_parameters(family)
    for parameter in parameters:
        if parameter["ParameterName"] in static and parameter.get("ApplyMethod") == "immediate":
            raise combination(
                f"cannot use immediate apply method for static parameter {parameter['ParameterName']}"
            )


@refuses(
    "rds",
    "CreateDBSubnetGroup",
    "ModifyDBSubnetGroup",
    source=f"{_GUIDE}/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
)
def subnet_group_in_one_zone(request: Request) -> None:
    """A subnet group spans two zones at least."""
    zones = state.zones_of(request.region, request.get("SubnetIds", []))
    if len(zones) == 1:
        raise ApiError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(zones)}. Add subnets to cover at least {_MIN_ZONES} AZs.",
        )


@refuses("rds", "CreateDBProxy", source=f"{_GUIDE}/rds-proxy-iam-setup.html")
def proxy_role_without_trust(request: Request) -> None:
    """A proxy reads its secrets by a role that lets RDS in; AWS may tell only by targets that stay dark."""
    role = str(request.get("RoleArn"))
    if not state.trusts(role, "rds.amazonaws.com"):
        raise invalid(f"IAM role ARN value {role} is invalid: its trust policy must allow rds.amazonaws.com")
