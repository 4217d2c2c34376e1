"""A namespace with its guard rails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.quota import DEFAULT_LIMIT, DEFAULT_REQUEST, MOST, Quota, hard_limits

PodSecurityLevel = Literal["restricted", "baseline", "privileged"]

_DNS_PORT = 53


@dataclass(frozen=True, kw_only=True)
class NamespaceArgs:
    """What may run in it, and how much.

    Attributes:
        namespace: Its name in the cluster.
        kubernetes_version: Version whose Pod Security Standards hold, major and minor.
        quota: What its pods may take.
        protect: Whether Pulumi refuses to delete it, and with it everything inside.
        enforce: Level below which pods are refused; everything below `restricted` warns and is audited.
        labels: Further labels.
    """

    namespace: str
    kubernetes_version: str
    quota: Quota
    protect: bool
    enforce: PodSecurityLevel = "restricted"
    labels: Mapping[str, str] = field(default_factory=dict)


class Namespace(pulumi.ComponentResource):
    """A namespace in which nothing talks to anything, but asks the cluster's DNS, until a policy opens it.

    Attributes:
        namespace_name: Its name, with quota, limits and policies in place.
    """

    namespace_name: pulumi.Output[str]

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:cluster:Namespace", name, None, opts)
        namespace = kubernetes.core.v1.Namespace(
            name,
            metadata={
                "name": args.namespace,
                "labels": {**args.labels, **pod_security_labels(args.enforce, args.kubernetes_version)},
            },
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        rails = [
            *self._amounts(name, namespace.metadata.name, args.quota),
            *self._policies(name, namespace.metadata.name),
        ]
        self.namespace_name = pulumi.Output.all(namespace.metadata.name, *(each.id for each in rails)).apply(
            lambda known: str(known[0])
        )
        self.register_outputs({"namespace_name": self.namespace_name})

    def _amounts(
        self, name: str, namespace: pulumi.Input[str], quota: Quota
    ) -> tuple[pulumi.CustomResource, ...]:
        child = pulumi.ResourceOptions(parent=self)
        return (
            kubernetes.core.v1.ResourceQuota(
                f"{name}-quota",
                metadata={"name": "quota", "namespace": namespace},
                spec={"hard": hard_limits(quota)},
                opts=child,
            ),
            kubernetes.core.v1.LimitRange(
                f"{name}-limits",
                metadata={"name": "limits", "namespace": namespace},
                spec={
                    "limits": [
                        {
                            "type": "Container",
                            "default_request": dict(DEFAULT_REQUEST),
                            "default": dict(DEFAULT_LIMIT),
                            "max": dict(MOST),
                        }
                    ]
                },
                opts=child,
            ),
        )

    def _policies(self, name: str, namespace: pulumi.Input[str]) -> tuple[pulumi.CustomResource, ...]:
        child = pulumi.ResourceOptions(parent=self)
        return (
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-deny-all",
                metadata={"name": "deny-all", "namespace": namespace},
                spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
                opts=child,
            ),
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-allow-dns",
                metadata={"name": "allow-dns", "namespace": namespace},
                spec={
                    "pod_selector": {},
                    "policy_types": ["Egress"],
                    "egress": [
                        {
                            "to": [
                                {
                                    "namespace_selector": {
                                        "match_labels": {"kubernetes.io/metadata.name": "kube-system"}
                                    },
                                    "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
                                }
                            ],
                            "ports": [
                                {"port": _DNS_PORT, "protocol": protocol} for protocol in ("UDP", "TCP")
                            ],
                        }
                    ],
                },
                opts=child,
            ),
        )


def pod_security_labels(enforce: PodSecurityLevel, version: str) -> dict[str, str]:
    """The labels that Pod Security admission reads.

    https://kubernetes.io/docs/concepts/security/pod-security-admission/

    Args:
        enforce: Level below which pods are refused. Warnings and audit entries always speak of `restricted`.
        version: Version whose standards hold: pinned, so that an upgrade of the cluster refuses nothing new.
    """
    levels = {"enforce": enforce, "audit": "restricted", "warn": "restricted"}
    return {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode, level in levels.items()
        for suffix, value in (("", level), ("-version", f"v{version}"))
    }
