"""The log of an engine run for people: a line for what was done to a resource, and each message."""

import json
import time
from typing import Any

from cloudcommerce_sandbox.engine.events import name_of, type_of


def readable(line: str) -> str | None:
    """Return a line of a run's log as text.

    Args:
        line: An event in JSON, or what the engine printed beside its events.

    Returns:
        The text; None for an event that says nothing to people, such as a resource left as it is.
    """
    try:
        event = json.loads(line)
    except ValueError:
        return line.rstrip("\n")
    if not isinstance(event, dict) or "sequence" not in event:
        return line.rstrip("\n")
    said = _said(event)
    if not said:
        return None
    return f"{time.strftime('%H:%M:%S', time.gmtime(event.get('timestamp', 0)))} {said}"


def _said(event: dict[str, Any]) -> str:
    if step := event.get("resourcePreEvent") or event.get("resOutputsEvent") or event.get("resOpFailedEvent"):
        return _step(step["metadata"], ended="resOutputsEvent" in event, failed="resOpFailedEvent" in event)
    if diagnostic := event.get("diagnosticEvent"):
        severity = diagnostic.get("severity", "")
        about = f"{name_of(diagnostic['urn'])}: " if diagnostic.get("urn") else ""
        message = str(diagnostic.get("message", "")).strip()
        return f"{severity}: {about}{message}" if message and severity != "debug" else ""
    if error := event.get("errorEvent"):
        return f"error: {error.get('error', '')}"
    if summary := event.get("summaryEvent"):
        changes = ", ".join(f"{count} {step}" for step, count in summary["resourceChanges"].items())
        return f"{summary.get('result', 'ended')} after {summary['durationSeconds']} s: {changes}"
    return ""


def _step(metadata: dict[str, Any], *, ended: bool, failed: bool) -> str:
    operation, urn = metadata["op"], metadata["urn"]
    if operation == "same":
        return ""
    state = "failed: " if failed else "done: " if ended else ""
    return f"{state}{operation} {name_of(urn)} ({type_of(urn)})"
