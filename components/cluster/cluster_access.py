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
        everywhere = {"auditor": (Group.AUDITOR, rbac.AUDITOR), "ci": (Group.CI, rbac.CI)}
        for role, (group, rules) in everywhere.items():
            made = self._role(role, rules)
            self._bind_everywhere(role, group, made.metadata.name)
        if args.bind_platform:
            self._bind_everywhere("platform", Group.PLATFORM, "cluster-admin")
        in_applications = {
            "developer": (Group.DEVELOPER, rbac.developer(args.developers)),
            "release": (Group.CI, rbac.RELEASE),
        }
        for role, (group, rules) in in_applications.items():
            made = self._role(role, rules)
            for application, namespace in args.namespaces.items():
                self._bind(f"{role}-{application}", namespace, group, made.metadata.name)
        self.groups = pulumi.Output.from_input([group.value for group in Group])
        self.register_outputs({"groups": self.groups})

    def _role(self, role: str, rules: Sequence[Rule]) -> kubernetes.rbac.v1.ClusterRole:
        return kubernetes.rbac.v1.ClusterRole(
            f"{self._name}-{role}",
            metadata={"name": f"cloudcommerce:{role}"},
            rules=[_policy_rule(rule) for rule in rules],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _bind_everywhere(self, binding: str, group: Group, role: pulumi.Input[str]) -> None:
        kubernetes.rbac.v1.ClusterRoleBinding(
            f"{self._name}-{binding}",
            metadata={"name": f"cloudcommerce:{binding}"},
            role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": role},
            subjects=[_subject(group)],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _bind(
        self, binding: str, namespace: pulumi.Input[str], group: Group, role: pulumi.Input[str]
    ) -> None:
        kubernetes.rbac.v1.RoleBinding(
            f"{self._name}-{binding}",
            metadata={"name": f"cloudcommerce:{binding}", "namespace": namespace},
            role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": role},
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
