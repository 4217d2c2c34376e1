"""`python probe.py redis|rabbitmq|postgres PORT`: whether a store on this machine serves clients.

Imports nothing but sockets: it runs every second or two.
"""

import socket
import sys

_TIMEOUT_SECONDS = 2.0
# What a client says first, and how the answer of a server that serves begins.
_GREETINGS = {
    # Redis without a user: refused, but by a server that has loaded its data.
    "redis": (b"PING\r\n", (b"-NOAUTH", b"-NOPERM", b"+PONG")),
    # The method frame on channel 0 that starts a connection: https://www.rabbitmq.com/amqp-0-9-1-protocol
    "rabbitmq": (b"AMQP\x00\x00\x09\x01", (b"\x01\x00\x00",)),
    # A startup message for a user that is not there: asked for its password (R) only by a server that has
    # recovered; one that has not answers with an error (E).
    "postgres": (b"\x00\x00\x00\x14\x00\x03\x00\x00user\x00probe\x00\x00", (b"R",)),
}


def serves(store: str, port: int) -> bool:
    """Say whether a store answers a client as it does when it is ready.

    Args:
        store: Which one.
        port: Where, on the loopback interface.
    """
    greeting, wanted = _GREETINGS[store]
    try:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS) as connection:
            connection.sendall(greeting)
            return connection.recv(64).startswith(wanted)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if serves(sys.argv[1], int(sys.argv[2])) else 1)
