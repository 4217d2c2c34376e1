"""What each service may do in Valkey.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html and https://valkey.io/topics/acl/
"""

import re
from collections.abc import Sequence

_PREFIX = re.compile(r"[a-z][a-z0-9-]*(:[a-z0-9-]+)*:")

DENY_ALL = "off -@all"
"""The `default` user: every connection has to say who it is."""

# Reading, writing, transactions, publish and subscribe, and the scripts of rate limiters. `-@dangerous` takes
# back what reads or empties the whole store (KEYS, FLUSHALL, ...); INFO is what clients ask on connecting.
_COMMANDS = (
    "-@all +@read +@write +@connection +@transaction +@pubsub +eval +evalsha +script|load -@dangerous +info"
)


def access_string(prefixes: Sequence[str]) -> str:
    """The access string of a service's user.

    Args:
        prefixes: Beginnings of the keys and channels it may touch, each ending with a colon.

    Raises:
        ValueError: there is no prefix, or one is not like `session:`, which could open others' keys.
    """
    if not prefixes:
        raise ValueError("a Valkey user without key prefixes can do nothing: give at least one, like 'cart:'")
    for prefix in prefixes:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(
                f"key prefix {prefix!r} is not lower-case words that each end with a colon: "
                "write it like 'cart:'"
            )
    keys = " ".join(f"~{prefix}*" for prefix in prefixes)
    channels = " ".join(f"&{prefix}*" for prefix in prefixes)
    return f"on {keys} resetchannels {channels} {_COMMANDS}"
