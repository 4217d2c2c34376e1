"""The log exports of RDS and DocumentDB: created as a list, changed as what to enable and what to disable."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.context import Context

_PROPERTY = "enabledCloudwatchLogsExports"


def log_export_changes(context: Context) -> dict[str, list[str]]:
    """Tell what turns the exports of the old inputs into those wanted now.

    Returns:
        A `CloudwatchLogsExportConfiguration`.
    """
    wanted = set(context.inputs.get(_PROPERTY) or ())
    before = set(context.old_inputs.get(_PROPERTY) or ())
    changes = {"EnableLogTypes": sorted(wanted - before), "DisableLogTypes": sorted(before - wanted)}
    return {member: types for member, types in changes.items() if types}
