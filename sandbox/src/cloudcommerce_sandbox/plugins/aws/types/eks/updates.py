"""Updates of EKS: asked for by one call, done in the background, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cloudcommerce_sandbox.plugins.aws.context import Context
from cloudcommerce_sandbox.plugins.provider import ProviderError

DOCS: Final = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_PENDING: Final = "InProgress"
_DONE: Final = "Successful"


def run(
    context: Context,
    operation: str,
    target: Mapping[str, str],
    request: Mapping[str, Any],
    *,
    seconds: float,
) -> None:
    """Ask for an update and wait for its end.

    Args:
        context: The resource's operation.
        operation: botocore client method that answers with an `update`.
        target: The members of `describe_update` that say whose update it is: `name` of the cluster and
            perhaps `nodegroupName` or `addonName`.
        request: The request of the operation.
        seconds: How long it may take.

    Raises:
        ProviderError: EKS refused the update, could not carry it out (with the errors that it tells), or
            took too long.
    """
    update = context.call(operation, **request)["update"]

    def is_settled() -> bool:
        nonlocal update
        update = context.call("describe_update", updateId=update["id"], **target)["update"]
        return bool(update["status"] != _PENDING)

    what = f"the update {update['type']} ({update['id']})"
    context.poll(is_settled, seconds, what)
    if update["status"] != _DONE:
        message = f"{what} ended as {update['status']}{_errors(update)}"
        raise ProviderError(message)


def _errors(update: Mapping[str, Any]) -> str:
    told = [
        f"{error.get('errorCode')}: {error.get('errorMessage')}"
        + (f" ({', '.join(error['resourceIds'])})" if error.get("resourceIds") else "")
        for error in update.get("errors") or ()
    ]
    return f": {'; '.join(told)}" if told else ""


ISSUES: Final = "health.issues[].join(': ', [code || '', message || ''])"
"""What EKS says is wrong with a cluster, a node group or an add-on."""
