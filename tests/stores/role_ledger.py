"""Keeps users' roles in front of a MongoDB-protocol server that knows none, and ends TLS for it.

Takes `roles` out of createUser and updateUser and puts them into the answers of usersInfo; all else passes
untouched.
"""

import contextlib
import socket
import ssl
import struct
import threading
from typing import Any

import bson

from tests.stores.certificates import Certificates

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013
_BODY_AT = _HEADER.size + 5  # flag bits and the kind of the first section


class RoleLedger:
    """A proxy that listens on `port` with TLS.

    Attributes:
        roles: User to its list of role documents, as last written through the proxy or put here by a test.
        commands: Names of the user commands that passed.
    """

    def __init__(self, upstream: int, certificates: Certificates) -> None:
        self.roles: dict[str, list[dict[str, str]]] = {}
        self.commands: list[str] = []
        self._upstream = upstream
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.certificate, certificates.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            client,
            self._context.wrap_socket(client, server_side=True) as secure,
            socket.create_connection(("127.0.0.1", self._upstream)) as server,
        ):
            while request := _receive(secure):
                self._exchange(request, secure, server)

    def _exchange(self, request: bytes, client: socket.socket, server: socket.socket) -> None:
        command = _body(request)
        name = next(iter(command), "")
        users = name in {"createUser", "updateUser", "usersInfo"}
        if name == "updateUser" and not command.keys() & {"pwd"}:
            # The server refuses an update of roles alone; so it is answered here.
            self.commands.append(name)
            self.roles[command[name]] = command["roles"]
            client.sendall(_message(request, {"ok": 1.0}, reply_to=request))
            return
        if users:
            self.commands.append(name)
            roles = command.get("roles")
            if name == "createUser":
                command["roles"] = []
            else:
                command.pop("roles", None)
            request = _message(request, command)
        server.sendall(request)
        reply = _receive(server)
        if users:
            answer = _body(reply)
            if answer.get("ok") and roles is not None:
                self.roles[command[name]] = roles
            for user in answer.get("users", []):
                user["roles"] = self.roles.get(user["user"], [])
            reply = _message(reply, answer)
        client.sendall(reply)


def _receive(connection: socket.socket) -> bytes:
    start = _exactly(connection, 4)
    return start + _exactly(connection, struct.unpack("<i", start)[0] - 4) if start else b""


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            return b""
        parts += part
    return parts


def _body(message: bytes) -> dict[str, Any]:
    """The command or answer of a message; the first handshake's old opcode has none that matters here."""
    if _HEADER.unpack_from(message)[3] != _OP_MSG:
        return {}
    (size,) = struct.unpack_from("<i", message, _BODY_AT)
    return bson.decode(message[_BODY_AT : _BODY_AT + size])


def _message(like: bytes, body: dict[str, Any], reply_to: bytes | None = None) -> bytes:
    """A message with another body; as an answer when it replies to a request."""
    _, request_id, response_to, opcode = _HEADER.unpack_from(like)
    if reply_to is not None:
        response_to = _HEADER.unpack_from(reply_to)[1]
    content = struct.pack("<IB", 0, 0) + bson.encode(body)
    return _HEADER.pack(_HEADER.size + len(content), request_id, response_to, opcode) + content
