"""A Redis or Valkey server that keeps nothing on disk."""

import secrets

from services.local import probe, servers
from services.local.credentials import write_privately
from services.stores.process import Supervised, free_port, new_directory
from services.stores.server import Server


def launch() -> Server:
    """Start an empty server whose one user may do everything.

    Raises:
        ShopError: There is neither Redis nor Valkey.
    """
    program = servers.redis()
    home, port, password = new_directory("redis"), free_port(), secrets.token_hex(16)
    lines = ["bind 127.0.0.1", f"port {port}", f"dir {home}", 'save ""', f"requirepass {password}"]
    write_privately(home / "redis.conf", "\n".join(lines) + "\n")
    process = Supervised(
        "Redis", [program, home / "redis.conf"], home / "log", stop_signal="SIGKILL", remove=home
    )
    url = f"redis://default:{password}@127.0.0.1:{port}"
    return Server(url, port, [process], lambda: probe.serves("redis", port))
