"""A PostgreSQL server of production's major version, with TLS and a master user as weak as RDS's."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import Connection

from services.local import servers
from tests.stores.certificates import Certificates
from tests.stores.process import (
    UNPRIVILEGED,
    Supervised,
    free_port,
    give_away,
    new_directory,
)

# RDS gives its master CREATEDB and CREATEROLE, and no superuser; `postgres` and `template1` are the master's.
_RDS = """
    create role {master} login createdb createrole password '{password}';
    alter database postgres owner to {master};
    alter database template1 owner to {master};
"""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "ssl": "on",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
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
        log: Where it writes every statement.
    """

    host: str
    port: int
    certificates: Certificates
    log: Path
    process: Supervised
    master: str = "master_user"
    master_password: str = "master-password-of-the-tests"
    superuser: str = "rdsadmin"
    superuser_password: str = "superuser-password-of-the-tests"

    def connect(self, user: str, password: str, database: str = "postgres") -> Connection:
        return psycopg.connect(
            host=self.host, port=self.port, user=user, password=password, dbname=database, autocommit=True,
            sslmode="verify-full", sslrootcert=str(self.certificates.ca_file), connect_timeout=10,
        )  # fmt: skip

    def connect_as_superuser(self, database: str = "postgres") -> Connection:
        return self.connect(self.superuser, self.superuser_password, database)


def start(certificates: Certificates) -> PostgresServer:
    home = new_directory("postgres")
    binaries = _reachable(servers.postgres_binaries(), home)
    data = home / "data"
    data.mkdir()
    give_away(data)
    password = home / "password"
    password.write_text(PostgresServer.superuser_password)
    give_away(home)
    _as_unprivileged(
        [str(binaries / "initdb"), "-D", str(data), "-U", PostgresServer.superuser, "--pwfile", str(password),
         "--auth", "scram-sha-256", "--no-sync", "--encoding", "UTF8", "--locale", "C"]
    )  # fmt: skip
    own = certificates.copy_to(data)
    give_away(data)
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    port, log = free_port(), home / "log"
    settings = {
        **_SETTINGS, "port": port, "unix_socket_directories": home,
        "ssl_cert_file": own.certificate, "ssl_key_file": own.key,
    }  # fmt: skip
    process = Supervised(
        "PostgreSQL",
        [binaries / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
        log, user=UNPRIVILEGED, stop_signal="SIGINT", remove=home,
    )  # fmt: skip
    server = PostgresServer("localhost", port, certificates, log, process)
    process.wait_until(lambda: _answers(server))
    with server.connect_as_superuser() as connection:
        connection.execute(_RDS.format(master=server.master, password=server.master_password).encode())
    return server


def _reachable(binaries: Path, home: Path) -> Path:
    """The unprivileged user may not enter the checkout, so it gets a copy."""
    if UNPRIVILEGED is None or binaries.is_relative_to("/usr"):
        return binaries
    shutil.copytree(binaries.parent, home / "native", symlinks=True)
    return home / "native" / "bin"


def _as_unprivileged(command: list[str]) -> None:
    groups: list[int] | None = None if UNPRIVILEGED is None else []
    subprocess.run(
        command, check=True, capture_output=True, cwd="/",
        user=UNPRIVILEGED, group=UNPRIVILEGED, extra_groups=groups,
    )  # fmt: skip


def _answers(server: PostgresServer) -> bool:
    try:
        server.connect_as_superuser().close()
    except psycopg.OperationalError:
        return False
    return True
