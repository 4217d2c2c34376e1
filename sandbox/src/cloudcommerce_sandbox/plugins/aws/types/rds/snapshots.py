"""The final snapshot that the deletion of an RDS instance or DocumentDB cluster takes."""

from __future__ import annotations

from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Properties
from cloudcommerce_sandbox.plugins.provider import ProviderError


def final_snapshot(inputs: Properties) -> dict[str, Any]:
    """Return the members of a delete request that say whether and how a final snapshot is taken.

    Args:
        inputs: The database's inputs, of which `skipFinalSnapshot` and `finalSnapshotIdentifier` count.

    Raises:
        ProviderError: A snapshot is wanted and has no name.
    """
    if inputs.get("skipFinalSnapshot"):
        return {"SkipFinalSnapshot": True}
    if not inputs.get("finalSnapshotIdentifier"):
        raise ProviderError(
            "finalSnapshotIdentifier is needed to delete a database while skipFinalSnapshot is false: "
            "give one or set skipFinalSnapshot, and update before deleting"
        )
    return {"SkipFinalSnapshot": False, "FinalDBSnapshotIdentifier": inputs["finalSnapshotIdentifier"]}
