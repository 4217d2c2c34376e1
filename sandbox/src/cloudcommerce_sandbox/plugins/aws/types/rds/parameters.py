"""Parameter groups of RDS, DocumentDB and ElastiCache: one behavior, three spellings of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import Convert

# Most parameters that one modify or reset call takes:
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html
_LARGEST_BATCH = 20

_Entry = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class ParameterApi:
    """How one service spells the operations on the parameters of a group.

    Attributes:
        create: Operation that makes a group.
        delete: Operation that removes a group.
        find_group: Operation that describes the group.
        group_item: JMESPath of the group in its response.
        describe: Operation that lists the group's parameters.
        modify: Operation that sets parameters.
        reset: Operation that returns parameters to their defaults.
        group_member: Request member that names the group.
        family_member: Member of the group that names its family.
        arn_member: Member of the group that holds its ARN.
        entries_member: Request member that takes the parameters.
        apply_method: Apply method of a parameter that names none; "": the service has no apply methods.
    """

    create: str
    delete: str
    find_group: str
    group_item: str
    describe: str
    modify: str
    reset: str
    group_member: str
    family_member: str
    arn_member: str
    entries_member: str = "Parameters"
    apply_method: str = ""

    @property
    def convert(self) -> Convert:
        """Translation and equality of the property `parameters`."""
        return Convert(
            read=lambda entries: [self._from_api(entry) for entry in entries],
            equal=lambda left, right: self._by_name(left) == self._by_name(right),
        )

    def put(self, context: Context) -> None:
        """Set what is new or differs and reset what is no longer wanted, in batches."""
        wanted = self._by_name(context.inputs.get("parameters"))
        before = self._by_name(context.old_inputs.get("parameters"))
        changed = [entry for name, entry in wanted.items() if before.get(name) != entry]
        removed = [entry for name, entry in before.items() if name not in wanted]
        group: dict[str, Any] = {self.group_member: context.id}
        for batch in _batches(changed):
            context.call(self.modify, **{**group, self.entries_member: batch})
        for batch in _batches(removed):
            context.call(self.reset, **{**group, "ResetAllParameters": False, self.entries_member: batch})

    def read(self, context: Context) -> Mapping[str, Any] | None:
        """Find the group and, as `Parameters`, what the program or somebody else has set in it.

        A wanted parameter whose value equals the engine's default is reported by AWS like the hundreds that
        nobody set, so the wanted names count as well.
        """
        name = {self.group_member: context.id}
        group = context.find(self.find_group, self.group_item, **name)
        if group is None:
            return None
        wanted = self._by_name(context.inputs.get("parameters"))
        listed = context.find(self.describe, "Parameters", **name) or []
        return {**group, "Parameters": [entry for entry in listed if self._is_set(entry, wanted)]}

    def _is_set(self, entry: Mapping[str, Any], wanted: Mapping[str, _Entry]) -> bool:
        if entry.get("ParameterValue") is None:
            return False
        return entry.get("Source", "user") == "user" or str(entry["ParameterName"]).lower() in wanted

    def _by_name(self, entries: Sequence[Properties] | None) -> dict[str, _Entry]:
        return {str(entry["name"]).lower(): self._to_api(entry) for entry in entries or ()}

    def _to_api(self, entry: Properties) -> _Entry:
        wire = {"ParameterName": str(entry["name"]).lower(), "ParameterValue": str(entry["value"])}
        if self.apply_method:
            wire["ApplyMethod"] = str(entry.get("applyMethod") or self.apply_method).lower()
        return wire

    def _from_api(self, entry: Mapping[str, Any]) -> Properties:
        found = {"name": str(entry["ParameterName"]).lower(), "value": str(entry["ParameterValue"])}
        if self.apply_method:
            found["applyMethod"] = entry.get("ApplyMethod") or self.apply_method
        return found


def _batches(entries: list[_Entry]) -> Iterator[list[_Entry]]:
    for start in range(0, len(entries), _LARGEST_BATCH):
        yield entries[start : start + _LARGEST_BATCH]
