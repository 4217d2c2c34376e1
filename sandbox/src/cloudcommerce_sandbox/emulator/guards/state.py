"""What the rules need to see of the emulator's state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from moto.backends import get_backend

from cloudcommerce_sandbox.emulator.wire import ApiError

ACCOUNT = "123456789012"


def backend(service: str, region: str) -> Any:
    """Returns moto's backend of a service; global services have one for all regions."""
    find: Any = get_backend  # typed by the literal name of each service, which this is not
    return find(service)[ACCOUNT]["aws" if service in {"iam", "s3"} else region]


def kms_key(region: str, key_id: str) -> Any | None:
    """Returns a KMS key by identifier, ARN or alias, or None."""
    kms = backend("kms", region)
    found = kms.any_id_to_key_id(key_id)
    return kms.keys.get(found.rsplit("/", 1)[-1])


def require_usable_key(region: str, key_id: str | None, code: str) -> None:
    """Raises an ApiError of this code when a key does not exist or cannot be used."""
    if not key_id or key_id.startswith(("alias/aws/", f"arn:aws:kms:{region}:{ACCOUNT}:alias/aws/")):
        return
    key = kms_key(region, key_id)
    if key is None:
        raise ApiError(code, f"The KMS key {key_id} does not exist in {region}.")
    if key.key_state != "Enabled":
        raise ApiError(code, f"The KMS key {key_id} is {key.key_state}; it must be enabled.")


def require_security_groups(region: str, groups: Iterable[str] | None, code: str) -> None:
    """Raises an ApiError of this code when one of the security groups does not exist."""
    known = {group for vpc in backend("ec2", region).groups.values() for group in vpc}
    for group in groups or ():
        if group not in known:
            raise ApiError(code, f"Invalid security group: {group} does not exist in {region}.")


def require_subnets(region: str, subnets: Iterable[str], code: str) -> None:
    """Raises an ApiError of this code when one of the subnets does not exist."""
    known = _subnets(region)
    for subnet in subnets:
        if subnet not in known:
            raise ApiError(code, f"Invalid subnet: {subnet} does not exist in {region}.")


def zones_of(region: str, subnets: Iterable[str]) -> set[str]:
    """Returns the zones of those of the subnets that exist."""
    known = _subnets(region)
    return {known[subnet].availability_zone for subnet in subnets if subnet in known}


def _subnets(region: str) -> dict[str, Any]:
    zones = backend("ec2", region).subnets.values()
    return {subnet.id: subnet for zone in zones for subnet in zone.values()}


def role(arn: str) -> Any | None:
    """Returns an IAM role by its ARN, or None."""
    return next((r for r in backend("iam", "aws").roles.values() if r.arn == arn), None)


def trusts(arn: str, service: str) -> bool:
    """Whether a role exists and lets this service principal assume it."""
    found = role(arn)
    if found is None:
        return False
    document = found.assume_role_policy_document
    return any(
        statement.get("Effect") == "Allow" and service in principals(statement)
        for statement in statements(document)
    )


def statements(document: str | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the statements of a policy document, also of one that has a single one outside a list."""
    policy = json.loads(document) if isinstance(document, str) else document
    found = policy.get("Statement", [])
    return found if isinstance(found, list) else [found]


def principals(statement: Mapping[str, Any]) -> set[str]:
    """Returns the principals of a policy statement, whatever their kind; `*` stands for everyone."""
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return {principal}
    names: set[str] = set()
    for value in principal.values():
        names.update([value] if isinstance(value, str) else value)
    return names


def actions(statement: Mapping[str, Any]) -> set[str]:
    """Returns the actions of a policy statement."""
    action = statement.get("Action", [])
    return {action} if isinstance(action, str) else set(action)
