"""A role that a service of AWS assumes, with managed policies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

_HASH_LENGTH: Final = 8


class ServiceRole(pulumi.ComponentResource):
    """The role and its attachments.

    Attributes:
        role: The role itself.
        attachments: The attachments of its policies.
        attached: The role, known once all policies are attached.
    """

    role: aws.iam.Role
    attachments: list[aws.iam.RolePolicyAttachment]
    attached: pulumi.Output[aws.iam.Role]

    def __init__(
        self,
        name: str,
        service: str,
        policies: Sequence[str],
        opts: pulumi.ResourceOptions,
        *,
        partition: pulumi.Input[str],
        actions: Sequence[str] = ("sts:AssumeRole",),
        description: str | None = None,
        tags: Any = None,
    ) -> None:
        """Make the role.

        Args:
            name: Logical name.
            service: Who assumes it, for example `eks.amazonaws.com`.
            policies: Names of AWS's managed policies.
            opts: The parent.
            partition: AWS partition.
            actions: What the service may do to become the role.
            description: Description of the role.
            tags: Tags of the role.
        """
        super().__init__("eks:index:ServiceRole", name, None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        statement = {"Action": list(actions), "Effect": "Allow", "Principal": {"Service": [service]}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        self.role = aws.iam.Role(
            f"{name}-role", description=description, assume_role_policy=trust, tags=tags, opts=inside
        )
        self.attachments = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{_short_hash(policy)}",
                policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", partition, policy),
                role=self.role.name,
                opts=inside,
            )
            for policy in policies
        ]
        attached_ids = [attachment.id for attachment in self.attachments]
        self.attached = pulumi.Output.all(self.role.arn, *attached_ids).apply(lambda _: self.role)
        self.register_outputs({"resolvedRole": self.attached, "directRole": self.role})


def _short_hash(policy: str) -> str:
    """Return what tells attachments apart, from the policy's ARN in the standard partition."""
    arn = f"arn:aws:iam::aws:policy/{policy}"
    return hashlib.sha1(arn.encode(), usedforsecurity=False).hexdigest()[:_HASH_LENGTH]
