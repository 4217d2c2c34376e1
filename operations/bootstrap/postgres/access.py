"""Reaching one PostgreSQL server as its master, one run at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from operations.bootstrap.credentials import Credentials
from operations.bootstrap.errors import StoreError
from operations.bootstrap.plan import PostgresServer
from operations.bootstrap.postgres.catalog import Row
from operations.bootstrap.postgres.connection import accepts, connect
from operations.bootstrap.waiting import until_reachable

_LOCK_KEY = 0x636C6F7564626F6F
"""Any number that nobody else takes: one bootstrap or rotation a server at a time."""
_LOCK_TIMEOUT = "10min"


@dataclass(frozen=True)
class ServerAccess:
    """How the bootstrap reaches a server.

    Attributes:
        server: The plan's part.
        master: The master's credentials.
        ca_file: Bundle to verify the server with.
        patience: Seconds to wait for a server that does not answer.
    """

    server: PostgresServer
    master: Credentials
    ca_file: Path | None
    patience: float

    def connect(self, database: str) -> Connection[Row]:
        """A connection as master."""
        attempt = partial(connect, self.server, database, self.master, self.ca_file, master=True)
        return until_reachable(attempt, self.patience)

    def accepts(self, database: str, login: Credentials) -> bool:
        """Whether a login's password works in its database."""
        return until_reachable(partial(accepts, self.server, database, login, self.ca_file), self.patience)

    @contextmanager
    def locked(self) -> Iterator[Connection[Row]]:
        """A connection to the maintenance database that holds the server's bootstrap lock.

        The lock belongs to the session: whatever ends this process, the server gives it up.

        Raises:
            StoreError: another run holds it for too long.
        """
        with self.connect(self.server.maintenance_database) as connection:
            connection.execute(SQL("SET lock_timeout TO {}").format(Literal(_LOCK_TIMEOUT)))
            try:
                connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
            except psycopg.errors.LockNotAvailable:
                raise StoreError(
                    self.server.name, "bootstrap lock", f"another run has held it for {_LOCK_TIMEOUT}",
                    "Look in pg_stat_activity for application cloudcommerce-bootstrap; end it if it hangs",
                ) from None  # fmt: skip
            yield connection

    def set_password(self, connection: Connection[Row], login: Credentials) -> None:
        """Give a role a password, as a SCRAM verifier computed here: no log ever sees the clear text.

        Raises:
            StoreError: the server refuses.
        """
        verifier = connection.pgconn.encrypt_password(
            login.password.encode(), login.username.encode(), b"scram-sha-256"
        ).decode()
        statement = SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(login.username), Literal(verifier))
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            # Not chained: a driver's error may quote the statement, and with it the verifier.
            raise self.refused(f"role {login.username}", error) from None

    def refused(self, subject: str, error: psycopg.Error) -> StoreError:
        """What the server's refusal of a statement means to a person."""
        reason = (error.diag.message_primary or type(error).__name__).rstrip(".")
        remedy = error.diag.message_hint or error.diag.message_detail
        fallback = "Do it once as a member of rds_superuser, or give the master the ADMIN OPTION on the role"
        return StoreError(self.server.name, subject, reason, remedy or fallback)
