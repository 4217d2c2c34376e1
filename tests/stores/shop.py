"""A small shop on the shared servers: the plan that the tests bootstrap, and the command that does it."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from click.testing import CliRunner, Result

from operations.bootstrap import bootstrap
from tests.stores.certificates import Certificates
from tests.stores.ferretdb import MongoServer
from tests.stores.postgres import PostgresServer
from tests.stores.rabbitmq import RabbitServer
from tests.stores.secrets_manager import SecretsManager

Document = dict[str, Any]

# The command as a process of its own, for tests that kill it or run two at a time.
COMMAND = [sys.executable, "-c", "from operations.bootstrap import bootstrap; bootstrap()"]


@dataclass
class Outcome:
    """What one run said."""

    code: int
    output: str
    report: Document

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        return [(change["action"], change["subject"], change["detail"]) for change in self.report["changes"]]

    @property
    def problems(self) -> list[Document]:
        return list(self.report["problems"])


@dataclass
class Shop:
    """Builds the plan of one test, with names of its own."""

    namespace: str
    secrets: SecretsManager
    directory: Path
    certificates: Certificates
    plan: Document = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.plan = {"version": 1, "ca_file": str(self.certificates.ca_file)}

    def secret(self, user: str, username: str = "", password: str = "") -> str:
        """Make or replace a user's secret."""
        password = password or self.passwords.get(user) or f"{user}-Pa'ss\"word\\{len(self.passwords)}"
        self.passwords[user] = password
        return self.secrets.put(f"{self.namespace}/{user}", username or user, password)

    def name(self, short: str) -> str:
        return f"{self.namespace}_{short}"

    def add_postgres(self, server: PostgresServer, databases: int = 2) -> Document:
        """`orders`, `products`, ...: each with a runtime, a migration and a reader role."""
        master = self.secret("postgres", server.master, server.master_password)
        shorts = ["orders", "products", *(f"extra{number}" for number in range(databases - 2))][:databases]
        store = {
            "name": "postgres", "host": server.host, "port": server.port, "master_secret": master,
            "databases": [self.database(short) for short in shorts],
        }  # fmt: skip
        self.plan["postgres"] = [store]
        return store

    def database(self, short: str) -> Document:
        roles = []
        for access in ("runtime", "migration", "reader"):
            name = self.name(f"{short}_{access}")
            roles.append({"name": name, "secret": self.secret(name), "access": access, "connection_limit": 5})
        return {
            "name": self.name(short), "owner": self.name(f"{short}_owner"), "schema": "app",
            "extensions": ["pg_trgm"], "roles": roles,
        }  # fmt: skip

    def add_rabbitmq(self, server: RabbitServer) -> Document:
        """Vhost `shop`: orders publishes to its exchange, notifications reads its queue."""
        master = self.secret("rabbitmq", server.master, server.master_password)
        vhost, orders, mail = self.name("shop"), self.name("orders"), self.name("mail")
        store = {
            "name": "rabbitmq", "host": server.host, "port": server.port, "amqp_port": server.amqp_port,
            "master_secret": master, "ca_file": str(self.certificates.ca_file),
            "vhosts": [{"name": vhost, "policies": [
                {"name": "dead-letters", "pattern": "^mail$", "definition": {"dead-letter-exchange": "dead"}},
            ]}],
            "users": [
                {"name": orders, "secret": self.secret(orders), "permissions": [
                    {"vhost": vhost, "configure": r"^orders\..*$", "write": r"^orders\..*$"}]},
                {"name": mail, "secret": self.secret(mail), "rotation": "single", "permissions": [
                    {"vhost": vhost, "configure": "^mail$", "write": "^mail$",
                     "read": r"^(mail|orders\..*)$"}]},
            ],
        }  # fmt: skip
        self.plan["rabbitmq"] = [store]
        return store

    def add_mongodb(self, server: MongoServer) -> Document:
        """A user that reads and writes the database `users`."""
        master = self.secret("mongodb", server.master, server.master_password)
        user = self.name("users")
        store = {
            "name": "mongodb", "host": server.host, "port": server.port, "master_secret": master,
            "users": [{"name": user, "secret": self.secret(user), "database": self.name("users")}],
        }  # fmt: skip
        self.plan["mongodb"] = [store]
        return store

    def connect(self, server: PostgresServer, role: str, database: str = "orders") -> psycopg.Connection:
        """Log in as a role of the plan, by its short name, with the secret's password."""
        return server.connect(self.name(role), self.passwords[self.name(role)], self.name(database))

    def plan_file(self) -> Path:
        file = self.directory / "plan.json"
        file.write_text(json.dumps(self.plan))
        return file

    def run(self, *options: str, subcommand: tuple[str, ...] = ()) -> Outcome:
        """Run the command in this process."""
        arguments = ["--plan", str(self.plan_file()), "--json", "--patience", "0", *options, *subcommand]
        result: Result = CliRunner().invoke(bootstrap, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        text = result.output
        report = json.loads(text) if text.startswith("{") else {"changes": [], "problems": []}
        return Outcome(result.exit_code, text, report)

    def start(self, *subcommand: str) -> subprocess.Popen[str]:
        """Run the command as a process of its own."""
        arguments = ["--plan", str(self.plan_file()), "--json", "--patience", "20", *subcommand]
        return subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
