"""The MongoDB wire protocol: FerretDB over SQLite, with TLS and SCRAM logins.

What it is not: FerretDB 1.24 keeps users and checks their passwords, but refuses `roles` and enforces none.
The role ledger in front of it keeps the roles as a server would, so that convergence can be shown; that a
role keeps a user out of another database is not shown here, it is DocumentDB's own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from services.local import servers
from tests.stores.certificates import Certificates
from tests.stores.process import Supervised, free_port, new_directory
from tests.stores.role_ledger import RoleLedger


@dataclass(frozen=True)
class MongoServer:
    """A running server."""

    host: str
    port: int
    certificates: Certificates
    log: Path
    process: Supervised
    ledger: RoleLedger
    master: str = "master_user"
    master_password: str = "master-password-of-the-tests"

    def connect(self, user: str, password: str) -> MongoClient[dict[str, Any]]:
        return MongoClient(
            self.host, self.port, username=user, password=password, authSource="admin", tls=True,
            tlsCAFile=str(self.certificates.ca_file), serverSelectionTimeoutMS=5000, directConnection=True,
        )  # fmt: skip

    def stop(self) -> None:
        self.ledger.stop()
        self.process.stop()


def start(certificates: Certificates) -> MongoServer:
    program = servers.ferretdb()
    home = new_directory("ferretdb")
    port, log = free_port(), home / "log"
    command: list[str | Path] = [
        program, "--handler=sqlite", f"--state-dir={home}", f"--sqlite-url=file:{home}/",
        f"--listen-addr=127.0.0.1:{port}",
        "--debug-addr=-", "--telemetry=disable", "--test-enable-new-auth", "--setup-database=admin",
        f"--setup-username={MongoServer.master}", f"--setup-password={MongoServer.master_password}",
    ]  # fmt: skip
    process = Supervised("FerretDB", command, log, stop_signal="SIGKILL", remove=home)
    ledger = RoleLedger(port, certificates)
    server = MongoServer("localhost", ledger.port, certificates, log, process, ledger)
    process.wait_until(lambda: _answers(server))
    return server


def _answers(server: MongoServer) -> bool:
    with server.connect(server.master, server.master_password) as client:
        try:
            client.admin.command("ping")
        except PyMongoError as error:
            if "refused" in str(error) or "closed" in str(error) or "Authentication" in str(error):
                return False
            pytest.fail(f"FerretDB does not answer: {error}", pytrace=False)
    return True
