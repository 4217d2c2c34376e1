"""A RabbitMQ node."""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.local import probe, servers
from services.local.home import UNPRIVILEGED
from services.stores.process import Supervised, free_port, give_away, new_directory
from services.stores.server import Server

_USER = "tests"
_VHOST = "commerce"
_PLAIN = """
listeners.tcp.default = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
default_vhost = {vhost}
log.console = true
log.file = false
log.connection.level = error
"""


def launch_plain() -> Server:
    """Start a node without TLS whose one user may do all in the virtual host `commerce`.

    Raises:
        ShopError: RabbitMQ is not installed.
    """
    port, password = free_port(), secrets.token_hex(16)
    configuration = _PLAIN.format(port=port, user=_USER, password=password, vhost=_VHOST)
    processes = launch(lambda _home: configuration)
    url = f"amqp://{_USER}:{password}@127.0.0.1:{port}/{_VHOST}"
    return Server(url, port, processes, lambda: probe.serves("rabbitmq", port))


def launch(configure: Callable[[Path], str], plugins: Sequence[str] = ()) -> tuple[Supervised, Supervised]:
    """Start a node.

    Args:
        configure: Returns its configuration, given its folder, where it may put what the node is to read.
        plugins: To enable.

    Returns:
        The node and its port mapper.

    Raises:
        ShopError: RabbitMQ is not installed.
    """
    program, epmd = servers.rabbitmq()
    home, epmd_port = new_directory("rabbitmq"), free_port()
    (home / "rabbitmq.conf").write_text(configure(home))
    (home / "rabbitmq.conf").chmod(0o600)
    (home / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n")
    give_away(home)
    environment = _environment(home, epmd_port)
    # Erlang would start its port mapper as a daemon that nobody stops; given one, it uses that.
    # What both write is thrown away, so nothing is gained by stopping them gently.
    mapper = Supervised(
        "epmd", [epmd, "-address", "127.0.0.1", "-port", str(epmd_port)], home / "epmd.log",
        environment=environment, user=UNPRIVILEGED, stop_signal="SIGKILL",
    )  # fmt: skip
    broker = Supervised(
        "RabbitMQ", [program], home / "log",
        environment=environment, user=UNPRIVILEGED, stop_signal="SIGKILL", remove=home,
    )  # fmt: skip
    return broker, mapper


def _environment(home: Path, epmd_port: int) -> Mapping[str, str]:
    return {
        "HOME": str(home),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_NODENAME": f"test{os.getpid()}@localhost",
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # Idle schedulers must not spin on a machine that runs everything.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
    }
