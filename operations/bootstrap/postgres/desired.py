"""What the plan means in PostgreSQL: roles, settings, memberships, and who may do what on which object."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from operations.bootstrap.plan import Access, PostgresDatabase, PostgresRole, PostgresServer
from operations.bootstrap.postgres.model import (
    EXTENSIONS_SCHEMA,
    PUBLIC,
    Attributes,
    DatabaseState,
    Membership,
    Privilege,
    Privileges,
    RolesState,
    Setting,
    Target,
)

_ROW_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")

# kind of object -> access -> privileges; what is not listed is not granted.
_IN_SCHEMA: Mapping[str, Mapping[Access, tuple[str, ...]]] = {
    "SCHEMA": {Access.RUNTIME: ("USAGE",), Access.READER: ("USAGE",)},
    "TABLE": {Access.RUNTIME: _ROW_PRIVILEGES, Access.READER: ("SELECT",)},
    "SEQUENCE": {Access.RUNTIME: ("USAGE", "SELECT"), Access.READER: ("SELECT",)},
    "ROUTINE": {Access.RUNTIME: ("EXECUTE",)},
}
_DEFAULTS = {"DEFAULT TABLES": "TABLE", "DEFAULT SEQUENCES": "SEQUENCE", "DEFAULT ROUTINES": "ROUTINE"}


def desired_roles(server: PostgresServer, master: str) -> RolesState:
    """All roles of a server: owners without login, and the logins.

    Args:
        server: The plan's part.
        master: The master user, who must be able to act as each owner.
    """
    attributes: dict[str, Attributes] = {}
    memberships: set[Membership] = set()
    settings: set[Setting] = set()
    for database in server.databases:
        attributes[database.owner] = Attributes(login=False)
        memberships.add(Membership(database.owner, master))
        for role in database.roles:
            for login in role.logins:
                attributes[login] = Attributes(login=True, connection_limit=role.connection_limit)
                settings |= set(_settings(database, role, login))
                if role.access is Access.MIGRATION:
                    memberships.add(Membership(database.owner, login))
    return RolesState(attributes, frozenset(memberships), frozenset(settings))


def _settings(database: PostgresDatabase, role: PostgresRole, login: str) -> Iterable[Setting]:
    """Nobody but the master can create in either schema of the path, so no name can be captured there."""
    values = {
        "search_path": f"{database.schema_name}, {EXTENSIONS_SCHEMA}",
        "statement_timeout": f"{role.statement_timeout_ms}ms",
        "idle_in_transaction_session_timeout": f"{role.idle_in_transaction_timeout_ms}ms",
        "lock_timeout": f"{role.lock_timeout_ms}ms",
    }
    if role.access is Access.MIGRATION:
        # So that what it creates belongs to the owner role, whichever login ran the migration.
        values["role"] = database.owner
    if role.access is Access.READER:
        values["default_transaction_read_only"] = "on"
    return [Setting(login, database.name, name, value) for name, value in values.items()]


def _by_access(
    database: PostgresDatabase, privileges: Mapping[Access, tuple[str, ...]]
) -> frozenset[Privilege]:
    return frozenset(
        Privilege(login, name)
        for role in database.roles
        for login in role.logins
        for name in privileges.get(role.access, ())
    )


def desired_privileges(database: PostgresDatabase, target: Target) -> frozenset[Privilege]:
    """Everything that anybody but its owner may do on an object of a database.

    Args:
        database: The plan's part.
        target: The object, as the server has it.
    """
    kind = _DEFAULTS.get(target.kind, target.kind)
    if target.kind == "DATABASE":
        return _by_access(database, dict.fromkeys(Access, ("CONNECT",)))
    if target.kind == "SCHEMA" and target.schema == EXTENSIONS_SCHEMA:
        users = _by_access(database, dict.fromkeys(Access, ("USAGE",)))
        return users | {Privilege(database.owner, "USAGE")}
    if target.kind == "DEFAULT TYPES" and not target.schema:
        return frozenset({Privilege(PUBLIC, "USAGE")})
    if target.schema != database.schema_name or target.column:
        return frozenset()
    if target.kind in _DEFAULTS and target.owner != database.owner:
        return frozenset()
    return _by_access(database, _IN_SCHEMA.get(kind, {}))


_SERVERS_OWN_DATABASES = frozenset({"postgres", "template1"})


def desired_outside(
    actual: Privileges, roles: Collection[str], master: str, target: Target
) -> frozenset[Privilege]:
    """What stays of the privileges on a database that the plan does not describe.

    Args:
        actual: All such databases with their privileges.
        roles: The plan's roles, which have no business there.
        master: Where it owns one of the server's own databases, everyone else has no business there either.
        target: The database.
    """
    stays = frozenset(privilege for privilege in actual[target] if privilege.grantee not in roles)
    if target.identity in _SERVERS_OWN_DATABASES and target.owner == master:
        stays = frozenset(privilege for privilege in stays if privilege.grantee != PUBLIC)
    return stays


def fresh_database(database: PostgresDatabase, master: str) -> DatabaseState:
    """What CREATE DATABASE leaves to everyone, for a dry run: connecting, temporary tables, `public`."""
    everyone = {
        Target("DATABASE", database.name, master): ("CONNECT", "TEMPORARY"),
        Target("SCHEMA", "public", "pg_database_owner", "public"): ("USAGE",),
        Target("DEFAULT ROUTINES", "", database.owner): ("EXECUTE",),
    }
    privileges = {
        target: frozenset(Privilege(PUBLIC, name) for name in names) for target, names in everyone.items()
    }
    return DatabaseState(schemas={"public": "pg_database_owner"}, extensions={}, privileges=privileges)


def with_schemas(database: PostgresDatabase, state: DatabaseState, master: str) -> DatabaseState:
    """The state once the plan's schemas exist, still without any privilege on them."""
    owners = {database.schema_name: database.owner, EXTENSIONS_SCHEMA: master}
    missing = [schema for schema in owners if schema not in state.schemas]
    added = [Target("SCHEMA", schema, owners[schema], schema) for schema in missing]
    if database.schema_name in missing:
        added += [
            Target(kind, database.schema_name, database.owner, database.schema_name) for kind in _DEFAULTS
        ]
    return replace(state, privileges={**dict.fromkeys(added, frozenset()), **state.privileges})
