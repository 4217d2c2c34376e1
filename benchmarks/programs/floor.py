"""Registers what `resources.json` has, of a plugin that answers at once.

Inputs and dependencies are the same: what is left is the engine, the protocol and the SDK.
"""

import json
from pathlib import Path
from typing import Any

import pulumi

DOCUMENT = json.loads((Path(__file__).parent / "resources.json").read_text())


class Thing(pulumi.CustomResource):
    """A resource of the plugin that does nothing."""

    value: pulumi.Output[str]

    def __init__(self, name: str, inputs: dict[str, Any], depends_on: list["Thing"]) -> None:
        opts = pulumi.ResourceOptions(depends_on=depends_on, version="1.0.0")
        super().__init__("noop:index:Thing", name, {**inputs, "value": None}, opts)


made: list[Thing] = []


def filled(value: Any) -> Any:  # noqa: PLR0911 - one return for each mark
    """Return an input with its marks replaced by what they mean."""
    if isinstance(value, list):
        return [filled(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return pulumi.get(made[value["$ref"][0]], "value")
    if "$join" in value:
        return pulumi.Output.concat(*(filled(part) for part in value["$join"]))
    if "$secret" in value:
        return pulumi.Output.secret(json.loads(value["$secret"]))
    if "$asset" in value:
        return "asset"
    return {name: filled(item) for name, item in value.items()}


for each in DOCUMENT["resources"]:
    inputs = {name: filled(value) for name, value in each["inputs"].items()}
    made.append(Thing(each["name"], inputs, [made[index] for index in each["depends"]]))
