"""Names, addresses and patterns of the plan: narrower than what the stores accept.

Everything here ends in SQL, in a URL path or in a regular expression, and a name that needs no quoting
anywhere cannot be quoted wrongly anywhere.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

_RESERVED_NAMES = frozenset(
    {"admin", "config", "current_role", "current_user", "guest", "local", "none", "postgres", "public",
     "rdsadmin", "rdsproxyadmin", "rdsrepladmin", "root", "session_user", "template0", "template1", "user"}
)  # fmt: skip
_RESERVED_PREFIXES = ("pg_", "rds_")


def _not_reserved(name: str) -> str:
    if name in _RESERVED_NAMES or name.startswith(_RESERVED_PREFIXES):
        raise ValueError(f"{name!r} belongs to the store or to AWS: choose a name of your own")
    return name


Name = Annotated[
    str,
    # 57 leaves room for CLONE_SUFFIX inside PostgreSQL's 63 bytes.
    Field(pattern=r"^[a-z][a-z0-9_]{0,56}$"),
    AfterValidator(_not_reserved),
]
Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
VhostName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{0,62}$")]
ExtensionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
SecretArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$")
]
Milliseconds = Annotated[int, Field(ge=0, le=86_400_000)]


def _anchored(pattern: str) -> str:
    """RabbitMQ searches, it does not match: an unanchored permission `orders` also grants `not-my-orders`."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        raise ValueError(f"permission {pattern!r} must start with ^ and end with $ (nothing at all is ^$)")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"permission {pattern!r} is no regular expression: {error}") from error
    depth = 0
    for character in re.sub(r"\\.|\[[^]]*\]", "", pattern):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            raise ValueError(
                f"permission {pattern!r}: put the alternatives in parentheses, else ^ and $ bind to one"
            )
    return pattern


PermissionPattern = Annotated[str, Field(max_length=1024), AfterValidator(_anchored)]


def require_unique(what: str, names: Iterable[str]) -> None:
    """Refuse a name that appears more than once; for validators."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what} {', '.join(map(repr, twice))} appears more than once")
