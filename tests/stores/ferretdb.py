"""The MongoDB wire protocol: FerretDB over SQLite, with TLS and SCRAM logins.

What it is not: FerretDB 1.24 keeps users and checks their passwords, but refuses `roles` and enforces none.
The role ledger in front of it keeps the roles as a server would, so that convergence can be shown; that a
role keeps a user out of another database is not shown here, it is DocumentDB's own.
"""

from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from services.stores import mongodb
from services.stores.server import Server
from tests.stores.certificates import Certificates
from tests.stores.role_ledger import RoleLedger


@dataclass(frozen=True)
class MongoServer:
    """A running server."""

    host: str
    port: int
    certificates: Certificates
    launched: Server
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
        self.launched.stop()


def start(certificates: Certificates) -> MongoServer:
    launched = mongodb.launch(user=MongoServer.master, password=MongoServer.master_password)
    launched.wait_until_ready()
    ledger = RoleLedger(launched.port, certificates)
    return MongoServer("localhost", ledger.port, certificates, launched, ledger)
