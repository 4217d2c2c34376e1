"""The engine's events, as `pulumi up --json` prints them: one JSON object a line.

The format is that of Pulumi's automation interface (`EngineEvent` in
github.com/pulumi/pulumi/sdk/v3/go/common/apitype).
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

_PAST = {
    "create": "created",
    "create-replacement": "replaced",
    "update": "updated",
    "delete": "deleted",
    "delete-replaced": "deleted",
    "discard-replaced": "deleted",
    "import": "imported",
    "import-replacement": "imported",
    "read": "read",
    "refresh": "refreshed",
    "same": "unchanged",
}
# A replacement comes as three steps; one of them counts.
_NOT_COUNTED = {"replace", "delete-replaced", "discard-replaced", "read-discard", "read-replacement"}
_STACK = "pulumi:pulumi:Stack"
# What the engine says of the whole when a part has failed; the part says why.
_CONSEQUENCES = {"update failed", "preview failed"}
# What gRPC says in the engine when a plugin has ended during a call.
_PLUGIN_GONE = re.compile(r"error reading from server|transport is closing|code = Unavailable", re.IGNORECASE)
# What a create says when an attempt before it may have had its effect, and when its own answer was lost.
_MAYBE_CREATED = re.compile(
    r"import or delete it|already ?exist|duplicate|timed? ?out|connection (was )?(closed|reset)|no answer",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A resource, or the program, that the engine reported an error for.

    Attributes:
        urn: The resource; empty for the program and the engine.
        operation: What was being done to it, such as `create`; empty when nothing was.
        message: What went wrong.
    """

    urn: str
    operation: str
    message: str

    @property
    def resource(self) -> str:
        """The resource for people: its name and type."""
        if not self.urn or type_of(self.urn) == _STACK:
            return "the program"
        return f"{name_of(self.urn)} ({type_of(self.urn)})"

    @property
    def in_doubt(self) -> bool:
        """Whether something may stand in AWS that the state does not know of."""
        if _PLUGIN_GONE.search(self.message):
            return True
        return self.operation.startswith("create") and bool(_MAYBE_CREATED.search(self.message))


@dataclass
class Progress:
    """What the events so far add up to.

    Attributes:
        done: Finished steps by what they did, such as `created`.
        running: Resources that are being worked on, by URN, with the operation.
        messages: What the program printed and the engine warned of, in order, until taken.
        errors: Error messages with the URN they belong to, which may be empty.
        failed: Operations that failed, by URN.
        finished: Whether the engine has said its last word.
    """

    done: Counter[str] = field(default_factory=Counter)
    running: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    finished: bool = False

    def take_line(self, line: str) -> bool:
        """Account for one line of the engine's output.

        Args:
            line: The line.

        Returns:
            False when it is no event.
        """
        try:
            event = json.loads(line)
        except ValueError:
            return False
        if not isinstance(event, dict) or "sequence" not in event:
            return False
        if step := event.get("resourcePreEvent"):
            self._begin(step["metadata"])
        elif step := event.get("resOutputsEvent"):
            self._end(step["metadata"])
        elif step := event.get("resOpFailedEvent"):
            self._fail(step["metadata"])
        elif diagnostic := event.get("diagnosticEvent"):
            self._message(diagnostic)
        elif error := event.get("errorEvent"):
            self.errors.append(("", str(error.get("error", ""))))
        elif "summaryEvent" in event:
            self.finished = True
        return True

    def failures(self) -> list[Failure]:
        """Return every failure once, those of resources first."""
        found = [
            Failure(urn=urn, operation=self.failed.get(urn, ""), message=text) for urn, text in self.errors
        ]
        silent = set(self.failed) - {urn for urn, _ in self.errors}
        found += [Failure(urn=urn, operation=self.failed[urn], message="failed") for urn in sorted(silent)]
        causes = [failure for failure in dict.fromkeys(found) if failure.message not in _CONSEQUENCES]
        return sorted(causes or found, key=lambda failure: not failure.operation)

    def counted(self) -> str:
        """Return what was done, such as `12 created, 3 unchanged`."""
        order = dict.fromkeys(_PAST.values())
        return ", ".join(f"{self.done[word]} {word}" for word in order if self.done[word]) or "nothing done"

    def changed(self) -> bool:
        """Say whether anything was done to any resource."""
        return any(
            count for word, count in self.done.items() if word not in {"unchanged", "read", "refreshed"}
        )

    def _begin(self, metadata: dict[str, Any]) -> None:
        if metadata["op"] != "same":
            self.running[metadata["urn"]] = metadata["op"]

    def _end(self, metadata: dict[str, Any]) -> None:
        self.running.pop(metadata["urn"], None)
        if metadata["op"] not in _NOT_COUNTED:
            self.done[_PAST.get(metadata["op"], metadata["op"])] += 1

    def _fail(self, metadata: dict[str, Any]) -> None:
        self.running.pop(metadata["urn"], None)
        self.failed[metadata["urn"]] = metadata["op"]

    def _message(self, diagnostic: dict[str, Any]) -> None:
        text = str(diagnostic.get("message", "")).strip()
        severity = diagnostic.get("severity", "")
        if not text or severity == "debug" or diagnostic.get("ephemeral"):
            return
        if severity == "error":
            self.errors.append((diagnostic.get("urn", ""), text))
        else:
            prefix = "warning: " if severity == "warning" else ""
            self.messages.append(f"{prefix}{text}")


def is_debug(line: str) -> bool:
    """Tell whether a line is a message for the engine's own developers.

    They come unasked, and show the properties of components with their secrets in plain text.

    Args:
        line: A line of the engine's output.
    """
    # Inside a JSON string these quotes would be escaped.
    return '"severity":"debug"' in line


def name_of(urn: str) -> str:
    """Return the logical name in a URN."""
    return urn.rsplit("::", 1)[-1]


def type_of(urn: str) -> str:
    """Return the resource's own type in a URN, without its parents' types."""
    return urn.split("::")[-2].rsplit("$", 1)[-1]
