"""Roles, objects and privileges, as a server has them and as the plan wants them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PUBLIC = "public"
"""How grants to everyone are spelled here; no role can have this name."""

EXTENSIONS_SCHEMA = "extensions"


@dataclass(frozen=True, order=True)
class Privilege:
    """One privilege of one grantee on one object."""

    grantee: str
    name: str
    grantable: bool = False


@dataclass(frozen=True, order=True)
class Target:
    """Something that privileges are granted on.

    Attributes:
        kind: SQL's word for it (`TABLE`, `SCHEMA`, ...), or `DEFAULT TABLES` and the like for default
            privileges.
        identity: How SQL names it, quoted by the server; for default privileges the schema or nothing.
        owner: The role whose grants they are.
        schema: The schema that it is in, or is; unquoted.
        column: The column of the table, for privileges on columns.
    """

    kind: str
    identity: str
    owner: str
    schema: str = ""
    column: str = ""

    def __str__(self) -> str:
        if self.kind.startswith("DEFAULT "):
            where = f" in schema {self.identity}" if self.identity else ""
            return (
                f"default privileges of {self.owner} on {self.kind.removeprefix('DEFAULT ').lower()}{where}"
            )
        return f"{self.kind.lower()} {self.identity}" + (f" column {self.column}" if self.column else "")


Privileges = Mapping[Target, frozenset[Privilege]]


@dataclass(frozen=True)
class Attributes:
    """What CREATE ROLE decides, password apart."""

    login: bool
    connection_limit: int = -1
    superuser: bool = False
    create_database: bool = False
    create_role: bool = False
    replication: bool = False
    bypass_rls: bool = False
    inherit: bool = True
    expires: bool = False


@dataclass(frozen=True, order=True)
class Membership:
    """A role being in another."""

    group: str
    member: str
    admin: bool = False


@dataclass(frozen=True, order=True)
class Setting:
    """A configuration value that a role starts with in a database (everywhere when the database is empty)."""

    role: str
    database: str
    name: str
    value: str


@dataclass(frozen=True)
class RolesState:
    """The roles of a server, as far as the plan speaks of them."""

    attributes: Mapping[str, Attributes] = field(default_factory=dict)
    memberships: frozenset[Membership] = frozenset()
    settings: frozenset[Setting] = frozenset()


@dataclass(frozen=True)
class DatabaseState:
    """The inside of one database.

    Attributes:
        schemas: Schema to its owner, the server's own left out.
        extensions: Extension to its schema.
        privileges: On everything that is no part of an extension.
        foreign_owned: Objects in the application's schema that somebody else than its owner owns, with the
            owner.
    """

    schemas: Mapping[str, str]
    extensions: Mapping[str, str]
    privileges: Privileges
    foreign_owned: Mapping[str, str] = field(default_factory=dict)
