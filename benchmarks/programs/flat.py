"""Registers the resources of `resources.json` with the SDK's own classes."""

import importlib
import inspect
import json
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

DOCUMENT = json.loads((Path(__file__).parent / "resources.json").read_text())


@cache
def sdk_class(token: str) -> Any:
    """Return the SDK's class of a type token."""
    package, place, name = token.split(":")
    module = place.split("/")[0]
    parts = [
        f"pulumi_{package}",
        *([] if module == "index" else ["lambda_" if module == "lambda" else module]),
    ]
    return getattr(importlib.import_module(".".join(parts)), name)


def plain(name: str) -> str:
    """Return what `securityGroupId` and `security_group_id` have in common."""
    return name.replace("_", "").lower()


@cache
def parameters(token: str) -> dict[str, str]:
    """Return the arguments of a class by plain name."""
    return {plain(name): name for name in inspect.signature(sdk_class(token)._internal_init).parameters}


@cache
def attributes(token: str) -> dict[str, str]:
    """Return the attributes of a class by plain name."""
    return {plain(name): name for name in dir(sdk_class(token))}


def asset(value: dict[str, Any]) -> Any:
    """Return an asset or archive of the one in the state."""
    if "assets" in value:
        return pulumi.AssetArchive({name: asset(item) for name, item in value["assets"].items()})
    if "text" in value:
        return pulumi.StringAsset(value["text"])
    return pulumi.FileAsset(value["path"])


class Registration:
    """Everything registered so far, for the references of what follows."""

    def __init__(self) -> None:
        given = DOCUMENT["provider"]
        tags = given.get("defaultTags") or {}
        tags = json.loads(tags) if isinstance(tags, str) else tags
        self.made: list[tuple[str, Any]] = []
        self.provider = aws.Provider(
            "aws", region=given["region"], default_tags=aws.ProviderDefaultTagsArgs(tags=tags["tags"])
        )

    def value(self, value: Any) -> Any:  # noqa: PLR0911 - one return for each mark
        """Return an input with its marks replaced by what they mean."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            token, resource = self.made[value["$ref"][0]]
            return getattr(resource, attributes(token)[plain(value["$ref"][1])])
        if "$join" in value:
            return pulumi.Output.concat(*(self.value(part) for part in value["$join"]))
        if "$secret" in value:
            return pulumi.Output.secret(json.loads(value["$secret"]))
        if "$asset" in value:
            return asset(value["$asset"])
        return {name: self.value(item) for name, item in value.items()}

    def register(self, resource: dict[str, Any]) -> None:
        """Register one resource."""
        token = resource["type"]
        inputs = {
            parameters(token)[plain(name)]: self.value(value) for name, value in resource["inputs"].items()
        }
        opts = pulumi.ResourceOptions(
            provider=self.provider if token.startswith("aws:") else None,
            depends_on=[self.made[index][1] for index in resource["depends"]],
        )
        self.made.append((token, sdk_class(token)(resource["name"], opts=opts, **inputs)))


registration = Registration()
for each in DOCUMENT["resources"]:
    registration.register(each)
