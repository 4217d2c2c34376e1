"""The plan: which databases, users and vhosts the stores must have.

The plan carries no password, only the ARNs of the Secrets Manager secrets that hold them, so it may be kept
in git or in a ConfigMap. Names are narrower than what the stores accept: everything here ends in SQL, in a
URL path or in a regular expression, and a name that needs no quoting anywhere cannot be quoted wrongly
anywhere.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from operations.bootstrap.errors import PlanError

CLONE_SUFFIX = "_clone"
"""What the second login of an alternating user is called, as AWS's own alternating-users rotation names
it."""

_RESERVED_NAMES = frozenset(
    {"admin", "config", "current_role", "current_user", "guest", "local", "none", "postgres", "public", "rdsadmin",
     "rdsrepladmin", "rdsproxyadmin", "root", "session_user", "template0", "template1", "user"}
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


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rotation(StrEnum):
    """How a user's password is replaced; docs/decisions/bootstrap.md weighs the two."""

    SINGLE = "single"
    ALTERNATING = "alternating"


class User(_Model):
    """A service's own identity in a store.

    Attributes:
        name: Its login in the store; with `rotation: alternating` there is a second one with CLONE_SUFFIX.
        secret: ARN of the JSON secret whose `username` and `password` the service uses.
        rotation: How the password is replaced.
    """

    name: Name
    secret: SecretArn
    rotation: Rotation = Rotation.ALTERNATING

    @property
    def logins(self) -> tuple[str, ...]:
        """The logins that the secret may name, all with equal rights."""
        if self.rotation is Rotation.SINGLE:
            return (self.name,)
        return (self.name, self.name + CLONE_SUFFIX)


class Store(_Model):
    """What every store has.

    Attributes:
        name: How reports call it; unique in the plan.
        host: Name that the server's certificate must carry.
        master_secret: ARN of the JSON secret of the store's master user.
        ca_file: PEM bundle to verify the server with; without it the plan's, without that the system's.
    """

    name: Label
    host: Host
    master_secret: SecretArn
    ca_file: Path | None = None


class Access(StrEnum):
    """What a PostgreSQL role may do in its database."""

    RUNTIME = "runtime"
    """Read and write rows; no definition of anything."""
    MIGRATION = "migration"
    """Define tables and the rest, in the name of the owner role."""
    READER = "reader"
    """Read rows, for reporting."""


class PostgresRole(User):
    """A service's login role in one database.

    Attributes:
        access: What it may do there.
        connection_limit: Connections at a time for each of its logins.
        statement_timeout_ms: When a statement is cancelled; 0 is never.
        idle_in_transaction_timeout_ms: When an idle transaction is ended; 0 is never.
        lock_timeout_ms: How long a statement waits for a lock; 0 is for ever.
    """

    access: Access
    connection_limit: int = Field(default=50, ge=1, le=5000)
    statement_timeout_ms: Milliseconds = 30_000
    idle_in_transaction_timeout_ms: Milliseconds = 60_000
    lock_timeout_ms: Milliseconds = 10_000


class PostgresDatabase(_Model):
    """A database with one schema of the application.

    Attributes:
        name: Name of the database.
        owner: Role without login that owns the schema and all in it. The database itself stays the
        master's, because
            who owns a database may drop it.
        schema_name: The application's schema (`schema` in the plan); `public` stays locked.
        extensions: Installed into a schema of their own, which every role of the database may use.
        roles: The logins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Name
    owner: Name
    schema_name: Name = Field(default="app", alias="schema")
    extensions: tuple[ExtensionName, ...] = ()
    roles: tuple[PostgresRole, ...] = ()

    @property
    def role_names(self) -> tuple[str, ...]:
        """The owner and every login."""
        return (self.owner, *(login for role in self.roles for login in role.logins))

    @model_validator(mode="after")
    def _schema_is_not_the_extensions(self) -> Self:
        if self.schema_name == "extensions":
            raise ValueError(
                "schema 'extensions' is where extensions go: name the application's schema otherwise"
            )
        return self


class PostgresServer(Store):
    """An RDS PostgreSQL instance (its own endpoint, not the proxy's).

    Attributes:
        port: TCP port.
        sslmode: `verify-full`, or `verify-ca` where the server is reached under another name.
        maintenance_database: Where databases are created from and the lock is held.
        databases: What the server must have.
    """

    port: Port = 5432
    sslmode: Literal["verify-full", "verify-ca"] = "verify-full"
    maintenance_database: Literal["postgres"] = "postgres"
    databases: tuple[PostgresDatabase, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _unique("database", (database.name for database in self.databases))
        _unique("role", (role for database in self.databases for role in database.role_names))
        return self


class MongoUser(User):
    """A user of one database of a DocumentDB cluster.

    Attributes:
        database: The only database that it reaches.
        role: What it may do there.
    """

    database: Name
    role: Literal["read", "readWrite"] = "readWrite"


class MongoCluster(Store):
    """A DocumentDB cluster, or any server of the MongoDB wire protocol.

    Attributes:
        port: TCP port.
        users: What the cluster must have.
    """

    port: Port = 27017
    users: tuple[MongoUser, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        _unique("user", (login for user in self.users for login in user.logins))
        return self


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


class RabbitPermission(_Model):
    """What a user may do in one vhost; regular expressions over the names of queues and exchanges."""

    vhost: VhostName
    configure: PermissionPattern = "^$"
    write: PermissionPattern = "^$"
    read: PermissionPattern = "^$"


class RabbitUser(User):
    """A service's user; never with tags, so never in the management interface.

    Attributes:
        permissions: One for each vhost that it may enter, at least one.
    """

    permissions: tuple[RabbitPermission, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_permission_a_vhost(self) -> Self:
        _unique("permission for vhost", (permission.vhost for permission in self.permissions))
        return self


class RabbitPolicy(_Model):
    """A policy of a vhost, in RabbitMQ's own terms."""

    name: VhostName
    pattern: Annotated[str, Field(min_length=1, max_length=1024)]
    definition: dict[str, str | int | bool | list[str]] = Field(min_length=1)
    apply_to: Literal["all", "queues", "classic_queues", "quorum_queues", "exchanges"] = "queues"
    priority: int = Field(default=0, ge=0)


class RabbitVhost(_Model):
    """A vhost with its policies."""

    name: VhostName
    policies: tuple[RabbitPolicy, ...] = ()

    @model_validator(mode="after")
    def _policies_are_unique(self) -> Self:
        _unique(f"policy of vhost {self.name}", (policy.name for policy in self.policies))
        return self


class RabbitBroker(Store):
    """An Amazon MQ for RabbitMQ broker.

    Attributes:
        port: TCP port of the management API over TLS (443 on Amazon MQ).
        amqp_port: TCP port of AMQP over TLS, where a rotated password is tried.
        vhosts: What the broker must have.
        users: Who may enter them.
    """

    port: Port = 443
    amqp_port: Port = 5671
    vhosts: tuple[RabbitVhost, ...] = ()
    users: tuple[RabbitUser, ...] = ()

    @model_validator(mode="after")
    def _refers_to_its_own(self) -> Self:
        names = [vhost.name for vhost in self.vhosts]
        _unique("vhost", names)
        _unique("user", (login for user in self.users for login in user.logins))
        for user in self.users:
            for permission in user.permissions:
                if permission.vhost not in names:
                    raise ValueError(
                        f"user {user.name} has a permission in vhost {permission.vhost!r}: not in the plan"
                    )
        return self


class Plan(_Model):
    """All stores of an environment.

    Attributes:
        version: Version of this format.
        ca_file: PEM bundle for the stores that name none: AWS's `global-bundle.pem` for RDS and DocumentDB.
        postgres: PostgreSQL servers.
        mongodb: MongoDB-protocol clusters.
        rabbitmq: RabbitMQ brokers.
    """

    version: Literal[1] = 1
    ca_file: Path | None = None
    postgres: tuple[PostgresServer, ...] = ()
    mongodb: tuple[MongoCluster, ...] = ()
    rabbitmq: tuple[RabbitBroker, ...] = ()

    @model_validator(mode="after")
    def _names_and_secrets_are_unique(self) -> Self:
        stores: tuple[Store, ...] = (*self.postgres, *self.mongodb, *self.rabbitmq)
        _unique("store", (store.name for store in stores))
        _unique(
            "secret", (*(user.secret for user in self.users()), *{store.master_secret for store in stores})
        )
        return self

    def users(self) -> Iterable[User]:
        """Every service user of every store."""
        for server in self.postgres:
            for database in server.databases:
                yield from database.roles
        for cluster in self.mongodb:
            yield from cluster.users
        for broker in self.rabbitmq:
            yield from broker.users


def parse_plan(text: str) -> Plan:
    """Read a plan from JSON or YAML.

    Raises:
        PlanError: naming each place that is wrong, what stands there and what is expected.
    """
    try:
        content: Any = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise PlanError(f"the plan is neither JSON nor YAML: {error}") from error
    if not isinstance(content, dict):
        raise PlanError("the plan is empty or no mapping: give at least `version: 1`")
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise PlanError("the plan is wrong:\n" + "\n".join(_explain(error))) from error


def _explain(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False):
        place = ".".join(str(part) for part in problem["loc"]) or "plan"
        # A password pasted where it does not belong must not travel on into a log.
        shown = problem["type"] != "extra_forbidden" and not place.endswith("secret")
        scalar = isinstance(problem["input"], str | int | float | bool)
        yield f"  {place}: {problem['msg']}" + (f" (got {problem['input']!r})" if shown and scalar else "")


def _unique(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what} {', '.join(map(repr, twice))} appears more than once")
