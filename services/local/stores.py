"""Empty stores with the users that production has: each service reaches its own data and nothing else."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from services.local import servers
from services.local.credentials import write_privately
from services.local.errors import ShopError
from services.local.home import UNPRIVILEGED, Home, as_unprivileged

_DATABASES = ("orders", "products")
_SHOWN = 3000

# As operations/bootstrap gives them on RDS: who migrates owns the schema, the service has its rows.
_LOGINS = """
create role {name}_migration login password '{migration}';

create role {name} login password '{runtime}';

create database {name} owner {name}_migration encoding 'UTF8' template template0;

revoke all on database {name} from public;

grant connect on database {name} to {name};
"""
_SCHEMA = """
alter schema public owner to {name}_migration;

revoke all on schema public from public;

grant usage on schema public to {name};

alter default privileges for role {name}_migration grant select, insert, update, delete on tables to {name};

alter default privileges for role {name}_migration grant usage, select on sequences to {name};
"""

# Production's access strings (components/data/valkey_access.py; a test compares).
_REDIS_COMMANDS = (
    "-@all +@read +@write +@connection +@transaction +@pubsub +eval +evalsha +script|load -@dangerous +info"
)
_REDIS_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "user": ("user:", "session:"),
    "product": ("product:",),
    "order": ("order:", "session:"),
}
_OWN_NAMES = r"^(commerce\..*|notifications(\..*)?)$"
# What waits for another attempt returns to its queue through the default exchange.
_WRITTEN = r"^(amq\.default|commerce\..*|notifications(\..*)?)$"
_VHOST = "commerce"


def postgres(home: Home, passwords: Mapping[str, str]) -> Path:
    """Make the databases where there are none, and return the directory of PostgreSQL's programs.

    Args:
        home: The shop.
        passwords: All secrets by name.

    Raises:
        ShopError: There is no PostgreSQL, it failed, or the data are another major version's.
    """
    folder = home.folder("postgres", unprivileged=True)
    binaries = servers.within_reach(servers.postgres_binaries(), home.root)
    data = folder / "data"
    if not data.exists():
        _initialize(binaries, folder, data, passwords)
    version = (data / "PG_VERSION").read_text().strip()
    printed = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    if f" {version}." not in printed.stdout:
        raise ShopError(
            f"{data} was made by PostgreSQL {version}, and {binaries} is {printed.stdout.strip()}: "
            "use the same version, or remove the folder to begin with an empty shop"
        )
    return binaries


def _initialize(binaries: Path, folder: Path, data: Path, passwords: Mapping[str, str]) -> None:
    """Make the databases beside their place, so that what was killed half-way does not count."""
    partial = folder / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    password = folder / "password"
    write_privately(password, passwords["postgres_superuser"])
    if UNPRIVILEGED is not None:
        os.chown(password, UNPRIVILEGED, UNPRIVILEGED)
    _postgres(
        [binaries / "initdb", "-D", partial, "-U", "postgres", "--pwfile", password,
         "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    )  # fmt: skip
    password.unlink()
    for name in _DATABASES:
        logins = _LOGINS.format(name=name, runtime=passwords[name], migration=passwords[f"{name}_migration"])
        # Without a server, so nobody can connect before the rights are right.
        _postgres([binaries / "postgres", "--single", "-j", "-D", partial, "postgres"], logins)
        _postgres([binaries / "postgres", "--single", "-j", "-D", partial, name], _SCHEMA.format(name=name))
    (partial / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    partial.rename(data)


def _postgres(command: list[str | Path], statements: str = "") -> None:
    done = subprocess.run(
        [*as_unprivileged(), *map(str, command)],
        input=statements, capture_output=True, text=True, cwd="/", check=False,
    )  # fmt: skip
    # In single-user mode the server ends well after a statement that failed.
    if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        name = Path(command[0]).name
        raise ShopError(f"PostgreSQL could not be prepared, {name} says:\n{done.stderr[-_SHOWN:]}")


def redis(home: Home, passwords: Mapping[str, str]) -> Path:
    """Write the configuration of Redis with a user a service, and return it.

    Args:
        home: The shop.
        passwords: All secrets by name.
    """
    folder = home.folder("redis")
    users = [f"user {name} on >{passwords[f'redis_{name}']} {redis_access(name)}" for name in _REDIS_PREFIXES]
    lines = ["bind 127.0.0.1", f"dir {folder}", "save 60 1", "user default off -@all", *users]
    file = folder / "redis.conf"
    write_privately(file, "\n".join(lines) + "\n")
    return file


def redis_access(service: str) -> str:
    """Return what a service may do, as an access list without its password.

    Args:
        service: Its name.
    """
    prefixes = _REDIS_PREFIXES[service]
    keys = " ".join(f"~{prefix}*" for prefix in prefixes)
    channels = " ".join(f"&{prefix}*" for prefix in prefixes)
    return f"{keys} resetchannels {channels} {_REDIS_COMMANDS}"


def rabbitmq(home: Home, passwords: Mapping[str, str], port: int) -> Path:
    """Write the configuration of RabbitMQ with its virtual host and users, and return its folder.

    Args:
        home: The shop.
        passwords: All secrets by name.
        port: Where it listens.
    """
    folder = home.folder("rabbitmq")
    definitions = {
        "vhosts": [{"name": _VHOST}],
        "users": [
            {"name": name, "tags": "", "password_hash": _rabbitmq_hash(passwords[f"rabbitmq_{name}"])}
            for name in ("order", "notification")
        ],
        "permissions": [
            {"user": name, "vhost": _VHOST, "configure": _OWN_NAMES, "write": _WRITTEN, "read": _OWN_NAMES}
            for name in ("order", "notification")
        ],
    }
    write_privately(folder / "definitions.json", json.dumps(definitions, indent=2) + "\n")
    configuration = (
        f"listeners.tcp.default = 127.0.0.1:{port}\n"
        f"load_definitions = {folder / 'definitions.json'}\n"
        "log.console = true\nlog.file = false\n"
        # Each look at its health is a connection.
        "log.connection.level = error\n"
    )
    (folder / "rabbitmq.conf").write_text(configuration)
    (folder / "enabled_plugins").write_text("[].\n")
    return folder


def _rabbitmq_hash(password: str) -> str:
    """https://www.rabbitmq.com/docs/passwords#computing-password-hash."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def mongodb(home: Home) -> Path:
    """Return the folder of FerretDB, which makes its user itself when it first starts.

    Args:
        home: The shop.
    """
    return home.folder("mongodb")
