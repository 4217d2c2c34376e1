"""Reads roles, objects and privileges from a server's catalogs."""

from collections.abc import Collection
from typing import Any, LiteralString

from psycopg import Connection

from operations.bootstrap.postgres.model import (
    PUBLIC,
    Attributes,
    DatabaseState,
    Membership,
    Privilege,
    RolesState,
    Setting,
    Target,
)

# The initial superuser gives the master an admin option on each role that the master creates (PostgreSQL 16
# and later). That grant is the server's own; of the master's memberships only the power to act as the role
# counts.
_MEMBERSHIPS: LiteralString = """
    select g.rolname, m.rolname, bool_or(a.admin_option and m.rolname <> current_user)
    from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
    where (g.rolname = any(%(roles)s) or m.rolname = any(%(roles)s))
      and (m.rolname <> current_user or {can_become})
    group by 1, 2
"""

_SETTINGS: LiteralString = """
    select r.rolname, coalesce(d.datname, ''),
           split_part(s.entry, '=', 1), substr(s.entry, strpos(s.entry, '=') + 1)
    from (select setrole, setdatabase, unnest(setconfig) as entry from pg_db_role_setting) s
    join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
    where r.rolname = any(%(roles)s)
"""

_ATTRIBUTES: LiteralString = """
    select rolname, rolcanlogin, rolconnlimit, rolsuper, rolcreatedb, rolcreaterole, rolreplication,
           rolbypassrls, rolinherit, rolvaliduntil is not null and rolvaliduntil <> 'infinity'
    from pg_roles where rolname = any(%(roles)s)
"""

_DATABASES: LiteralString = """
    with target as (
        select 'DATABASE' as kind, quote_ident(datname) as identity, pg_get_userbyid(datdba) as owner,
               '' as schema, '' as col, coalesce(datacl, acldefault('d', datdba)) as acl, datdba as owner_oid
        from pg_database where {which}
    )
"""

# Everything that privileges hang on in one database; what an extension brought is the extension's.
_OBJECTS: LiteralString = """
    with schemas as (
        select oid, nspname, nspowner, nspacl from pg_namespace n
        where nspname !~ '^pg_' and nspname <> 'information_schema'
          and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass
                          and d.objid = n.oid and d.deptype = 'e')
    ), relations as (
        select c.oid, case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end as kind,
               quote_ident(s.nspname) || '.' || quote_ident(c.relname) as identity,
               s.nspname, c.relowner, c.relacl
        from pg_class c join schemas s on s.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass
                          and d.objid = c.oid and d.deptype = 'e')
    ), routines as (
        select p.oid, quote_ident(s.nspname) || '.' || quote_ident(p.proname)
               || '(' || pg_get_function_identity_arguments(p.oid) || ')' as identity,
               s.nspname, p.proowner, p.proacl
        from pg_proc p join schemas s on s.oid = p.pronamespace
        where not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass
                          and d.objid = p.oid and d.deptype = 'e')
    ), defaults as (
        select o.kind, o.letter, r.oid as role, 0::oid as namespace,
               coalesce(d.defaclacl,
                        acldefault(case o.letter when 'S' then 's' else o.letter end, r.oid)) as acl
        from (values ('DEFAULT TABLES', 'r'::"char"), ('DEFAULT SEQUENCES', 'S'), ('DEFAULT ROUTINES', 'f'),
                     ('DEFAULT TYPES', 'T'), ('DEFAULT SCHEMAS', 'n')) as o (kind, letter)
        cross join pg_roles r
        left join pg_default_acl d
               on d.defaclrole = r.oid and d.defaclnamespace = 0 and d.defaclobjtype = o.letter
        where r.rolname = %(owner)s
        union all
        select k.kind, d.defaclobjtype, r.oid, s.oid, d.defaclacl
        from pg_roles r cross join schemas s
        cross join (values ('DEFAULT TABLES', 'r'::"char"), ('DEFAULT SEQUENCES', 'S'),
                           ('DEFAULT ROUTINES', 'f'), ('DEFAULT TYPES', 'T')) as k (kind, letter)
        left join pg_default_acl d
               on d.defaclrole = r.oid and d.defaclnamespace = s.oid and d.defaclobjtype = k.letter
        where r.rolname = %(owner)s and (s.nspname = %(schema)s or d.oid is not null)
    ), target as (
        select 'SCHEMA' as kind, quote_ident(nspname) as identity, pg_get_userbyid(nspowner) as owner,
               nspname::text as schema, '' as col, coalesce(nspacl, acldefault('n', nspowner)) as acl,
               nspowner as owner_oid from schemas
        union all
        select kind, identity, pg_get_userbyid(relowner), nspname, '',
               coalesce(relacl,
                        acldefault(case kind when 'SEQUENCE' then 's' else 'r' end::"char", relowner)),
               relowner
        from relations
        union all
        select 'TABLE', r.identity, pg_get_userbyid(r.relowner), r.nspname, a.attname, a.attacl, r.relowner
        from relations r join pg_attribute a on a.attrelid = r.oid
        where a.attacl is not null and not a.attisdropped
        union all
        select 'ROUTINE', identity, pg_get_userbyid(proowner), nspname, '',
               coalesce(proacl, acldefault('f', proowner)), proowner from routines
        union all
        select d.kind, coalesce(quote_ident(s.nspname), ''), pg_get_userbyid(d.role),
               coalesce(s.nspname, ''), '', d.acl, d.role
        from defaults d left join schemas s on s.oid = d.namespace
    )
"""

_EXPAND: LiteralString = """
    select t.kind, t.identity, t.owner, t.schema, t.col,
           case when a.grantee = 0 then %(public)s
                when a.grantee is not null then pg_get_userbyid(a.grantee) end,
           a.privilege_type, a.is_grantable
    from target t left join lateral aclexplode(t.acl) a on a.grantee <> t.owner_oid
"""

_FOREIGN_OWNED: LiteralString = """
    select format('%%s.%%I', c.relnamespace::regnamespace, c.relname), pg_get_userbyid(c.relowner)
    from pg_class c where c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
      and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and pg_get_userbyid(c.relowner) <> %(owner)s
    union all
    select format('%%s.%%I', p.pronamespace::regnamespace, p.proname), pg_get_userbyid(p.proowner)
    from pg_proc p where p.pronamespace = to_regnamespace(quote_ident(%(schema)s))
      and pg_get_userbyid(p.proowner) <> %(owner)s
    union all
    select format('schema %%I', nspname), pg_get_userbyid(nspowner) from pg_namespace
    where nspname = %(schema)s and pg_get_userbyid(nspowner) <> %(owner)s
"""

Row = tuple[Any, ...]

_POSTGRES_16 = 160000


def read_roles(connection: Connection[Row], roles: Collection[str]) -> RolesState:
    """The named roles, their memberships both ways, and their settings."""
    parameters = {"roles": list(roles)}
    # PostgreSQL 16 split membership: who may grant a role may not act as it unless told so.
    can_become = "a.set_option" if connection.info.server_version >= _POSTGRES_16 else "true"
    members = connection.execute(_MEMBERSHIPS.replace("{can_become}", can_become).encode(), parameters)
    return RolesState(
        attributes={row[0]: Attributes(*row[1:]) for row in connection.execute(_ATTRIBUTES, parameters)},
        memberships=frozenset(Membership(*row) for row in members),
        settings=frozenset(Setting(*row) for row in connection.execute(_SETTINGS, parameters)),
    )


def read_database_owners(connection: Connection[Row]) -> dict[str, str]:
    """Every database that takes connections, with its owner."""
    rows = connection.execute("select datname, pg_get_userbyid(datdba) from pg_database where datallowconn")
    return dict(rows.fetchall())


def read_database_privileges(connection: Connection[Row]) -> dict[Target, frozenset[Privilege]]:
    """Who may do what on each database of the server, owners apart."""
    rows = connection.execute(
        (_DATABASES.replace("{which}", "datallowconn") + _EXPAND).encode(), {"public": PUBLIC}
    )
    return _collect(rows.fetchall())


def read_database(connection: Connection[Row], schema: str, owner: str) -> DatabaseState:
    """The inside of the connected database.

    Args:
        connection: To the database.
        schema: The application's schema.
        owner: The role that should own it.
    """
    parameters = {"public": PUBLIC, "schema": schema, "owner": owner}
    inside = connection.execute(_OBJECTS + _EXPAND, parameters).fetchall()
    which = _DATABASES.replace("{which}", "datname = current_database()")
    own = connection.execute((which + _EXPAND).encode(), parameters).fetchall()
    schemas = connection.execute(
        "select nspname, pg_get_userbyid(nspowner) from pg_namespace where nspname !~ '^pg_'"
    )
    extensions = connection.execute("select extname, extnamespace::regnamespace::text from pg_extension")
    return DatabaseState(
        schemas=dict(schemas.fetchall()),
        extensions=dict(extensions.fetchall()),
        privileges=_collect([*inside, *own]),
        foreign_owned=dict(connection.execute(_FOREIGN_OWNED, parameters).fetchall()),
    )


def _collect(rows: list[Row]) -> dict[Target, frozenset[Privilege]]:
    found: dict[Target, set[Privilege]] = {}
    for kind, identity, owner, schema, column, grantee, privilege, grantable in rows:
        privileges = found.setdefault(Target(kind, identity, owner, schema, column), set())
        if grantee is not None:
            privileges.add(Privilege(grantee, privilege, grantable))
    return {target: frozenset(privileges) for target, privileges in found.items()}
