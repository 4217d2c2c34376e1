"""EKS Pod Identity: which IAM role the pods of a service account get."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloudcommerce_sandbox.emulator.extensions.eks.area import Area, Parameters
from cloudcommerce_sandbox.emulator.extensions.eks.documents import (
    Document,
    in_use,
    not_found,
    now,
    page,
    present,
)

if TYPE_CHECKING:
    from cloudcommerce_sandbox.emulator.extensions.eks.cluster import Cluster

_CHANGEABLE = {
    "roleArn": "role_arn",
    "disableSessionTags": "disable_session_tags",
    "targetRoleArn": "target_role_arn",
    "policy": "policy",
}


@dataclass
class Association:
    """The role of one service account.

    Attributes:
        owner: ARN of the add-on that it belongs to, if any.
    """

    cluster: str
    namespace: str
    service_account: str
    role_arn: str
    arn: str
    id: str
    tags: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    owner: str | None = None
    disable_session_tags: bool = False
    target_role_arn: str | None = None
    policy: str | None = None
    created_at: datetime = field(default_factory=now)
    modified_at: datetime = field(default_factory=now)

    @classmethod
    def make(cls, cluster: Cluster, parameters: Mapping[str, Any], owner: str | None = None) -> Association:
        """Makes an association and puts it into its cluster.

        Raises:
            ApiError: ResourceInUseException when the service account has one already.
        """
        namespace, account = parameters["namespace"], parameters["serviceAccount"]
        for other in cluster.associations.values():
            if (other.namespace, other.service_account) == (namespace, account):
                raise in_use(
                    f"Association already exists: {other.id} for service account {account} in "
                    f"namespace {namespace}"
                )
        identifier = f"a-{secrets.token_hex(9)[:17]}"
        association = cls(
            cluster=cluster.name,
            namespace=namespace,
            service_account=account,
            role_arn=parameters["roleArn"],
            arn=f"arn:aws:eks:{cluster.region}:{cluster.account}:podidentityassociation/{cluster.name}/{identifier}",
            id=identifier,
            tags=dict(parameters.get("tags") or {}),
            token=parameters.get("clientRequestToken"),
            owner=owner,
        )
        association.change(parameters)
        cluster.associations[identifier] = association
        return association

    def change(self, parameters: Mapping[str, Any]) -> None:
        """Takes what an update names."""
        for member, attribute in _CHANGEABLE.items():
            if parameters.get(member) is not None:
                setattr(self, attribute, parameters[member])
        self.modified_at = now()

    def summary(self) -> Document:
        """Returns the API's PodIdentityAssociationSummary."""
        return present(
            {
                "clusterName": self.cluster,
                "namespace": self.namespace,
                "serviceAccount": self.service_account,
                "associationArn": self.arn,
                "associationId": self.id,
                "ownerArn": self.owner,
            }
        )

    def describe(self) -> Document:
        """Returns the API's PodIdentityAssociation."""
        return present(
            {
                **self.summary(),
                "roleArn": self.role_arn,
                "tags": self.tags,
                "createdAt": self.created_at,
                "modifiedAt": self.modified_at,
                "disableSessionTags": self.disable_session_tags,
                "targetRoleArn": self.target_role_arn,
                "policy": self.policy,
            }
        )


class PodIdentityOperations(Area):
    """Pod Identity associations."""

    def create_pod_identity_association(self, parameters: Parameters) -> Document:
        """Gives a service account a role; a repeated call gets the first one's answer."""
        cluster, token = self.find(parameters), parameters.get("clientRequestToken")
        for association in cluster.associations.values():
            if token and association.token == token:
                return {"association": association.describe()}
        return {"association": Association.make(cluster, parameters).describe()}

    def describe_pod_identity_association(self, parameters: Parameters) -> Document:
        """Describes an association."""
        return {"association": self._association(parameters).describe()}

    def update_pod_identity_association(self, parameters: Parameters) -> Document:
        """Changes the role of an association."""
        association = self._association(parameters)
        association.change(parameters)
        return {"association": association.describe()}

    def delete_pod_identity_association(self, parameters: Parameters) -> Document:
        """Deletes an association."""
        association = self._association(parameters)
        del self.clusters[association.cluster].associations[association.id]
        return {"association": association.describe()}

    def list_pod_identity_associations(self, parameters: Parameters) -> Document:
        """Lists associations, of a namespace or a service account if asked."""
        known = self.find(parameters).associations
        fitting = [
            identifier
            for identifier, association in known.items()
            if parameters.get("namespace") in (None, association.namespace)
            and parameters.get("serviceAccount") in (None, association.service_account)
        ]
        ids, token = page(fitting, parameters)
        return {"associations": [known[identifier].summary() for identifier in ids], "nextToken": token}

    def _association(self, parameters: Parameters) -> Association:
        association = self.find(parameters).associations.get(parameters["associationId"])
        if association is None:
            raise not_found(f"No association found for id: {parameters['associationId']}.")
        return association
