"""The provider's configuration, from a stack's `aws:` settings or an `aws.Provider`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.plugins.aws import models
from cloudcommerce_sandbox.plugins.aws.clients import Account
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
    """Return the settings that the sandbox's plugin does not know."""
    return [
        Failure(name, f"the sandbox's aws plugin does not implement it; it takes {', '.join(sorted(_TAKEN))}")
        for name, value in config.items()
        if name not in _TAKEN and value not in (None, [], {}, "", False, "false")
    ]


def read(config: Mapping[str, Any]) -> Configuration:
    """Understand the configuration.

    Raises:
        ProviderError: There is no region anywhere.
    """
    known = {name: value for name, value in reveal(dict(config)).items() if value is not UNKNOWN}
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
    return str(found)


def _endpoints(blocks: Any) -> dict[str, str]:
    """Join the list of `{service: url}` blocks that pulumi-aws takes."""
    if isinstance(blocks, Mapping):
        blocks = [blocks]
    return {service: str(url) for block in blocks or () for service, url in block.items() if url}
