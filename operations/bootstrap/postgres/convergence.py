"""Brings one PostgreSQL server in line with the plan."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from operations.bootstrap.credentials import Credentials
from operations.bootstrap.errors import StoreError
from operations.bootstrap.plan import PostgresDatabase, PostgresRole
from operations.bootstrap.postgres import catalog
from operations.bootstrap.postgres.access import ServerAccess
from operations.bootstrap.postgres.desired import desired_outside, desired_roles, fresh_database, with_schemas
from operations.bootstrap.postgres.differences import (
    Step,
    database_privilege_steps,
    privilege_steps,
    role_steps,
    structure_steps,
)
from operations.bootstrap.postgres.model import DatabaseState, RolesState
from operations.bootstrap.report import Action, Change, Problem, Report


def converge(
    access: ServerAccess, credentials: Callable[[PostgresRole], Credentials], report: Report
) -> None:
    """Bring a server in line with the plan and report what it took.

    Args:
        access: The server.
        credentials: Reads the current credentials of a role.
        report: Gets the changes and problems; a problem with one object does not keep the others from their
            due.

    Raises:
        StoreError: the server as a whole cannot be worked on.
    """
    with access.locked() as connection:
        _Convergence(access, connection, report).run(credentials)


class _Convergence:
    """One run over one server."""

    def __init__(self, access: ServerAccess, connection: Connection[catalog.Row], report: Report) -> None:
        self._access = access
        self._connection = connection
        self._report = report
        self._store = access.server.name
        self._master = access.master.username
        self._databases = access.server.databases
        self._roles = desired_roles(access.server, self._master)

    def run(self, credentials: Callable[[PostgresRole], Credentials]) -> None:
        """Roles first, for grants name them; passwords last: no login opens before its rights are right."""
        self._converge_roles()
        owners = catalog.read_database_owners(self._connection)
        for database in self._databases:
            with self._reporting(f"database {database.name}"):
                self._converge_database(database, owners.get(database.name))
        self._converge_settings()
        self._converge_other_databases()
        for database in self._databases:
            for role in database.roles:
                with self._reporting(f"role {role.name}"):
                    self._converge_password(database.name, role, credentials(role))

    @contextmanager
    def _reporting(self, subject: str) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self._report.problems.append(Problem.of(error))
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            self._report.problems.append(Problem.of(self._access.refused(subject, error)))

    def _read_roles(self) -> RolesState:
        return catalog.read_roles(self._connection, self._roles.attributes)

    def _converge_roles(self) -> None:
        def steps() -> list[Step]:
            actual = self._read_roles()
            # Settings name databases, which are not there yet.
            return role_steps(
                RolesState(self._roles.attributes, self._roles.memberships, actual.settings), actual
            )

        self._carry_out(self._connection, steps())
        self._require_converged(steps)

    def _converge_settings(self) -> None:
        settings = self._read_roles().settings
        self._carry_out(
            self._connection,
            role_steps(RolesState(settings=self._roles.settings), RolesState(settings=settings)),
        )

    def _converge_database(self, database: PostgresDatabase, owner: str | None) -> None:
        if owner is None:
            # template0, because whatever somebody left in template1 would come along.
            statement = SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                Identifier(database.name)
            )
            self._carry_out(
                self._connection, [Step(Action.CREATED, f"database {database.name}", "", statement)]
            )
            if self._report.dry_run:
                self._carry_out(
                    self._connection, self._inside_steps(database, fresh_database(database, self._master))
                )
                return
        elif owner != self._master:
            raise StoreError(
                self._store, f"database {database.name}", f"belongs to {owner}, not to the master",
                f"Let {owner} run: ALTER DATABASE {database.name} OWNER TO {self._master}",
            )  # fmt: skip
        with self._access.connect(database.name) as inside:
            self._converge_inside(inside, database)

    def _inside_steps(self, database: PostgresDatabase, state: DatabaseState) -> list[Step]:
        planned = with_schemas(database, state, self._master)
        return structure_steps(database, state) + database_privilege_steps(database, planned, self._master)

    def _converge_inside(self, inside: Connection[catalog.Row], database: PostgresDatabase) -> None:
        """One transaction: a run that dies leaves a database either as it was or as it should be."""
        read = partial(catalog.read_database, inside, database.schema_name, database.owner)
        with inside.transaction():
            state = read()
            self._report.problems += [
                Problem(
                    self._store, f"{name} in database {database.name}",
                    f"belongs to {owner}, so its privileges are not the plan's",
                    f"Let {owner} hand it over: ALTER ... OWNER TO {database.owner}",
                )
                for name, owner in sorted(state.foreign_owned.items())
            ]  # fmt: skip
            self._carry_out(inside, self._inside_steps(database, state))
            self._require_converged(lambda: self._inside_steps(database, read()))

    def _converge_other_databases(self) -> None:
        """No role of the plan enters a database of somebody else; nobody but the master the server's own."""
        planned = {database.name for database in self._databases}

        def steps() -> list[Step]:
            actual = catalog.read_database_privileges(self._connection)
            others = {target: found for target, found in actual.items() if target.identity not in planned}
            desired = partial(desired_outside, others, self._roles.attributes, self._master)
            return privilege_steps(desired, others, self._master)

        self._carry_out(self._connection, steps())
        self._require_converged(steps)

    def _converge_password(self, database: str, role: PostgresRole, login: Credentials) -> None:
        """Tried by logging in: RDS shows no stored verifier, not even to its master."""
        if login.username not in role.logins:
            raise StoreError(
                self._store, f"secret {role.secret}", f"names the user {login.username!r}",
                f"Its username must be {' or '.join(role.logins)}",
            )  # fmt: skip
        if self._access.accepts(database, login):
            return
        subject = f"role {login.username}"
        if not self._report.dry_run:
            self._access.set_password(self._connection, login)
            if not self._access.accepts(database, login):
                raise StoreError(
                    self._store, subject, "the server refuses the password just set",
                    "Look in the server's log for the reason; a rotation may have run at the same time",
                )  # fmt: skip
        self._report.changes.append(Change(self._store, Action.UPDATED, subject, "password from its secret"))

    def _carry_out(self, connection: Connection[catalog.Row], steps: Iterable[Step]) -> None:
        """A refused step becomes a problem and the others go on."""
        for step in steps:
            try:
                if not self._report.dry_run:
                    _execute(connection, step)
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                self._report.problems.append(Problem.of(self._access.refused(step.subject, error)))
            else:
                self._report.changes.append(Change(self._store, step.action, step.subject, step.detail))

    def _require_converged(self, remaining: Callable[[], list[Step]]) -> None:
        """PostgreSQL lets a REVOKE of somebody else's grant pass without effect; only looking again tells."""
        if self._report.dry_run:
            return
        known = {problem.subject for problem in self._report.problems}
        self._report.problems += [
            Problem(
                self._store, step.subject, f"still to do after doing it: {step.action.value} {step.detail}",
                "The grant was made by another role: let that role, or a member of rds_superuser, revoke it",
            )
            for step in remaining()
            if step.subject not in known
        ]  # fmt: skip


def _execute(connection: Connection[catalog.Row], step: Step) -> None:
    """In a savepoint where there is a transaction; CREATE DATABASE stands no transaction at all."""
    if not step.acting_as and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        connection.execute(step.statement)
        return
    with connection.transaction():
        if step.acting_as:
            connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(step.acting_as)))
        connection.execute(step.statement)
        if step.acting_as:
            connection.execute("RESET ROLE")
