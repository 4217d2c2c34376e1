"""Ports of this machine that a cluster keeps for itself from one start of its processes to the next."""

import json
import random
import socket
from collections.abc import Collection
from pathlib import Path

from cloudcommerce_sandbox.files import write_atomically

HOST = "127.0.0.1"
# Below what systems hand out to outgoing connections (32768 on Linux, 49152 on macOS): a port that is free
# for a second while its process restarts must not go to somebody's client.
_RANGE = range(20000, 32000)
_TRIES = 1000


class Ports:
    """The ports of one cluster by what they are for, kept in a file.

    Args:
        path: The file; one that can't be read is made anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ports = _read(path)

    def __getitem__(self, purpose: str) -> int:
        """Return the port for a purpose; the first time one that is free.

        Args:
            purpose: What it is for.
        """
        if purpose not in self._ports:
            self._choose(purpose)
        return self._ports[purpose]

    def renew_taken(self, purposes: Collection[str]) -> bool:
        """Choose others for ports that somebody else has taken. The cluster's own process must not run.

        Args:
            purposes: What they are for.

        Returns:
            Whether a port has changed.
        """
        taken = [purpose for purpose in purposes if not is_free(self[purpose])]
        for purpose in taken:
            self._choose(purpose)
        return bool(taken)

    def _choose(self, purpose: str) -> None:
        self._ports[purpose] = free_port(exclude=self._ports.values())
        write_atomically(self._path, json.dumps(self._ports))


def free_port(exclude: Collection[int] = ()) -> int:
    """Return a port of the loopback address that nobody listens on.

    Args:
        exclude: Ports that are not wanted.

    Raises:
        OSError: None was found.
    """
    for _ in range(_TRIES):
        port = random.choice(_RANGE)  # noqa: S311  # no secret
        if port not in exclude and is_free(port):
            return port
    raise OSError(f"No port between {_RANGE.start} and {_RANGE.stop} of {HOST} is free.")


def is_free(port: int) -> bool:
    """Say whether a port of the loopback address can be listened on."""
    with socket.socket() as probe:
        # As servers do: connections of a process that has ended still linger for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _read(path: Path) -> dict[str, int]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: port for key, port in content.items() if isinstance(port, int) and port in _RANGE}
