"""The plan: which databases, users and vhosts the stores must have.

The plan carries no password, only the ARNs of the Secrets Manager secrets that hold them, so it may be kept
in git or in a ConfigMap.
"""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from operations.bootstrap.names import (
    ExtensionName,
    Host,
    Label,
    Milliseconds,
    Name,
    PermissionPattern,
    Port,
    SecretArn,
    VhostName,
    require_unique,
)

CLONE_SUFFIX = "_clone"
"""What the second login of an alternating user is called, as AWS's own alternating-users rotation names
it."""


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
    def _names_arerequire_unique(self) -> Self:
        require_unique("database", (database.name for database in self.databases))
        require_unique("role", (role for database in self.databases for role in database.role_names))
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
    def _names_arerequire_unique(self) -> Self:
        require_unique("user", (login for user in self.users for login in user.logins))
        return self


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
        require_unique("permission for vhost", (permission.vhost for permission in self.permissions))
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
    def _policies_arerequire_unique(self) -> Self:
        require_unique(f"policy of vhost {self.name}", (policy.name for policy in self.policies))
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
        require_unique("vhost", names)
        require_unique("user", (login for user in self.users for login in user.logins))
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
    def _names_and_secrets_arerequire_unique(self) -> Self:
        stores: tuple[Store, ...] = (*self.postgres, *self.mongodb, *self.rabbitmq)
        require_unique("store", (store.name for store in stores))
        require_unique(
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
