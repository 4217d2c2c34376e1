"""EKS operations, those that moto has and those that it lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.eks import responses

from cloudcommerce_sandbox.emulator.extensions.eks.models import EKSBackend, backend_of
from cloudcommerce_sandbox.emulator.principals import principal_of


def _ask_backend(operation: str) -> Callable[[EKSResponse], ActionResult]:
    def answer(self: EKSResponse) -> ActionResult:
        return ActionResult(self.eks_backend.answer(operation, self._get_params()))

    answer.__doc__ = f"Answers {operation} by the backend's method of that name."
    return answer


class EKSResponse(responses.EKSResponse):
    """Takes the parameters as botocore names them; the answers are in the API's own shapes."""

    PROTOCOL_PARSER_MAP_TYPE = dict

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    @property
    def eks_backend(self) -> EKSBackend:
        """Backend of the caller's account and region."""
        return backend_of(self.current_account, self.region)

    def create_cluster(self) -> ActionResult:
        """Creates a cluster, whose administrator is the caller."""
        creator = principal_of(self.get_access_key()).arn
        return ActionResult(self.eks_backend.cluster_operations.create_cluster(self._get_params(), creator))

    def _extract_arn_from_path(self) -> str:
        parameters: dict[str, Any] = self._get_params()
        return str(parameters["resourceArn"])

    describe_cluster = _ask_backend("describe_cluster")
    list_clusters = _ask_backend("list_clusters")
    delete_cluster = _ask_backend("delete_cluster")
    update_cluster_config = _ask_backend("update_cluster_config")
    update_cluster_version = _ask_backend("update_cluster_version")
    associate_encryption_config = _ask_backend("associate_encryption_config")
    describe_update = _ask_backend("describe_update")
    list_updates = _ask_backend("list_updates")
    describe_cluster_versions = _ask_backend("describe_cluster_versions")
    create_nodegroup = _ask_backend("create_nodegroup")
    describe_nodegroup = _ask_backend("describe_nodegroup")
    list_nodegroups = _ask_backend("list_nodegroups")
    update_nodegroup_config = _ask_backend("update_nodegroup_config")
    update_nodegroup_version = _ask_backend("update_nodegroup_version")
    delete_nodegroup = _ask_backend("delete_nodegroup")
    create_addon = _ask_backend("create_addon")
    describe_addon = _ask_backend("describe_addon")
    list_addons = _ask_backend("list_addons")
    update_addon = _ask_backend("update_addon")
    delete_addon = _ask_backend("delete_addon")
    describe_addon_versions = _ask_backend("describe_addon_versions")
    describe_addon_configuration = _ask_backend("describe_addon_configuration")
    create_access_entry = _ask_backend("create_access_entry")
    describe_access_entry = _ask_backend("describe_access_entry")
    list_access_entries = _ask_backend("list_access_entries")
    update_access_entry = _ask_backend("update_access_entry")
    delete_access_entry = _ask_backend("delete_access_entry")
    associate_access_policy = _ask_backend("associate_access_policy")
    disassociate_access_policy = _ask_backend("disassociate_access_policy")
    list_associated_access_policies = _ask_backend("list_associated_access_policies")
    list_access_policies = _ask_backend("list_access_policies")
    create_pod_identity_association = _ask_backend("create_pod_identity_association")
    describe_pod_identity_association = _ask_backend("describe_pod_identity_association")
    list_pod_identity_associations = _ask_backend("list_pod_identity_associations")
    update_pod_identity_association = _ask_backend("update_pod_identity_association")
    delete_pod_identity_association = _ask_backend("delete_pod_identity_association")
