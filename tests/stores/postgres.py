"""A PostgreSQL server of production's major version, with TLS and a master user as weak as RDS's."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import Connection

from services.stores import postgres
from services.stores.server import Server
from tests.stores.certificates import Certificates

# RDS gives its master CREATEDB and CREATEROLE, and no superuser; `postgres` and `template1` are the master's.
_RDS = """
    create role {master} login createdb createrole password '{password}';
    alter database postgres owner to {master};
    alter database template1 owner to {master};
"""

_HOST = "localhost"
_SETTINGS = {
    **postgres.THROWAWAY,
    "ssl": "on",
    "password_encryption": "scram-sha-256",
    # All that the server can be made to write down about statements.
    "log_statement": "all",
    "log_min_error_statement": "debug5",
    "log_parameter_max_length_on_error": "-1",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running server.

    Attributes:
        host: The name of its certificate.
        superuser: What AWS keeps for itself on RDS.
    """

    certificates: Certificates
    launched: Server
    host: str = _HOST
    master: str = "master_user"
    master_password: str = "master-password-of-the-tests"
    superuser: str = "rdsadmin"
    superuser_password: str = "superuser-password-of-the-tests"

    @property
    def port(self) -> int:
        return self.launched.port

    @property
    def log(self) -> Path:
        """Where it writes every statement."""
        return self.launched.log

    def connect(self, user: str, password: str, database: str = "postgres") -> Connection:
        return _connect(self.port, self.certificates, user, password, database)

    def connect_as_superuser(self, database: str = "postgres") -> Connection:
        return self.connect(self.superuser, self.superuser_password, database)

    def stop(self) -> None:
        self.launched.stop()


def start(certificates: Certificates) -> PostgresServer:
    superuser, password = PostgresServer.superuser, PostgresServer.superuser_password
    files = {"ssl_cert_file": certificates.certificate, "ssl_key_file": certificates.key}

    def answers(port: int) -> bool:
        try:
            _connect(port, certificates, superuser, password, "postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    launched = postgres.launch(
        superuser=superuser,
        password=password,
        settings={**_SETTINGS, **{name: file.name for name, file in files.items()}},
        connections="hostssl",
        files=[*files.values()],
        ready=answers,
    )
    launched.wait_until_ready()
    server = PostgresServer(certificates, launched)
    with server.connect_as_superuser() as connection:
        connection.execute(_RDS.format(master=server.master, password=server.master_password).encode())
    return server


def _connect(port: int, certificates: Certificates, user: str, password: str, database: str) -> Connection:
    return psycopg.connect(
        host=_HOST, port=port, user=user, password=password, dbname=database, autocommit=True,
        sslmode="verify-full", sslrootcert=str(certificates.ca_file), connect_timeout=10,
    )  # fmt: skip
