"""From what is to what should be: pure functions from two states to the statements between them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from operations.bootstrap.plan import PostgresDatabase
from operations.bootstrap.postgres.desired import desired_privileges
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
from operations.bootstrap.report import Action


@dataclass(frozen=True)
class Step:
    """One statement, with what the report says about it.

    Attributes:
        statement: The SQL.
        acting_as: The role to carry it out as; empty for the master itself.
    """

    action: Action
    subject: str
    detail: str
    statement: Composed
    acting_as: str = ""


# attribute -> (SQL when true, SQL when false)
_ATTRIBUTE_SQL: Mapping[str, tuple[str, str]] = {
    "login": ("LOGIN", "NOLOGIN"),
    "superuser": ("SUPERUSER", "NOSUPERUSER"),
    "create_database": ("CREATEDB", "NOCREATEDB"),
    "create_role": ("CREATEROLE", "NOCREATEROLE"),
    "replication": ("REPLICATION", "NOREPLICATION"),
    "bypass_rls": ("BYPASSRLS", "NOBYPASSRLS"),
    "inherit": ("INHERIT", "NOINHERIT"),
}


def role_steps(desired: RolesState, actual: RolesState) -> list[Step]:
    """Creates missing roles, without password, and brings powers, memberships and settings in line."""
    steps: list[Step] = []
    for name, wanted in sorted(desired.attributes.items()):
        found = actual.attributes.get(name)
        if found is None:
            steps.append(_create_role(name, wanted))
        elif found != wanted:
            steps.append(_alter_role(name, wanted, found))
    return steps + _membership_steps(desired, actual) + _setting_steps(desired.settings, actual.settings)


def _create_role(name: str, wanted: Attributes) -> Step:
    statement = SQL("CREATE ROLE {} {} CONNECTION LIMIT {}").format(
        Identifier(name), SQL("LOGIN" if wanted.login else "NOLOGIN"), Literal(wanted.connection_limit)
    )
    return Step(Action.CREATED, f"role {name}", "login" if wanted.login else "no login", statement)


def _alter_role(name: str, wanted: Attributes, found: Attributes) -> Step:
    """Names only what differs: before PostgreSQL 16 even NOSUPERUSER takes a superuser to say."""
    clauses = [
        words[0] if getattr(wanted, attribute) else words[1]
        for attribute, words in _ATTRIBUTE_SQL.items()
        if getattr(wanted, attribute) != getattr(found, attribute)
    ]
    if wanted.connection_limit != found.connection_limit:
        clauses.append(f"CONNECTION LIMIT {wanted.connection_limit:d}")
    if found.expires:
        clauses.append("VALID UNTIL 'infinity'")
    took = any(getattr(found, power) and not getattr(wanted, power) for power in _ATTRIBUTE_SQL)
    statement = SQL("ALTER ROLE {} {}").format(Identifier(name), SQL(" ".join(clauses)))
    return Step(
        Action.REVOKED if took else Action.UPDATED, f"role {name}", ", ".join(clauses).lower(), statement
    )


def _membership_steps(desired: RolesState, actual: RolesState) -> list[Step]:
    steps = []
    for extra in sorted(actual.memberships - desired.memberships):
        group, member = Identifier(extra.group), Identifier(extra.member)
        if extra.admin and Membership(extra.group, extra.member) in desired.memberships:
            statement, detail = (
                SQL("REVOKE ADMIN OPTION FOR {} FROM {}").format(group, member),
                "admin option on",
            )
        else:
            statement, detail = SQL("REVOKE {} FROM {} CASCADE").format(group, member), "membership in"
        steps.append(Step(Action.REVOKED, f"role {extra.member}", f"{detail} {extra.group}", statement))
    held = {(found.group, found.member) for found in actual.memberships}
    steps += [
        Step(
            Action.GRANTED, f"role {missing.member}", f"membership in {missing.group}",
            SQL("GRANT {} TO {}").format(Identifier(missing.group), Identifier(missing.member)),
        )
        for missing in sorted(desired.memberships)
        if (missing.group, missing.member) not in held
    ]  # fmt: skip
    return steps


def _setting_steps(desired: frozenset[Setting], actual: frozenset[Setting]) -> list[Step]:
    wanted = {(setting.role, setting.database, setting.name) for setting in desired}
    steps = [
        Step(
            Action.REVOKED, f"role {extra.role}", f"setting {extra.name} {_where(extra)}".rstrip(),
            _alter_setting(extra) + SQL("RESET {}").format(Identifier(extra.name)),
        )
        for extra in sorted(actual - desired)
        if (extra.role, extra.database, extra.name) not in wanted
    ]  # fmt: skip
    for missing in sorted(desired - actual):
        # A list of names must not be quoted as one name.
        values = missing.value.split(", ") if missing.name == "search_path" else [missing.value]
        value = SQL(", ").join(Literal(value) for value in values)
        statement = _alter_setting(missing) + SQL("SET {} TO ").format(Identifier(missing.name)) + value
        detail = f"setting {missing.name} = {missing.value} {_where(missing)}"
        steps.append(Step(Action.UPDATED, f"role {missing.role}", detail, statement))
    return steps


def _where(setting: Setting) -> str:
    return f"in database {setting.database}" if setting.database else ""


def _alter_setting(setting: Setting) -> Composed:
    alter = SQL("ALTER ROLE {} ").format(Identifier(setting.role))
    return alter + SQL("IN DATABASE {} ").format(Identifier(setting.database)) if setting.database else alter


def structure_steps(database: PostgresDatabase, actual: DatabaseState) -> list[Step]:
    """Creates missing schemas and extensions. None is ever dropped: data may hang on it."""
    schemas = {EXTENSIONS_SCHEMA: "", database.schema_name: database.owner}
    steps = []
    for schema, owner in schemas.items():
        if schema not in actual.schemas:
            statement = SQL("CREATE SCHEMA {}").format(Identifier(schema))
            if owner:
                statement += SQL(" AUTHORIZATION {}").format(Identifier(owner))
            steps.append(Step(Action.CREATED, f"schema {schema}", f"in database {database.name}", statement))
    for extension in database.extensions:
        names = (Identifier(extension), Identifier(EXTENSIONS_SCHEMA))
        if extension not in actual.extensions:
            statement = SQL("CREATE EXTENSION {} SCHEMA {}").format(*names)
            steps.append(
                Step(Action.CREATED, f"extension {extension}", f"in database {database.name}", statement)
            )
        elif actual.extensions[extension] != EXTENSIONS_SCHEMA:
            statement = SQL("ALTER EXTENSION {} SET SCHEMA {}").format(*names)
            steps.append(
                Step(Action.UPDATED, f"extension {extension}", f"to schema {EXTENSIONS_SCHEMA}", statement)
            )
    return steps


def database_privilege_steps(database: PostgresDatabase, actual: DatabaseState, master: str) -> list[Step]:
    """All grants and revocations inside one database."""
    steps = privilege_steps(lambda target: desired_privileges(database, target), actual.privileges, master)
    return [_within(step, database.name) for step in steps]


def _within(step: Step, database: str) -> Step:
    if step.subject.startswith("database "):
        return step
    return Step(
        step.action, f"{step.subject} in database {database}", step.detail, step.statement, step.acting_as
    )


def privilege_steps(
    desired: Callable[[Target], frozenset[Privilege]], actual: Privileges, master: str
) -> list[Step]:
    """Grants and revocations that leave each object with exactly the wanted privileges.

    Args:
        desired: The wanted privileges of an object.
        actual: The objects and the privileges that others than the owner have on them.
        master: Who carries the steps out where the owner is no role of the plan.
    """
    steps: list[Step] = []
    for target, found in sorted(actual.items()):
        wanted = desired(target)
        # The owner of `public` is the database's owner under another name.
        acting_as = "" if target.owner in {master, "pg_database_owner"} else target.owner
        for action, privileges in ((Action.REVOKED, found - wanted), (Action.GRANTED, wanted - found)):
            for grantee, names in _by_grantee(privileges):
                # An unwanted grant option goes with its privilege; the privilege itself is granted again
                # below.
                statement = _privilege_statement(target, action, grantee, names)
                who = "everyone" if grantee == PUBLIC else grantee
                word = "to" if action is Action.GRANTED else "from"
                steps.append(
                    Step(action, str(target), f"{', '.join(names)} {word} {who}", statement, acting_as)
                )
    return steps


def _by_grantee(privileges: Iterable[Privilege]) -> list[tuple[str, tuple[str, ...]]]:
    grouped: dict[str, list[str]] = {}
    for privilege in sorted(privileges):
        grouped.setdefault(privilege.grantee, []).append(privilege.name)
    return [(grantee, tuple(names)) for grantee, names in grouped.items()]


def _privilege_statement(target: Target, action: Action, grantee: str, names: tuple[str, ...]) -> Composed:
    role: Composable = SQL("PUBLIC") if grantee == PUBLIC else Identifier(grantee)
    privileges = SQL(", ").join(SQL(name) for name in names)
    grant = action is Action.GRANTED
    verb, word = (SQL("GRANT"), SQL("TO")) if grant else (SQL("REVOKE"), SQL("FROM"))
    end = SQL("") if grant else SQL(" CASCADE")
    if target.kind.startswith("DEFAULT "):
        scope = SQL("IN SCHEMA {} ").format(SQL(target.identity)) if target.identity else SQL("")
        objects = SQL(target.kind.removeprefix("DEFAULT "))
        return SQL("ALTER DEFAULT PRIVILEGES {}{} {} ON {} {} {}").format(
            scope, verb, privileges, objects, word, role
        )
    column = SQL(" ({})").format(Identifier(target.column)) if target.column else SQL("")
    return SQL("{} {}{} ON {} {} {} {}{}").format(
        verb, privileges, column, SQL(target.kind), SQL(target.identity), word, role, end
    )
