"""Which IAM role the pods of a service account get."""

from __future__ import annotations

from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Read, ResourceType
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags
from cloudcommerce_sandbox.plugins.aws.types.eks import updates
from cloudcommerce_sandbox.plugins.provider import ProviderError

_ROLE_IS_NEW: Final = ("InvalidParameterException: Role provided in the request does not exist",)
_ASSOCIATION: Final = {"clusterName": "{clusterName}", "associationId": "{associationId}"}


def _imported(identifier: str) -> Properties:
    """Understand `cluster,association`, which is not the id: the API wants both."""
    cluster, comma, association = identifier.partition(",")
    if not comma:
        message = f"{identifier!r} is no import id of this type; it has the form CLUSTER,ASSOCIATION"
        raise ProviderError(message)
    return {"clusterName": cluster, "associationId": association}


def _find(context: Context) -> Any:
    found = context.find(
        "describe_pod_identity_association",
        "association",
        clusterName=context.expand("{clusterName}"),
        associationId=context.expand("{associationId}") or context.id,
    )
    if found is not None:
        context.id = found["associationId"]
    return found


POD_IDENTITY_ASSOCIATION = ResourceType(
    pulumi_type="aws:eks/podIdentityAssociation:PodIdentityAssociation",
    service="eks",
    docs=f"{updates.DOCS}/eks_pod_identity_association",
    id=Id(response="association.associationId", parse=_imported),
    create=(Call("create_pod_identity_association", item="association", retry=_ROLE_IS_NEW),),
    read=Read(function=_find),
    update=(
        Call(
            "update_pod_identity_association",
            set=_ASSOCIATION,
            on=("disableSessionTags", "policy", "roleArn", "targetRoleArn"),
            retry=_ROLE_IS_NEW,
        ),
    ),
    delete=(Call("delete_pod_identity_association", set=_ASSOCIATION),),
    tags=arn_tags(arn="{associationArn}"),
    fields={
        "disableSessionTags": Field(default=False),
        "policy": Field(default="", absent=""),
        "targetRoleArn": Field(default="", absent=""),
    },
    force_new=("clusterName", "namespace", "serviceAccount"),
)
