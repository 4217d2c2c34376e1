"""Where everything listens, always on the loopback interface."""

import json
import socket
from collections.abc import Mapping

from services.local.errors import ShopError
from services.local.home import Home

DEFAULTS: Mapping[str, int] = {
    "gateway": 8088,
    "user": 3000,
    "product": 8000,
    "product-internal": 8001,
    "order": 8080,
    "notification": 8081,
    "stripe": 12111,
    "postgres": 15432,
    "redis": 16379,
    "mongodb": 17017,
    "mongodb-health": 17018,
    "rabbitmq": 15673,
    "rabbitmq-distribution": 15674,
    "epmd": 15675,
}
_FILE = "ports.json"


def choose(home: Home, *, free: bool) -> dict[str, int]:
    """Return the ports of a new run, and keep them for `status` and `demo`.

    Args:
        home: The shop.
        free: Take whatever is free instead of the same ports each time.

    Raises:
        ShopError: Some of the usual ports are taken.
    """
    ports = _free() if free else _checked()
    (home.root / _FILE).write_text(json.dumps(ports, indent=2) + "\n")
    return ports


def current(home: Home) -> dict[str, int]:
    """Return the ports of the latest run.

    Args:
        home: The shop.

    Raises:
        ShopError: It never ran.
    """
    try:
        return {name: int(port) for name, port in json.loads((home.root / _FILE).read_text()).items()}
    except (OSError, ValueError) as error:
        raise ShopError("The shop has not run yet: make services") from error


def _checked() -> dict[str, int]:
    taken = [f"{port} ({name})" for name, port in DEFAULTS.items() if not is_free(port)]
    if taken:
        raise ShopError(
            f"These ports are taken: {', '.join(taken)}. Stop what listens there (does a shop run already? "
            "`make services-status`), or take free ones: make services PORTS=free"
        )
    return dict(DEFAULTS)


def is_free(port: int) -> bool:
    """Say whether nothing listens on a port, on any interface.

    Args:
        port: The port.
    """
    # Also what listens on all interfaces is in the way; without SO_REUSEADDR a port of a run that has just
    # ended would look taken.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - nothing listens
        except OSError:
            return False
    return True


def _free() -> dict[str, int]:
    probes = {name: socket.socket() for name in DEFAULTS}
    try:
        for probe in probes.values():
            probe.bind(("127.0.0.1", 0))
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
    finally:
        for probe in probes.values():
            probe.close()
