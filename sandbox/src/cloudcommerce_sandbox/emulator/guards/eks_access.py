"""What EKS refuses of access entries, Pod Identity associations and add-ons."""

from __future__ import annotations

import re
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_catalog
from cloudcommerce_sandbox.emulator.extensions.eks.configuration import parse_configuration
from cloudcommerce_sandbox.emulator.guards import state
from cloudcommerce_sandbox.emulator.guards.eks import API, GUIDE, cluster_of, parameter
from cloudcommerce_sandbox.emulator.guards.rule import Request, refuses
from cloudcommerce_sandbox.emulator.principals import SANDBOX_USER

_PRINCIPAL = re.compile(r"arn:aws:iam::\d{12}:(role|user)/.+")
_TYPES = ("STANDARD", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "EC2", "HYBRID_LINUX", "HYPERPOD_LINUX")
_RESERVED = ("system:", "eks:", "aws:", "amazon:", "iam:")
_POD_IDENTITY = "pods.eks.amazonaws.com"
_ENTRIES = f"{GUIDE}/creating-access-entries.html"


@refuses("eks", "CreateAccessEntry", source=_ENTRIES)
def principal_of_an_access_entry(request: Request) -> None:
    """A role or a user of IAM that exists; not a session, not a group."""
    arn = str(request.get("principalArn"))
    if not _PRINCIPAL.fullmatch(arn):
        raise parameter(
            f"The specified principalArn is invalid: {arn} is neither an IAM role nor an IAM user."
        )
    if arn.split(":")[4] == state.ACCOUNT and not _exists(arn):
        raise parameter(f"The specified principalArn is invalid: invalid principal. {arn} does not exist.")


def _exists(arn: str) -> bool:
    users = state.backend("iam", "aws").users.values()
    return arn == SANDBOX_USER or state.role(arn) is not None or any(user.arn == arn for user in users)


@refuses("eks", "CreateAccessEntry", "UpdateAccessEntry", source=_ENTRIES)
def reserved_kubernetes_names(request: Request) -> None:
    """Groups and usernames of one's own do not begin like those of Kubernetes and AWS."""
    for group in request.get("kubernetesGroups") or ():
        if group.startswith(_RESERVED):
            raise parameter(
                f"The kubernetes group name {group} is invalid, it cannot start with {group.split(':')[0]}:"
            )
    username = request.get("username") or ""
    if username.startswith(_RESERVED):
        raise parameter(f"The username {username} is invalid, it cannot start with {username.split(':')[0]}:")


@refuses("eks", "CreateAccessEntry", source=_ENTRIES)
def type_of_an_access_entry(request: Request) -> None:
    """Entries of nodes get their name and groups from EKS."""
    kind = request.get("type") or "STANDARD"
    if kind not in _TYPES:
        raise parameter(f"The access entry type {kind} is none of {', '.join(_TYPES)}")
    if kind != "STANDARD" and (request.get("username") or request.get("kubernetesGroups")):
        raise parameter(f"An access entry of type {kind} takes no username and no kubernetesGroups.")


@refuses("eks", "AssociateAccessPolicy", source=f"{GUIDE}/access-policy-permissions.html")
def unknown_access_policy(request: Request) -> None:
    """Only AWS's own policies, and of those only ones that are not for its services."""
    arn = str(request.get("policyArn"))
    if arn not in kubernetes_catalog.policies().values() or kubernetes_catalog.is_service_policy(arn):
        raise parameter(f"The policyArn {arn} is none to associate ({kubernetes_catalog.source('policies')})")


@refuses("eks", "AssociateAccessPolicy", source=f"{GUIDE}/access-policies.html")
def policy_on_an_entry_of_nodes(request: Request) -> None:
    """Policies go on STANDARD entries, and one on those of Auto Mode's nodes."""
    cluster = cluster_of(request)
    entry = cluster.access_entries.get(str(request.get("principalArn"))) if cluster else None
    if entry is not None and entry.type not in {"STANDARD", "EC2"}:
        raise parameter(
            f"The access entry of {entry.principal} is of type {entry.type}; it takes no access policies."
        )


@refuses("eks", "AssociateAccessPolicy", source=f"{API}/API_AccessScope.html")
def scope_of_an_access_policy(request: Request) -> None:
    """Namespaces are named for the scope `namespace`, and only for it."""
    scope = request.get("accessScope") or {}
    kind, namespaces = scope.get("type"), scope.get("namespaces") or []
    if kind not in {"cluster", "namespace"} or (kind == "namespace") != bool(namespaces):
        raise parameter(
            f"accessScope is cluster without namespaces or namespace with some, got {dict(scope)}"
        )


@refuses(
    "eks", "CreatePodIdentityAssociation", "UpdatePodIdentityAssociation", source=f"{GUIDE}/pod-id-role.html"
)
def pod_identity_role_without_trust(request: Request) -> None:
    """EKS's pods must be able to assume the role and to tag its session."""
    if request.get("roleArn"):
        _require_pod_identity_trust(str(request.get("roleArn")))


@refuses("eks", "CreateAddon", "UpdateAddon", source=f"{GUIDE}/pod-id-role.html")
def pod_identity_role_of_an_addon(request: Request) -> None:
    """The same holds for the roles that an add-on's service accounts get."""
    for association in request.get("podIdentityAssociations") or ():
        _require_pod_identity_trust(association["roleArn"])


def _require_pod_identity_trust(arn: str) -> None:
    role = state.role(arn)
    if role is None:
        raise parameter(f"Role provided in the request does not exist: {arn}")
    allowed: set[str] = set()
    for statement in state.statements(role.assume_role_policy_document):
        if statement.get("Effect") == "Allow" and _POD_IDENTITY in state.principals(statement):
            allowed |= state.actions(statement)
    missing = {"sts:AssumeRole", "sts:TagSession"} - allowed
    if missing and not allowed & {"*", "sts:*"}:
        raise parameter(
            f"Trust policy of role {arn} is invalid: it must allow {_POD_IDENTITY} "
            f"{' and '.join(sorted(missing))}"
        )


@refuses("eks", "CreateAddon", "UpdateAddon", source=f"{GUIDE}/eks-add-ons.html")
def addon_that_is_not_offered(request: Request) -> None:
    """The add-on, and this version of it, must be offered for the cluster's Kubernetes version."""
    cluster, name = cluster_of(request), str(request.get("addonName"))
    if cluster is None:
        return
    kind = kubernetes_catalog.addons().get(name)
    if kind is None or not kind.versions(cluster.version):
        raise parameter(
            f"Addon {name} specified is not supported in {cluster.version} kubernetes version; known are "
            f"{', '.join(kubernetes_catalog.addons())} ({kubernetes_catalog.source('addons')})"
        )
    version = request.get("addonVersion")
    if version and not kind.is_compatible(version, cluster.version):
        raise parameter(
            f"Addon version specified is not supported: {name} {version} on {cluster.version}; known are "
            f"{', '.join(kind.versions(cluster.version))} ({kubernetes_catalog.source('addons')})"
        )


@refuses("eks", "CreateAddon", "UpdateAddon", source=f"{API}/API_CreateAddon.html")
def configuration_of_an_addon(request: Request) -> None:
    """Configuration values are an object in JSON or YAML."""
    values: Any = request.get("configurationValues")
    try:
        parse_configuration(values)
    except ValueError as error:
        raise parameter(str(error)) from error


@refuses("eks", "CreateAddon", "UpdateAddon", source=f"{API}/API_CreateAddon.html")
def role_of_an_addon(request: Request) -> None:
    """The role of an add-on's service account must exist."""
    arn = request.get("serviceAccountRoleArn")
    if arn and state.role(arn) is None:
        raise parameter(f"The role {arn} does not exist.")
