"""Connections to PostgreSQL: verified, patient, and with errors that carry no secret."""

from pathlib import Path

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from operations.bootstrap.credentials import Credentials
from operations.bootstrap.errors import StoreError, StoreUnreachableError
from operations.bootstrap.plan import PostgresServer
from operations.bootstrap.postgres.catalog import Row

_CONNECT_TIMEOUT = 10
_REFUSED = "password authentication failed"
# The server says these only after it has accepted the password.
_ACCEPTED = (
    "too many connections for role",
    "permission denied for database",
    "is not permitted to log in",
    '" does not exist',
)


class WrongPasswordError(StoreError):
    """The server knows another password, or no such role."""


def connect(
    server: PostgresServer, database: str, login: Credentials, ca_file: Path | None, *, master: bool = False
) -> Connection[Row]:
    """Open a connection in autocommit mode.

    Args:
        server: The plan's part.
        database: Which database.
        login: Who connects.
        ca_file: Bundle to verify the server's certificate with; the system's without it.
        master: Whether this is the bootstrap's own session, which trusts no name in any schema but the
            server's.

    Raises:
        WrongPasswordError: the login was refused.
        StoreUnreachableError: no connection came about; another try may help.
        StoreError: the certificate is not the server's.
    """
    try:
        return psycopg.connect(
            host=server.host,
            port=server.port,
            dbname=database,
            user=login.username,
            password=login.password,
            sslmode=server.sslmode,
            sslrootcert=str(ca_file) if ca_file else "system",
            connect_timeout=_CONNECT_TIMEOUT,
            application_name="cloudcommerce-bootstrap",
            autocommit=True,
            row_factory=tuple_row,
            keepalives_idle=30,
            options="-c search_path=pg_catalog" if master else "",
        )
    except psycopg.OperationalError as error:
        raise _explain(server, login.username, str(error)) from None


def accepts(server: PostgresServer, database: str, login: Credentials, ca_file: Path | None) -> bool:
    """Whether the server takes a login's password, tried by logging in."""
    try:
        connect(server, database, login, ca_file).close()
    except WrongPasswordError:
        return False
    except StoreUnreachableError as error:
        if any(words in error.reason for words in _ACCEPTED):
            return True
        raise
    return True


def _explain(server: PostgresServer, username: str, message: str) -> StoreError:
    reason = " ".join(message.split()).rstrip(".")
    address = f"{server.host}:{server.port}"
    if _REFUSED in reason:
        return WrongPasswordError(
            server.name, f"login {username}", "the server refuses the password of the secret",
            "Put the right password into the secret, or wait for its rotation to finish",
        )  # fmt: skip
    if "certificate" in reason:
        return StoreError(
            server.name, f"server {address}", reason,
            "Give the CA bundle of the server as ca_file, and the host name that its certificate carries",
        )  # fmt: skip
    return StoreUnreachableError(
        server.name, f"server {address}", reason,
        "Check that the instance is available and that its security group admits this machine",
    )  # fmt: skip
