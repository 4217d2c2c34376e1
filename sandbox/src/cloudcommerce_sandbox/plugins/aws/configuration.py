"""The provider's configuration, from a stack's `aws:` settings or an `aws.Provider`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.plugins import sdk, validation
from cloudcommerce_sandbox.plugins.aws import models
from cloudcommerce_sandbox.plugins.aws.clients import REGION_FORM, Account, is_region
from cloudcommerce_sandbox.plugins.aws.tags import TagPolicy
from cloudcommerce_sandbox.plugins.provider import Failure, ProviderError
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, reveal

_TAKEN = frozenset(
    {
        "accessKey",
        "allowedAccountIds",
        "defaultTags",
        "endpoints",
        "forbiddenAccountIds",
        "ignoreTags",
        "maxRetries",
        "profile",
        "region",
        "s3UsePathStyle",
        "secretKey",
        "skipCredentialsValidation",
        "skipMetadataApiCheck",
        "skipRegionValidation",
        "skipRequestingAccountId",
        "token",
        "version",
    }
)
# Those whose value is used; the engine sends numbers and truth values, which none of them is, as text.
_READ = frozenset(
    {
        "accessKey",
        "allowedAccountIds",
        "defaultTags",
        "endpoints",
        "forbiddenAccountIds",
        "ignoreTags",
        "profile",
        "region",
        "secretKey",
        "token",
    }
)


@dataclass(frozen=True)
class Configuration:
    """What the provider was told.

    Attributes:
        account: How to reach AWS.
        tags: Default and ignored tags.
        allowed_accounts: Account ids that may be touched; empty: any.
        forbidden_accounts: Account ids that may not.
    """

    account: Account
    tags: TagPolicy
    allowed_accounts: tuple[str, ...] = ()
    forbidden_accounts: tuple[str, ...] = ()


def check(config: Mapping[str, Any]) -> list[Failure]:
    """Return the settings that the sandbox's plugin does not know or cannot read."""
    ignored = [
        Failure(name, f"the sandbox's aws plugin does not implement it; it takes {', '.join(sorted(_TAKEN))}")
        for name, value in config.items()
        if name not in _TAKEN and value not in (None, [], {}, "", False, "false")
    ]
    return [*ignored, *_malformed(config)]


def _malformed(config: Mapping[str, Any]) -> Iterator[Failure]:
    """Yield the settings that are not of the type the SDK gives them, and a region that is none."""
    read = {name: value for name, value in config.items() if name in _READ}
    if isinstance(read.get("endpoints"), Mapping):
        read["endpoints"] = [read["endpoints"]]
    yield from validation.failures(read, sdk.schema("aws:index/provider:Provider").inputs)
    region = reveal(read.get("region"))
    if region and isinstance(region, str) and not is_region(region):
        yield Failure("region", f"is no name of a region; {REGION_FORM}")


def read(config: Mapping[str, Any]) -> Configuration:
    """Understand the configuration.

    Raises:
        ProviderError: There is no region anywhere, or a setting is not of its type.
    """
    known = {name: value for name, value in reveal(dict(config)).items() if value is not UNKNOWN}
    for failure in _malformed(known):
        message = f"{failure.path}: {failure.reason}"
        raise ProviderError(message)
    account = Account(
        region=_region(known),
        access_key=known.get("accessKey") or "",
        secret_key=known.get("secretKey") or "",
        token=known.get("token") or "",
        profile=known.get("profile") or "",
        endpoints=_endpoints(known.get("endpoints")),
    )
    ignore = known.get("ignoreTags") or {}
    tags = TagPolicy(
        default=(known.get("defaultTags") or {}).get("tags") or {},
        ignored_keys=frozenset(ignore.get("keys") or ()),
        ignored_prefixes=tuple(ignore.get("keyPrefixes") or ()),
    )
    return Configuration(
        account,
        tags,
        tuple(known.get("allowedAccountIds") or ()),
        tuple(known.get("forbiddenAccountIds") or ()),
    )


def _region(config: Mapping[str, Any]) -> str:
    found = config.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    found = found or models.session().get_config_variable("region")
    if not found:
        message = "no AWS region: set aws:region in the stack's configuration or AWS_REGION"
        raise ProviderError(message)
    if not is_region(str(found)):
        message = f"{found!r} is no name of an AWS region; {REGION_FORM}"
        raise ProviderError(message)
    return str(found)


def _endpoints(blocks: Any) -> dict[str, str]:
    """Join the list of `{service: url}` blocks that pulumi-aws takes."""
    if isinstance(blocks, Mapping):
        blocks = [blocks]
    return {service: str(url) for block in blocks or () for service, url in block.items() if url}
