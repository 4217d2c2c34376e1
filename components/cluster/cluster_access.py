"""Who may do what inside the cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster import rbac
from components.cluster.rbac import DeveloperRights, Group, Rule

_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class ClusterAccessArgs:
    """Where people work, and how much they may change.

    Attributes:
        namespaces: Names of the applications' namespaces, by application.
        developers: How much developers change by hand.
        bind_platform: Whether the platform group is made cluster admin here, where nothing else (such as
            an EKS access policy) does it.
    """

    namespaces: Mapping[str, pulumi.Input[str]]
    developers: DeveloperRights
    bind_platform: bool


class ClusterAccess(pulumi.ComponentResource):
    """Roles for the groups of the cluster and what binds them: to all of it, or to each application.

    Attributes:
        groups: The groups.
    """

    groups: pulumi.Output[Sequence[str]]

    def __init__(
        self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudcommerce:cluster:ClusterAccess", name, None, opts)
        self._name = name
        for role, group, rules in (("auditor", Group.AUDITOR, rbac.AUDITOR), ("ci", Group.CI, rbac.CI)):
            self._grant_everywhere(role, group, rules)
        if args.bind_platform:
            self._bind_everywhere("platform", Group.PLATFORM, "cluster-admin")
        developers = rbac.developer(args.developers)
        for application, namespace in args.namespaces.items():
            self._grant(application, namespace, "developer", Group.DEVELOPER, developers)
            self._grant(application, namespace, "release", Group.CI, rbac.RELEASE)
        self.groups = pulumi.Output.from_input([group.value for group in Group])
        self.register_outputs({"groups": self.groups})

    def _grant_everywhere(self, role: str, group: Group, rules: Sequence[Rule]) -> None:
        made = kubernetes.rbac.v1.ClusterRole(
            f"{self._name}-{role}",
            metadata={"name": f"cloudcommerce:{role}"},
            rules=[_policy_rule(rule) for rule in rules],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._bind_everywhere(role, group, made.metadata.name)

    def _bind_everywhere(self, binding: str, group: Group, role: pulumi.Input[str]) -> None:
        kubernetes.rbac.v1.ClusterRoleBinding(
            f"{self._name}-{binding}",
            metadata={"name": f"cloudcommerce:{binding}"},
            role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": role},
            subjects=[_subject(group)],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _grant(
        self,
        application: str,
        namespace: pulumi.Input[str],
        role: str,
        group: Group,
        rules: Sequence[Rule],
    ) -> None:
        # A role of each namespace: one of the cluster could be written only by who holds its rights in all
        # of the cluster, and ci holds those of a release where it releases.
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {
            "name": f"cloudcommerce:{role}",
            "namespace": namespace,
        }
        made = kubernetes.rbac.v1.Role(
            f"{self._name}-{role}-{application}",
            metadata=metadata,
            rules=[_policy_rule(rule) for rule in rules],
            opts=pulumi.ResourceOptions(parent=self),
        )
        kubernetes.rbac.v1.RoleBinding(
            f"{self._name}-{role}-{application}",
            metadata=metadata,
            role_ref={"api_group": _RBAC, "kind": "Role", "name": made.metadata.name},
            subjects=[_subject(group)],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _policy_rule(rule: Rule) -> kubernetes.rbac.v1.PolicyRuleArgsDict:
    return {
        "api_groups": list(rule.groups),
        "resources": list(rule.resources),
        "verbs": list(rule.verbs),
    }


def _subject(group: Group) -> kubernetes.rbac.v1.SubjectArgsDict:
    return {"api_group": _RBAC, "kind": "Group", "name": group.value}
