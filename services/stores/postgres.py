"""A PostgreSQL server of production's major version."""

import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.local import probe, servers
from services.local.credentials import write_privately
from services.local.errors import ShopError
from services.local.home import UNPRIVILEGED
from services.stores.process import Supervised, free_port, give_away, new_directory
from services.stores.server import Server

THROWAWAY: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings of a server whose data nobody will miss. A benchmark takes the default ones, as production has."""

_SETTINGS: Mapping[str, str] = {"listen_addresses": "127.0.0.1", "max_connections": "200"}
_SHOWN = 3000


def launch(
    *,
    superuser: str = "postgres",
    password: str = "",
    settings: Mapping[str, str] = THROWAWAY,
    connections: str = "host",
    files: Sequence[Path] = (),
    ready: Callable[[int], bool] | None = None,
) -> Server:
    """Start an empty server.

    Args:
        superuser: The name of its first user.
        password: Of that user; by default one that nobody else knows.
        settings: Of the server. Relative paths begin at its data.
        connections: What it admits, as in pg_hba.conf: `host`, or `hostssl` for those with TLS alone.
        files: Files that it needs beside its data, readable by itself alone.
        ready: Whether the server at a port serves; by default, whether it asks for a password.

    Raises:
        ShopError: There is none for this machine, or initdb failed.
    """
    installed = servers.postgres_binaries()
    home = new_directory("postgres")
    binaries = servers.within_reach(installed, home)
    password = password or secrets.token_hex(16)
    try:
        data = _initialized(home, binaries, superuser, password)
    except BaseException:
        shutil.rmtree(home)
        raise
    (data / "pg_hba.conf").write_text(f"{connections} all all 127.0.0.1/32 scram-sha-256\n")
    for file in files:
        (data / file.name).write_bytes(file.read_bytes())
        (data / file.name).chmod(0o600)
    give_away(data)
    port = free_port()
    options = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(home), **settings}
    process = Supervised(
        "PostgreSQL",
        [binaries / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())],
        home / "log", user=UNPRIVILEGED, stop_signal="SIGINT", remove=home,
    )  # fmt: skip
    serves = ready or (lambda port: probe.serves("postgres", port))
    url = f"postgresql://{superuser}:{password}@127.0.0.1:{port}/postgres"
    return Server(url, port, [process], lambda: serves(port))


def _initialized(home: Path, binaries: Path, superuser: str, password: str) -> Path:
    """The server's data, with one user."""
    data, file = home / "data", home / "password"
    data.mkdir()
    write_privately(file, password)
    give_away(home)
    command = [
        binaries / "initdb", "-D", data, "-U", superuser, "--pwfile", file,
        "--auth", "scram-sha-256", "--no-sync", "--encoding", "UTF8", "--locale", "C",
    ]  # fmt: skip
    groups: list[int] | None = None if UNPRIVILEGED is None else []
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, cwd="/", check=False,
        user=UNPRIVILEGED, group=UNPRIVILEGED, extra_groups=groups,
    )  # fmt: skip
    file.unlink()
    if done.returncode:
        raise ShopError(f"PostgreSQL could not be prepared, initdb says:\n{done.stderr[-_SHOWN:]}")
    return data
